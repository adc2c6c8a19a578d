"""slmfit.testing as a user's tests have it: its example, every task, faults of one's own, scripts that are wrong."""

import json
import re
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request

import pytest

import slmfit
from conftest import make_dataset
from slmfit import methods, testing
from slmfit.errors import UsageError
from slmfit.llm import Ask, Client, Patience, Prices, Server
from slmfit.methods.base import Context
from slmfit.testing import Said, row_in, schema_of, scripted, status

ASK = Ask("1", ({"role": "user", "content": "[row 7] How many legs has a spider? Say hello, and count."},))
QUICK = Patience(seconds=30.0, attempts=3, base_seconds=0.01, wait_seconds=0.05)


def asked(server, *asks, **more):
    return list(Client(Server(server.url, server.model, **more), patience=QUICK).answers(asks or [ASK]))


def test_the_example_of_its_docstring(tmp_path):
    """As it stands there; what it says of a line stands behind the line."""
    example = textwrap.dedent(testing.__doc__.split("\n\n", 1)[1].split("\n\nNeeds", 1)[0])
    example = re.sub(r"(?m)^( +)(\S.*?) +# (.*)$", r"\1said.append((\2, '''\3'''))", example)
    rows = [(f"invoice {n} is wrong", "billing") for n in range(20)]
    rows += [(f"parcel {n} is late", "delivery") for n in range(20)]
    (tmp_path / "rows.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    names = {"data": slmfit.load_data(tmp_path / "rows.csv"), "folder": tmp_path / "out", "said": []}
    exec(compile(example, "testing", "exec"), {**vars(testing), "slmfit": slmfit, **names})
    (target, its), (calls, count), (usd, _) = names["said"]
    assert (f'"{target}"', str(calls)) == (its, count) and usd > 0


@pytest.mark.parametrize("takes", [("json_schema",), ("object_schema",), ("json_object",), ("logprobs",), ()])
@pytest.mark.parametrize("task", methods.TABLE["llm"].tasks)
def test_without_an_answer_it_says_what_any_task_allows(task, takes):
    data = make_dataset(task)
    with scripted(takes=takes) as server:
        method = methods.create("llm", {"base_url": server.url}, server.model)
        method.fit(data.task, data.train, data.validation, Context())
        answers = method.predict([e.input for e in data.test])
    assert {answer.outcome for answer in answers} == {"ok"}


@pytest.mark.parametrize("takes", [("json_schema",), ("json_object",), ()])
def test_an_object_is_an_answer(takes):
    data = make_dataset("token-classification")
    found = {"intent": "cancel", "entities": [{"text": "Monday", "label": "DAY"}]}
    with scripted(answer=lambda body: found if "Monday" in row_in(body) else None, takes=takes) as server:
        method = methods.create("llm", {"base_url": server.url}, server.model)
        method.fit(data.task, data.train, data.validation, Context())
        monday, friday = method.predict(["fly to Rome on Monday", "fly to Rome on Friday"])
        assert "entities" in schema_of(server.requests[-1])["properties"]
    assert [(span.start, span.end, span.label) for span in monday.target.spans] == [(15, 21, "DAY")]
    assert (monday.target.intent, friday.target.spans) == ("cancel", ())


def test_a_fault_of_ones_own_and_an_end_of_it():
    def overloaded(call):
        call.connection.reply(503, b"{}", ["retry-after: 0.01"])

    with scripted(faults=1.0, kinds=(overloaded,), rows={"7"}, prices=(2.0, 8.0)) as server:
        (failed,) = asked(server)
        assert (failed.outcome, failed.attempts, server.calls["7"]) == ("error", 3, 3)
        before, server.script.faults = server.billed, 0.0
        (answer,) = asked(server, prices=Prices(2.0, 8.0, "2026-11-01", "test"))
        assert answer.outcome == "ok"
        assert answer.usage.usd == pytest.approx(server.billed - before)
        assert (server.calls["7"], server.kinds["overloaded"]) == (4, 3)


def test_a_key_that_is_refused():
    with scripted(faults=1.0, kinds=(status(401, message="Incorrect API key"),)) as server:
        with pytest.raises(slmfit.MissingPart, match=r"refuses the key.*Incorrect API key"):
            asked(server, key="sk-test")
        assert sum(server.calls.values()) == 1


def test_a_model_that_says_more_than_a_label():
    for said, outcome in ((Said("Eight."), "ok"), (Said(None, refusal="No."), "refused")):
        with scripted(answer=lambda body, said=said: said) as server:
            (answer,) = asked(server)
        assert answer.outcome == outcome


def test_what_a_script_raises_ends_the_block():
    with pytest.raises(ZeroDivisionError), scripted(answer=lambda body: 1 / 0) as server:
        with pytest.raises(UsageError, match="script of this server raised ZeroDivisionError"):
            asked(server, *[Ask(str(n), ASK.messages) for n in range(50)])
        assert sum(server.calls.values()) < 20


def test_what_the_block_raises_comes_first():
    with pytest.raises(UsageError), scripted(answer=lambda body: 1 / 0) as server:
        asked(server, *[Ask(str(n), ASK.messages) for n in range(50)])


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"messages": []}', b'{"messages": [1]}'])
def test_what_is_no_request_is_refused(data):
    with scripted() as server:
        with pytest.raises(urllib.error.HTTPError, match="400") as caught:
            urllib.request.urlopen(f"{server.url}/chat/completions", data)
        caught.value.close()
        assert not server.calls


def test_no_two_servers_share_a_model_s_name():
    with scripted() as one, scripted() as other:
        assert one.model != other.model


def test_in_a_process_of_its_own():
    command = [sys.executable, "-m", "slmfit.testing", "--faults", "0.5", "--seed", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            list(Client(Server(url, "m"), patience=QUICK).answers([ASK]))
            with urllib.request.urlopen(f"{url.removesuffix('/v1')}/stats") as reply:
                assert json.loads(reply.read())["rows"] == 1
        finally:
            process.kill()


def test_it_is_light():
    code = "import slmfit.testing, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    ours = {name for name in loaded if name.startswith("slmfit") and not name.startswith("slmfit.testing")}
    assert ours == {"slmfit"} and not {"numpy", "httpcore2", "polars", "rich"} & set(loaded)
