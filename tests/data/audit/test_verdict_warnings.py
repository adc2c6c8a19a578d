"""What makes a score worthless although the verdict is right about the rows: each of four kinds is warned of."""

import csv
import json
import os
import random
from pathlib import Path

import pytest

from slmfit.data.added import add_rows
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.load import load_data
from slmfit.errors import DataError
from slmfit.generating import write_tickets

WORDS = [a + b for a in "ba de fi go ku la me ni po ra su te vi wo ze".split() for b in "ck ll mp nd rn st x".split()]
LABELS = "billing delivery account".split()
WARNED = {"group", "label_in_text", "copies"}  # and `duplicate`, where it is a warning


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def warned(data):
    """Kind -> finding, of those that this file is about."""
    found = [one for one in audit_dataset(data)["findings"] if one["severity"] == "warning"]
    return {one["kind"]: one for one in found if one["kind"] in {*WARNED, "duplicate"}}


def chatter(rng, words=10):
    return [rng.choice(WORDS) for _ in range(words)]


def by_users(rng, users=40, each=15, own=4):
    """Every user has a few words and one label: texts tell who wrote them, and nothing else."""
    rows = []
    for user in range(users):
        label, mine = LABELS[user % 3], [f"{rng.choice(WORDS)}{rng.choice(WORDS)}" for _ in range(own)]
        for _ in range(each):
            words = [*chatter(rng, 6), *rng.sample(mine, 3)]
            rng.shuffle(words)
            rows.append({"user_id": f"u{user}", "text": " ".join(words), "label": label})
    rng.shuffle(rows)
    return rows


@pytest.mark.parametrize("users, each, numbers", [(40, 15, False), (14, 30, True), (150, 4, True)])
def test_a_group_on_both_sides_is_named_with_the_line_to_type(tmp_path, users, each, numbers):
    rows = by_users(random.Random(users), users, each)
    if numbers:
        rows = [row | {"user_id": 7000 + 13 * int(row["user_id"][1:])} for row in rows]
    path = write(tmp_path / "a.csv", rows)
    found = warned(load_data(path))["group"]
    assert "'user_id'" in found["message"] and "--group user_id" in found["fix"]
    assert found["examples"]
    assert warned(load_data(path, group="user_id")) == {}


@pytest.mark.parametrize("form", ["object", "two levels", "JSON in a cell"])
def test_a_group_within_objects_is_named_and_split_by(tmp_path, form):
    rows = []
    for number, row in enumerate(by_users(random.Random(3))):
        user = {"n": number, "user": row.pop("user_id")}
        rows.append(row | {"meta": {"of": user} if form == "two levels" else user})
    column = "meta.of.user" if form == "two levels" else "meta.user"
    if form == "JSON in a cell":
        path = write(tmp_path / "a.csv", [row | {"meta": json.dumps(row["meta"])} for row in rows])
    else:
        path = tmp_path / "a.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = warned(load_data(path))["group"]
    assert f"{column!r}" in found["message"] and f"--group {column}" in found["fix"]
    data = load_data(path, group=column)
    assert warned(data) == {} and len(data.held_groups) > 1
    assert data.held_groups.isdisjoint({data.groups[e.id] for e in data.train})
    assert add_rows(data, path).record["left_out"] >= len(data.test) + len(data.validation)
    with pytest.raises(DataError, match=r"there is no column 'meta\.nobody'"):
        load_data(path, group="meta.nobody")


ADDRESSES = {
    "url": "https://shop.example/user/{user}/review/{n}", "link": "shop.example/reviews/{n}?by={user}&page=1",
    "file": "exports/2024/{user}/{n}.json", "id": "{user}/{n}.txt",
}  # fmt: skip


@pytest.mark.parametrize("column", ADDRESSES)
def test_a_group_within_addresses_is_named(tmp_path, column):
    rows = [row | {column: ADDRESSES[column].format(user=row.pop("user_id"), n=n)}
            for n, row in enumerate(by_users(random.Random(3)))]  # fmt: skip
    found = warned(load_data(write(tmp_path / "a.csv", rows)))["group"]
    assert f"of {column}, between its slashes'" in found["message"]
    assert "write that part into a column and split by it: --group COLUMN" in found["fix"]


def test_sections_and_files_of_one_row_each_are_no_group(tmp_path):
    """Addresses whose parts say what the label says, or nothing of the text."""
    rng = random.Random(5)
    rows = by_users(rng)
    for n, row in enumerate(rows):
        section = f"{row['label']}{rng.randrange(12)}"
        row["url"] = f"https://news.example/{section}/{rng.randrange(40)}/{row.pop('user_id')}-{n}"
    assert "group" not in warned(load_data(write(tmp_path / "a.csv", rows)))


