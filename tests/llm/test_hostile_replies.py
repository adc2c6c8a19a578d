"""Whatever a model writes, its answer has a type, is one of the labels or none, and takes no time to read."""

import time

import pytest
from asking import LABELS, ask, client, labelled
from hostile_replies import REPLIES

from conftest import make_dataset
from slmfit.llm import Ask
from slmfit.records import OUTCOMES, Entities, Question
from slmfit.tasks.forms.entities import FORMS
from slmfit.testing import Said, scripted

TAKES = {"schema": {"json_schema"}, "object": {"json_object"}, "words": ()}


def read_by_every_door(content, ledger=None):
    """As the client binds answers, and as each task's forms read what was written."""
    for takes in TAKES.values():
        with scripted(answer=lambda body: Said(content), takes=takes) as server:
            asks = (ask(1), ask(2, labels=("1", "2"), schema=labelled(("1", "2"))), Ask("3", ask(3).messages))
            for answer in client(server, ledger).answers(asks):
                assert answer.outcome in OUTCOMES
                assert answer.id == "3" or answer.value is None or answer.value["label"] in (*LABELS, "1", "2")
    for name in ("text-classification", "token-classification", "multiple-choice"):
        data = make_dataset(name, sizes=(20, 5, 5))
        given = data.test[0].input
        for form in [None, *FORMS] if data.task.marks else [None]:
            found = data.task.form(form).read(content, given) if form else data.task.form().read(content, given)
            assert found.outcome in OUTCOMES and isinstance(found.target, str | Entities | None)
            if isinstance(found.target, str):
                assert found.target in (given.options if isinstance(given, Question) else data.task.labels)


@pytest.mark.parametrize("name", REPLIES)
def test_a_hostile_reply_is_an_answer_or_none(name):
    begin = time.process_time()
    read_by_every_door(REPLIES[name])
    assert time.process_time() - begin < 5
