"""A person checks some test rows of a comparison, blind, and what that says of its labels and of every method.

    given = of(Path("left/tickets"))             # a comparison whose labels are a teacher's answers, or anybody's
    with answers_of(given, "me") as mine:
        mine.answer(given.asked(150)[0].id, "billing")
    judged(given, rows=150).sentence

    given.py    what is checked: rows, the answers to them, and the order in which they are asked, drawn once
    person.py   one person's answers, on disk at once
    judging.py  all persons' answers to the verdict

In the comparison's folder `checked/` holds drawn.json, a file of answers a person, and the verdict.
"""

from slmfit.checking.given import Given, Row, of
from slmfit.checking.judging import Judged, judged, last_said
from slmfit.checking.person import Person, answers_of

__all__ = ["Given", "Judged", "Person", "Row", "answers_of", "judged", "last_said", "of"]
