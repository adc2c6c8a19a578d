"""Files that appear whole or not at all, in UTF-8 whatever is in them."""

import json

from slmfit import storage


def test_half_a_character_is_kept_in_a_file_that_is_utf_8(tmp_path):
    value = {"out": "caf\udce9", "smile": "\U0001f642"}
    storage.write_json(tmp_path / "x.json", value)
    assert json.loads((tmp_path / "x.json").read_bytes().decode("utf-8")) == value
    assert storage.read_json(tmp_path / "x.json") == value
    assert len(storage.hash_json(value)) == 64
