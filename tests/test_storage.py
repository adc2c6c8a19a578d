"""Files that appear whole or not at all, in UTF-8 whatever is in them."""

import json

from slmfit import storage


def test_half_a_character_is_kept_in_a_file_that_is_utf_8(tmp_path):
    value = {"out": "caf\udce9", "smile": "\U0001f642"}
    storage.write_json(tmp_path / "x.json", value)
    assert json.loads((tmp_path / "x.json").read_bytes().decode("utf-8")) == value
    assert storage.read_json(tmp_path / "x.json") == value
    assert len(storage.hash_json(value)) == 64


def test_what_a_killed_process_left_half_written_goes_with_the_next_lock(tmp_path):
    run = storage.partial(tmp_path / "runs" / "linear")
    run.mkdir(parents=True)
    for half in (tmp_path / ".comparison.json.7.partial", run / ".predictions.jsonl.7.partial"):
        half.write_text("[")
    (run / "key").write_text("k")
    with storage.locked(tmp_path):
        assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == [".lock", "key"]