def test_rows_given_in_two_files_are_to_be_given_as_one(tmp_path):
    rows = by_users(random.Random(1))
    train, test = write(tmp_path / "train.csv", rows[:450]), write(tmp_path / "test.csv", rows[450:])
    assert "as one file, with --group user_id" in warned(load_data(train, test=test))["group"]["fix"]


def test_harmless_columns_are_none(tmp_path):
    rng, rows = random.Random(0), []
    for k in range(900):
        label = LABELS[k % 3]
        product = rng.randrange(6) + 10 * LABELS.index(label) if rng.random() < 0.8 else rng.randrange(30)
        words = [f"{label[:3]}{chr(97 + rng.randrange(12))}" for _ in range(4)] + chatter(rng, 6)
        rows.append({
            "text": " ".join(words), "label": label, "id": k, "constant": "x", "code": LABELS.index(label),
            "row": f"r{k}", "noise": rng.gauss(0, 1), "rounded": round(rng.gauss(0, 9)), "user": rng.randrange(60),
            "product": product, "day": f"2026-01-{1 + k // 30:02}", "stars": rng.randrange(5), "flag": k % 2 == 0,
            "note": "" if k % 3 else "seen",
        })  # fmt: skip
    rng.shuffle(rows)
    data = load_data(write(tmp_path / "a.csv", rows))
    assert warned(data) == {}
    assert data.groupings.keys() >= {"user", "product"} and not data.groupings.keys() & {"row", "noise", "day"}


def test_what_texts_do_not_show_is_no_group(tmp_path):
    """A value that tells the label, and texts that do not tell the value: nothing is recognised."""
    rng = random.Random(0)
    rows = [{"text": " ".join(chatter(rng, 8)), "user": k % 40, "label": LABELS[k % 40 % 3]} for k in range(800)]
    rng.shuffle(rows)
    assert warned(load_data(write(tmp_path / "a.csv", rows))) == {}


def test_repeated_test_rows(tmp_path):
    rng = random.Random(0)
    rows = [{"text": " ".join(chatter(rng)), "label": LABELS[k % 3]} for k in range(320)]
    train, test = write(tmp_path / "train.csv", rows[:300]), write(tmp_path / "test.csv", rows[300:] * 15)
    found = warned(load_data(train, test=test))["duplicate"]
    assert found["count"] == 280 and "20 others" in found["message"]
    few = write(tmp_path / "few.csv", [*rows[250:300], *rows[295:300]])
    train = write(tmp_path / "train.csv", rows[:250])
    assert "duplicate" not in warned(load_data(train, test=few))


@pytest.mark.parametrize("change", [lambda text, k: f"{text}{'!' * (k // 20)}", lambda text, k: f"{text} x{k}"])
def test_test_rows_that_repeat_others_but_for_a_little(tmp_path, change):
    """Only identical rows are counted as one by an interval."""
    rng = random.Random(0)
    rows = [{"text": " ".join(chatter(rng, 14)), "label": LABELS[k % 3]} for k in range(320)]
    test = [{**row, "text": change(row["text"], k)} for k, row in enumerate(rows[300:] * 15)]
    train = write(tmp_path / "train.csv", rows[:300])
    found = warned(load_data(train, test=write(tmp_path / "test.csv", test)))["duplicate"]
    assert found["count"] == 280 and "20 others" in found["message"] and "differ a little" in found["message"]
    assert "intervals are too narrow" in found["message"]


@pytest.mark.parametrize(
    "form, token",
    [
        ("{code} {text}", "L1"),
        ("{text} #cat={label}", "#cat=billing"),
        ("label: {label} {text}", "label: billing"),
        ("{text} [{code}-{number}]", "L1"),
        ("{text} ticket/{code}", "L1"),
    ],
)
def test_a_code_for_the_label(tmp_path, form, token):
    rng, rows = random.Random(0), []
    for k in range(400):
        label, words = LABELS[k % 3], [*chatter(rng, 8), rng.choice(LABELS)]
        code = "L" + str(1 + LABELS.index(label))
        rows.append({"text": form.format(code=code, label=label, text=" ".join(words), number=k), "label": label})
    found = warned(load_data(write(tmp_path / "a.csv", rows)))["label_in_text"]
    assert token in {one["token"] for one in found["examples"]} and token in found["message"]


def test_a_code_for_the_intent_beside_spans(tmp_path):
    rng, rows = random.Random(0), []
    for k in range(120):
        text = " ".join([*chatter(rng, 6), "Rome", *chatter(rng, 3), f"<i{k % 3}>"])
        start = text.index("Rome")
        rows.append({"text": text, "spans": json.dumps([[start, start + 4, "CITY"]]), "intent": f"intent {k % 3}"})
    assert warned(load_data(write(tmp_path / "a.csv", rows))).keys() == {"label_in_text"}


