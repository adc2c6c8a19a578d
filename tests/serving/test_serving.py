"""`slmfit serve`: three small runs behind a real server, asked as clients ask."""

import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace

import pytest

import slmfit
from asking_over_http import ask
from conftest import make_dataset
from patience import wait_until
from slmfit.errors import SlmfitError, UsageError
from slmfit.text.cutting import words_of

server = pytest.importorskip("slmfit.serving.server", reason="pip install 'slmfit[serve]'")

TEXTS = ["invoice charged twice", "parcel courier late", "password reset code", "zebra ümlaut", ""]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Name -> folder."""
    place = tmp_path_factory.mktemp("serving")
    methods = {"text-classification": "linear", "token-classification": "majority", "multiple-choice": "majority"}
    names = {"text-classification": "tickets", "token-classification": "trips", "multiple-choice": "sums"}
    made = {}
    for task, method in methods.items():
        settings = {"linear": {"features": "words", "C": 1.0, "power": 1.0}} if method == "linear" else {}
        run = slmfit.train(make_dataset(task), method, settings=settings, out=place / names[task])
        made[names[task]] = str(run.folder)
    return made


@pytest.fixture(scope="module")
def served(runs):
    with server.running(runs) as serving:
        yield serving


def classify(served, input, **more):
    return ask(f"{served.url}/v1/classify", {"input": input, **more})


def words_in_validation():
    return sum(len(words_of(e.input, shortest=1)) for e in make_dataset().validation)


def test_the_shape_and_the_answers(served, runs):
    reply = classify(served, TEXTS, model="tickets")
    run = slmfit.load(runs["tickets"])
    expected = run.predict(TEXTS)
    body = reply.json
    assert (reply.status, body["object"], body["model"]) == (200, "list", "tickets")
    assert [item["index"] for item in body["data"]] == list(range(len(TEXTS)))
    assert [item["label"] for item in body["data"]] == [answer.target for answer in expected]
    for item, answer in zip(body["data"], expected, strict=True):
        assert item["num_classes"] == len(item["probs"]) == 3
        assert item["probs"] == pytest.approx([answer.probabilities[label] for label in run.task.labels], abs=1e-5)


def test_one_input_is_a_list_of_one(served):
    assert len(classify(served, "invoice").json["data"]) == 1
    assert classify(served, ["invoice"]).json == classify(served, "invoice").json


def test_top_and_threshold(served):
    item = classify(served, "invoice charged", top_k=2).json["data"][0]
    assert item["top"][0]["label"] == item["label"] and len(item["top"]) == 2
    assert item["top"][0]["prob"] == max(item["probs"])
    item = classify(served, "invoice charged", threshold=1.0).json["data"][0]
    assert (item["label"], item["outcome"]) == (None, "abstained")


def test_entities_and_questions(served):
    found = ask(f"{served.url}/v1/entities", {"input": ["fly to Rome"]}).json["data"][0]
    assert (found["entities"], found["intent"]) == ([], "book")
    question = {"question": "What is 1 + 1?", "options": ["2", "5"]}
    found = ask(f"{served.url}/v1/choose", {"input": [question, {"question": "1 + 1?"}]}).json["data"]
    assert (found[0]["label"], found[0]["text"], found[0]["num_classes"]) == ("B", "5", 2)
    assert "no options" in found[1]["error"]["message"]


def test_an_input_that_is_none_costs_the_others_nothing(served):
    items = classify(served, ["invoice", 3, "half \ud83d", None, "parcel"]).json["data"]
    assert [item.get("label") for item in items] == ["billing", None, None, None, "delivery"]
    assert "a text is needed, not int" in items[1]["error"]["message"]
    assert "half a character" in items[2]["error"]["message"]
    reply = classify(served, 3)
    assert reply.status == 400 and "a text is needed" in reply.error


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "no JSON"),
        (b"[]", 400, "must be an object"),
        (b"\xff\xfe", 400, "no JSON"),
        (b'{"input": NaN}', 400, "no JSON"),
        (b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "nested too deep"),
        (b'{"input": ' + b"[" * 500 + b"]" * 500 + b"}", 400, "nested too deep"),
        ({}, 400, "'input' is missing"),
        ({"input": []}, 400, "'input' is empty"),
        ({"input": ["a"] * 257}, 413, "256 are taken at once"),
        ({"input": "a", "inputs": "a"}, 400, "no field 'inputs'"),
        ({"input": "a", "top_k": 0}, 400, "top_k"),
        ({"input": "a", "top_k": True}, 400, "top_k"),
        ({"input": "a", "threshold": 2}, 400, "threshold"),
        ({"input": "a", "model": "nobody"}, 404, "there are: tickets"),
        ({"input": "a", "model": "trips"}, 400, "/v1/entities"),
        ({"input": "a", "model": 7}, 404, "no model 7"),
    ],
)
def test_what_is_no_request(served, body, status, said):
    reply = ask(f"{served.url}/v1/classify", body)
    assert reply.status == status and said in reply.error and reply.json["error"]["code"] == status


def test_many_at_once_get_their_own_answers(served, runs):
    texts = [f"{word} {n}" for n in range(20) for word in ("invoice", "parcel", "password", "zebra")]
    expected = [answer.target for answer in slmfit.load(runs["tickets"]).predict(texts)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda text: classify(served, text).json["data"][0]["label"], texts))
    assert found == expected


def test_models_health_ready_docs(served, runs):
    models = {model["id"]: model for model in ask(f"{served.url}/v1/models").json["data"]}
    assert models.keys() == runs.keys()
    assert models["tickets"]["labels"] == ["account", "billing", "delivery"]
    assert models["trips"]["intents"] == ["book", "cancel"]
    assert ask(f"{served.url}/health").json == {"status": "ok"}
    assert ask(f"{served.url}/ready").json["status"] == "ready"
    page = ask(f"{served.url}/docs")
    assert b"tickets" in page.body and not re.search(rb"(src|href)=.?(https?:)?//|<script", page.body)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert ask(f"{served.url}/v1/classify").status == 405
    assert ask(f"{served.url}/v1/nothing").status == 404


def test_the_document_is_what_the_routes_do(served):
    document = ask(f"{served.url}/openapi.json").json
    told = [route for route in served.service.pages.routes if route.include_in_schema]
    routes = {(route.path, method) for route in told for method in route.methods - {"HEAD"}}
    assert {(path, m.upper()) for path, methods in document["paths"].items() for m in methods} == routes
    known = document["components"]["schemas"]

    def holds(value, schema):
        schema = known[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
        if isinstance(value, dict):
            assert set(schema.get("required", ())) <= value.keys() <= schema["properties"].keys()
            for name, inner in value.items():
                holds(inner, schema["properties"][name])
        elif isinstance(value, list):
            for inner in value:
                holds(inner, schema["items"])

    for path, about in document["paths"].items():
        if "post" in about and path != "/v1/chat/completions":
            asked = about["post"]["requestBody"]["content"]["application/json"]["example"]
            reply = ask(served.url + path, asked | {"top_k": 2})
            schema = about["post"]["responses"]["200"]["content"]["application/json"]["schema"]
            holds(reply.json, schema)
            holds(ask(served.url + path, {}).json, known["Error"])
    holds(ask(f"{served.url}/v1/models").json, known["Models"])


def test_what_drift_needs_is_counted_and_no_text(served, runs):
    def metric(line):
        text = ask(f"{served.url}/metrics").body.decode()
        (value,) = re.findall(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE) or ["0"]
        return float(value), text

    labels = 'slmfit_answers_total{model="tickets",label="billing"}'
    unseen, words = 'slmfit_unseen_words_total{model="tickets"}', 'slmfit_words_total{model="tickets"}'
    before = [metric(line)[0] for line in (labels, unseen, words)]
    classify(served, ["invoice qwertzuiop charged"])
    after = [metric(line)[0] for line in (labels, unseen, words)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 3]
    text = metric(labels)[1]
    assert "qwertzuiop" not in text
    record = slmfit.load(runs["tickets"]).record
    counted = re.findall(r'^slmfit_validation_answers\{model="tickets",label="\w+"\} (\d+)$', text, re.MULTILINE)
    assert sum(map(int, counted)) == record.split["validation"].rows
    seen = record.details["validation"]["unseen_words"]
    assert metric('slmfit_validation_words{model="tickets"}')[0] == seen["words"] == words_in_validation()
    assert metric('slmfit_validation_unseen_words{model="tickets"}')[0] == seen["unseen"] == 0
    assert 'slmfit_confidence_bucket{model="tickets",le="+Inf"}' in text
    for name in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE):  # all of a metric stands together
        lines = [n for n, line in enumerate(text.splitlines()) if re.match(rf"{name}(_bucket|_sum|_count)?[{{ ]", line)]
        assert lines == list(range(lines[0], lines[0] + len(lines))), name


def test_a_worker_that_dies_is_started_again_and_nobody_notices(served, runs):
    line = served.service.lines["tickets"]
    texts = [f"invoice {n}" for n in range(40)]
    expected = [answer.target for answer in slmfit.load(runs["tickets"]).predict(texts)]
    flew = line._flying
    os.kill(line.process.number, signal.SIGSTOP)
    with ThreadPoolExecutor(4) as pool:
        try:
            replies = pool.map(lambda text: classify(served, text), texts)
            wait_until(lambda: line._flying is not flew)
        finally:
            os.kill(line.process.number, signal.SIGKILL)  # with what it was to answer
        replies = list(replies)
    assert {reply.status for reply in replies} == {200}
    assert [reply.json["data"][0]["label"] for reply in replies] == expected
    assert line.restarts >= 1


def test_more_than_can_wait_is_refused_at_once(served, monkeypatch):
    line, many = served.service.lines["tickets"], 90
    before = line.refused
    # However many it answers in a second.
    monkeypatch.setattr(line, "limits", replace(line.limits, most_waiting=line.limits.waiting))
    os.kill(line.process.number, signal.SIGSTOP)  # SIGSTOP: it answers nobody
    with ThreadPoolExecutor(many) as pool:
        try:
            waiting = [pool.submit(classify, served, f"invoice {n}") for n in range(many)]
            refused = [next(as_completed(waiting)).result()]
            wait_until(lambda: len(line.waiting) + len(line._flying) + line.refused - before >= many)
        finally:
            os.kill(line.process.number, signal.SIGCONT)
        statuses = [future.result().status for future in waiting]
    assert (refused[0].status, refused[0].headers["retry-after"]) == (429, "1")
    assert set(statuses) == {200, 429} and statuses.count(200) >= served.service.limits.waiting


def test_names(runs):
    folder = runs["tickets"]
    assert server.named([folder]) == {"linear": folder}
    assert server.named([f"a={folder}", folder]) == {"a": folder, "linear": folder}
    with pytest.raises(UsageError, match="NAME=RUN"):
        server.named([folder, folder])


def test_a_run_that_cannot_be_loaded(runs, tmp_path):
    with pytest.raises(SlmfitError, match="neither a run"), server.running({"x": str(tmp_path)}):
        pass


def test_a_port_that_is_taken(served, runs):
    port = int(served.url.rpartition(":")[2])
    with pytest.raises(UsageError, match="cannot listen there"):
        server.made(runs, port=port)


def test_an_address_of_others_needs_a_token(runs):
    with pytest.raises(UsageError, match="a token is needed"):
        server.made(runs, host="0.0.0.0")
    with pytest.raises(UsageError, match="a token is needed"):
        slmfit.serve(next(iter(runs.values())), host="0.0.0.0", port=0)


def test_the_verb_in_a_process_of_its_own_ends_in_order(runs):
    command = [sys.executable, "-m", "slmfit", "serve", f"tickets={runs['tickets']}", "--port", "0"]
    environment = os.environ | {"SLMFIT_TOKEN": "sesame"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            url = re.search(r"POST (\S+)/v1/classify", process.stdout.readline())[1]
            assert ask(f"{url}/v1/models").status == 401
            reply = ask(f"{url}/v1/classify", {"input": "invoice"}, authorization="Bearer sesame")
            assert reply.json["data"][0]["label"] == "billing"
            process.send_signal(signal.SIGTERM)
            assert process.wait(120) == 0
        finally:
            process.kill()


def test_json_of_the_worker_holds_no_text(served):
    """What the worker says to the server beside the answers are counts."""
    counts = json.dumps(served.service.lines["tickets"].counts.plain())
    assert "invoice" not in counts and "password" not in counts
