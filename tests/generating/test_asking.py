"""The llm writer against a scripted model that does what it is told, and spoils some of it on purpose."""

import json
import random
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from slmfit import __main__ as cli
from slmfit.errors import BudgetReached, MissingPart, UsageError
from slmfit.generating import generate, read_recipe
from slmfit.generating.asking import BATCH, LlmWriter
from slmfit.generating.marked import Marked, write_marks
from slmfit.generating.templates import TemplateWriter
from slmfit.llm import Limits, Server
from slmfit.records import Span
from slmfit.testing import Said, Script, scripted

EMAILS = read_recipe("emails")
ORDER = re.compile(r"^\d+\. intent (\w+), with(?:out entities| ([A-Z and]+?) and no other)", re.MULTILINE)
# how one example is spoilt -> the reason for which it has to be rejected
SPOILS = {
    "cut": "misplaced mark",
    "comma": "misplaced mark",
    "open": "broken mark",
    "nested": "broken mark",
    "place": "unknown entity",
    "praise": "unknown label",
    "long": "too long",
    "short": "too short",
    "again": "unmarked entity",
    "blank": "broken text",
    "repeat": "duplicate",
    "near": "near duplicate",
    "copy": "copied row",
    "number": "broken reply",
}


class Model:
    """Answers each request with good examples, from templates; `spoil` is the share of them that it spoils.

    spoilt: text -> how. whole: how whole replies were spoilt, by request.
    """

    def __init__(self, spoil=0.0, whole=(), test_rows=()):
        self.writer, self.spoil, self.kinds, self.test_rows = TemplateWriter(EMAILS), spoil, whole, test_rows
        self.spoilt, self.whole = {}, Counter()

    def __call__(self, body):
        told = body["messages"][-1]["content"]
        orders = ORDER.findall(told)
        if not orders:
            return None  # what is asked to find out what the server takes
        rng = random.Random(f"{told}/{body.get('seed')}")
        examples = []
        for label, types in orders:
            wanted = frozenset(re.findall("[A-Z]+", types))
            text = self.writer.text(rng, label, wanted)[1]
            examples.append({"text": write_marks(text), "intent": label})
            if rng.random() < self.spoil:
                how = rng.choice(list(SPOILS))
                if (bad := self.spoiled(how, text, label, examples, rng)) is not None:
                    examples[-1] = bad
                    self.spoilt[str(bad.get("text"))] = how
        return self.sent(examples, rng)

    def spoiled(self, how, text, label, examples, rng):
        """One example spoilt in that way; None where this one cannot be."""
        good, words = write_marks(text), text.text.split()
        long_word = next((s for s in text.spans if text.text[s.start : s.start + 3].isalpha()), None)
        if how in ("cut", "comma", "open", "nested", "place", "again") and long_word is None:
            return None
        if how in ("repeat", "near") and (len(examples) < 2 or str(examples[0]["text"]) in self.spoilt):
            return None
        if how == "cut":
            short = Marked(text.text, tuple(Span(s.start, s.end - (s == long_word), s.label) for s in text.spans))
            good = write_marks(short) if text.text[long_word.end - 2 : long_word.end].isalpha() else None
        elif how == "comma":
            good = good.replace("]", ",]", 1)
        elif how == "open":
            good = good.replace("]", "", 1)
        elif how == "nested":
            good = good.replace("[", "[DATE|[", 1).replace("]", "]]", 1)
        elif how == "place":
            good = re.sub(r"\[\w+\|", "[PLACE|", good, count=1)
        elif how == "long":
            good += " and so on" * 50
        elif how == "short":
            good = "No."
        elif how == "again":
            good += f" Yes, {text.text[long_word.start : long_word.end]}, really."
        elif how == "blank":
            good = "\0" + good
        elif how == "repeat":
            good = re.sub(r"([?.!])$", r"\1\1", examples[0]["text"])
            good = None if good == examples[0]["text"] else good
        elif how == "near":
            first = examples[0]["text"].split(" ")
            good = " ".join([*first, "indeed"]) if len(first) >= 10 else None
        elif how == "copy":
            good = rng.choice(self.test_rows)
        elif how == "number":
            return {"text": len(words), "intent": label}
        return good and {"text": good, "intent": "praise" if how == "praise" else label}

    def sent(self, examples, rng):
        """The reply, which may be spoilt as a whole."""
        how = rng.choice(self.kinds) if self.kinds and rng.random() < 0.3 else "well"
        self.whole[how] += 1
        whole = json.dumps({"examples": examples})
        if how == "more":
            more = [{"text": f"One more, number {rng.random()}.", "intent": "cancel"} for _ in range(3)]
            return {"examples": [*examples, *more]}
        if how == "none":
            return {"examples": []}
        if how == "refusal":
            return Said(None, refusal="I would rather not.")
        return Said(whole[: len(whole) // 2]) if how == "broken" else Said(whole)


def writer_for(server, **more):
    return LlmWriter(EMAILS, Server(server.url, "m"), **more)


def asked_for(server):
    """What the model was asked to write, request by request, with the request's seed."""
    told = [(body["messages"][-1]["content"], body.get("seed")) for body in server.requests]
    return [one for one in told if ORDER.search(one[0])]


def rejected(made):
    return [json.loads(line) for line in made.rejected.read_text().splitlines()]


def kept(made):
    return [json.loads(line) for line in made.path.read_text().splitlines()]


@pytest.fixture
def test_rows(tmp_path):
    """Rows that must not be copied: a file, and their texts."""
    rows = [
        TemplateWriter(EMAILS).text(random.Random(f"test {i}"), "cancel", frozenset({"DATE"}))[1].text
        for i in range(20)
    ]
    path = tmp_path / "test.jsonl"
    path.write_text("".join(json.dumps({"text": t, "spans": [], "intent": "cancel"}) + "\n" for t in rows))
    return path, rows


def test_a_model_that_spoils_what_it_writes_gets_none_of_it_in(tmp_path, test_rows):
    path, rows = test_rows
    model = Model(0.4, ("broken", "more", "none", "refusal"), rows)
    with scripted(Script(answer=model)) as server:
        made = generate(EMAILS, n=200, output=tmp_path / "e.jsonl", avoid=[path], writer=writer_for(server))
    assert made.missing == 0 and len(kept(made)) == 200
    reasons = {row["text"]: row["reason"] for row in rejected(made)}
    wrong = {t: (how, reasons.get(t)) for t, how in model.spoilt.items() if reasons.get(t) not in (SPOILS[how], None)}
    assert wrong == {}
    written = {write_marks(Marked(r["text"], tuple(Span(**s) for s in r["spans"]))) for r in kept(made)}
    assert not written & set(model.spoilt) and not {r["text"] for r in kept(made)} & set(rows)
    assert set(made.about["rejected"]) >= {*SPOILS.values(), "broken reply", "not asked for"}
    assert made.about["tried"] == 200 + sum(made.about["rejected"].values())
    quotas = {**made.about["quotas"]["labels"], **made.about["quotas"]["entities"]}
    assert all(abs(q["rows"] - q["asked"]) <= max(1, 0.1 * q["asked"]) for q in quotas.values())


def test_requests_differ_and_say_what_is_wanted(tmp_path):
    with scripted(Script(answer=Model())) as server:
        made = generate(EMAILS, n=60, output=tmp_path / "e.jsonl", writer=writer_for(server))
    asked = asked_for(server)
    assert len({seed for _, seed in asked}) == len(asked)
    assert len({told.partition("\n")[0] for told, _ in asked}) >= 5  # personas, ways of writing
    systems = {
        body["messages"][0]["content"] for body in server.requests if ORDER.search(body["messages"][-1]["content"])
    }
    assert systems == {made.about["system_prompt"]}
    for words in ("DATE: a day", "inquiry: ", "20 to 400 characters", EMAILS.style):
        assert words in made.about["system_prompt"]
    usage = made.about["usage"]
    assert usage["calls"] == len(asked) and usage["input_tokens"] > 0 and usage["usd"] is None
    assert (made.about["writer"], made.about["model"]) == ("llm", "m")
    assert made.about["server"] == {"base_url": server.url, "prices": None}


def test_a_model_that_says_the_same_over_and_over_comes_short(tmp_path):
    five = [{"text": f"Please cancel the call on [DATE|May {day}]", "intent": "cancel"} for day in range(1, 6)]
    model = Model()

    def say(body):
        return {"examples": five} if ORDER.search(body["messages"][-1]["content"]) else model(body)

    with scripted(Script(answer=say)) as server:
        made = generate(EMAILS, n=50, output=tmp_path / "e.jsonl", writer=writer_for(server))
        asked = sum(server.calls.values())
    assert len(kept(made)) == 5 and made.missing == 45
    assert set(made.about["rejected"]) == {"duplicate"}
    assert asked < 30  # it does not go on for ever


def test_the_last_example_may_fail_some_times_before_it_is_given_up(tmp_path):
    model = Model()
    failed = Counter()

    def say(body):
        orders = ORDER.findall(body["messages"][-1]["content"])
        failed["of one"] += len(orders) == 1
        return {"examples": []} if len(orders) == 1 and failed["of one"] <= 5 else model(body)

    with scripted(Script(answer=say)) as server:
        made = generate(EMAILS, n=BATCH + 1, output=tmp_path / "e.jsonl", writer=writer_for(server))
    assert made.missing == 0 and made.about["rejected"]["broken reply"] == 5


def test_a_vendor_is_asked_nothing_without_a_key(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["slmfit"])
    monkeypatch.setattr("slmfit.llm.channel.Channel.post", None)
    server = Server.from_environment("https://api.openai.com/v1", "m")
    with pytest.raises(MissingPart, match=r"api\.openai\.com wants a key"):
        generate(EMAILS, n=5, output="e.jsonl", writer=LlmWriter(EMAILS, server))
    assert list(tmp_path.iterdir()) == []


def test_a_budget_keeps_what_there_is_and_the_same_command_goes_on(tmp_path):
    def write(server, limits=None):
        writer = writer_for(server, limits=limits, ledger=tmp_path / "answers.jsonl", seed=3)
        return generate(EMAILS, n=100, seed=3, output=tmp_path / "e.jsonl", writer=writer)

    with scripted(Script(answer=Model())) as server:
        with pytest.raises(BudgetReached):
            write(server, Limits(tokens=15_000))
        part = (tmp_path / "e.jsonl").read_text().splitlines()
        assert 0 < len(part) < 100 and server.billed_tokens <= 15_000
        made = write(server)
    assert made.missing == 0 and [json.dumps(row, ensure_ascii=False) for row in kept(made)][: len(part)] == part
    assert not list(tmp_path.glob(".*partial"))


def test_what_was_answered_is_not_asked_again_after_an_error(tmp_path, monkeypatch):
    def write(server):
        writer = writer_for(server, ledger=tmp_path / "answers.jsonl")
        return generate(EMAILS, n=60, output=tmp_path / "e.jsonl", writer=writer)

    with scripted(Script(answer=Model())) as server:
        with monkeypatch.context() as patch:
            patch.setattr("slmfit.events.Journal.add", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                write(server)
        asked = asked_for(server)
        made = write(server)
        again = asked_for(server)[len(asked) :]
    assert made.missing == 0 and len(asked) == 60 // BATCH and not set(asked) & set(again)


def test_what_another_server_wrote_is_not_taken_for_its_own(tmp_path):
    with scripted(Script(answer=Model())) as server, scripted(Script(answer=Model())) as other:
        generate(EMAILS, n=5, output=tmp_path / "e.jsonl", writer=writer_for(server))
        assert generate(EMAILS, n=5, output=tmp_path / "e.jsonl", writer=writer_for(server)).reused
        with pytest.raises(UsageError, match="is there already"):
            generate(EMAILS, n=5, output=tmp_path / "e.jsonl", writer=writer_for(other))


def test_no_server_is_said_and_leaves_nothing(tmp_path):
    with pytest.raises(MissingPart):
        generate(
            EMAILS, n=5, output=tmp_path / "e.jsonl", writer=LlmWriter(EMAILS, Server("http://127.0.0.1:9/v1", "m"))
        )
    assert list(tmp_path.iterdir()) == []


def run(*words):
    sys.argv[1:] = words
    with pytest.raises(SystemExit) as exit:
        cli.main()
    return exit.value.code


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["slmfit"])
    with scripted(Script(answer=Model())) as server:
        asked = ("generate", "emails", "--writer", "llm", "--model", "m", "--base-url", server.url, "-n", "20")
        assert run(*asked, "--dry-run") == 0
        said = capsys.readouterr().out
        assert "2 requests to m at 127.0.0.1" in said and "this machine's time" in said and not server.requests
        assert run(*asked, "--json") == 0
        assert (
            json.loads(capsys.readouterr().out)["rows"] == 20
            and len(Path("emails.jsonl").read_text().splitlines()) == 20
        )
        calls = len(server.requests)
        assert run(*asked) == 0 and len(server.requests) == calls
        said = capsys.readouterr().out
        assert "20 of 20 examples, there already" in said and "2 requests to m: tokens in 1," in said
        assert "price: this machine's time" in said
        assert run(*asked, "--output", "more.jsonl", "--seed", "4", "--max-tokens", "4000") == 5
    assert not Path("more.jsonl").exists()
    assert run("generate", "emails", "--writer", "llm") == 2
    assert "--model" in capsys.readouterr().err
    for given in (("--model", "m"), ("--base-url", "http://h/v1"), ("--max-tokens", "0")):
        assert run("generate", "emails", "--output", "t.jsonl", *given) == 2
        assert f"{given[0]} is for a large model" in capsys.readouterr().err
    assert not Path("t.jsonl").exists()