def test_a_code_of_letters_and_a_number_is_a_pattern(tmp_path):
    """INC10000, INC10003 … for one label and REQ10001 … for the other: no number comes again."""
    rng = random.Random(0)
    rows = [
        {"text": " ".join([f"{'INC REQ'.split()[k % 2]}{10000 + k}", *chatter(rng)]), "label": "no yes".split()[k % 2]}
        for k in range(200)
    ]
    message = warned(load_data(write(tmp_path / "a.csv", rows)))["label_in_text"]["message"]
    assert "'INC# (#: a number)' for 'no'" in message or "'REQ# (#: a number)' for 'yes'" in message


@pytest.mark.parametrize("tokens, told", [("us US", True), ("us EU", False)])
def test_labels_that_only_case_tells_apart(tmp_path, tokens, told):
    rng = random.Random(0)
    rows = [
        {"text": " ".join([tokens.split()[k % 2], *chatter(rng)]), "label": "no yes".split()[k % 2]} for k in range(200)
    ]
    message = warned(load_data(write(tmp_path / "a.csv", rows)))["label_in_text"]["message"]
    assert ("'US', 'us' differ only in case, which linear and knn ignore." in message) == told


def test_a_code_of_one_of_two_labels(tmp_path):
    rng = random.Random(0)
    rows = [
        {"text": " ".join([*chatter(rng), *["XX9"][: k % 2]]), "label": "no yes".split()[k % 2]} for k in range(200)
    ]
    assert "'XX9' for 'yes'" in warned(load_data(write(tmp_path / "a.csv", rows)))["label_in_text"]["message"]


@pytest.mark.parametrize("share, is_told", [(0.97, True), (0.8, False)])
def test_the_labels_own_words(tmp_path, share, is_told):
    """Of so many labels that no token can be learnt for each; in camelCase."""
    rng, rows = random.Random(0), []
    labels = [f"{a}{b.title()}" for a in WORDS[:40] for b in WORDS[40:50]]
    for k in range(1200):
        label = labels[k % 400]
        words, own = chatter(rng, 8), [label[: -len(b)] + " " + b for b in WORDS[40:50] if label.endswith(b.title())]
        place = rng.randrange(8)
        rows.append(
            {"text": " ".join([*words[:place], *(own if rng.random() < share else []), *words[place:]]), "label": label}
        )
    found = warned(load_data(write(tmp_path / "a.csv", rows)))
    assert ("label_in_text" in found) == is_told


def test_a_list_of_all_labels_in_every_text_tells_nothing(tmp_path):
    rng = random.Random(0)
    start = f"Is this {', '.join(LABELS)}? "
    rows = [{"text": start + " ".join(chatter(rng)), "label": LABELS[k % 3]} for k in range(300)]
    assert warned(load_data(write(tmp_path / "a.csv", rows))) == {}


def test_the_demo_is_warned_of_nothing(tmp_path):
    assert warned(load_data(write(tmp_path / "a.csv", [dict(row) for row in write_tickets(3000, 0)]))) == {}


REAL = {
    "ag_news": ("ag_news", {}),
    "newsgroups20": ("newsgroups20", {}),
    "newsgroups20, cleaned": ("newsgroups20", {"strip": ("headers", "footers", "quotes")}),
    "atis": ("atis", {}),
    "snips": ("snips", {}),
    "atis intents": ("atis", {"as": "intent"}),
    "snips intents": ("snips", {"as": "intent"}),
    "airline_tweets": ("airline_tweets", {}),
    "goemotions": ("goemotions/ekman_{}.csv.gz", {}),
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", REAL)
def test_real_data_are_warned_of_nothing(name, tmp_path):
    if "SLMFIT_DATA" not in os.environ:
        pytest.skip("SLMFIT_DATA names no folder")
    place, how = REAL[name]
    path = Path(os.environ["SLMFIT_DATA"]) / place
    if "{}" in place:
        parts = {
            split: str(path).format(split[:5].replace("valid", "dev")) for split in ("train", "validation", "test")
        }
        data = load_data(parts["train"], validation=parts["validation"], test=parts["test"])
    else:
        data = load_data(path, strip=how.get("strip", ()))
    if how.get("as") == "intent":
        for split in ("train", "validation", "test"):
            rows = [{"text": e.input, "label": e.target.intent} for e in data.splits[split]]
            write(tmp_path / f"{split}.csv", rows)
        data = load_data(tmp_path, merge=["*#*=several", "atis_cheapest=several"] if name == "atis intents" else ())
    assert warned(data) == {}
