"""Damaged files brought to the page as a browser brings them, and looked at in its views: it always has an answer.

guest = Guest(Doors(tmp_path / "doors"), serving, tmp_path / "work")
guest.visit(4711)                   # raises AssertionError for a reply that is no answer of ours
"""

import base64
import os
import secrets
import shutil
from pathlib import Path
from urllib.parse import quote

from asking_over_http import ask
from damaging import harmed
from slmfit.ui.door import page_token

PIECE = 700  # bytes of a file in one request: most come in several
OURS = {200, 400}  # an answer, or a refusal that says why


class Guest:
    """doors: of tests/fuzzing.py, whose cases are brought. work: the folder that the page works in."""

    def __init__(self, doors, serving, work, token):
        self.doors, self.url, self.work = doors, serving.url, Path(work)
        self.keys = {"authorization": f"Bearer {token}", "x_slmfit_page": page_token(token)}

    def visit(self, number, door=None):
        """Bring the case of that number, look at it, and take it away again. What was answered, by route."""
        case = self.doors.case(number, door)
        self.answers = []
        if case.door.startswith("comparison"):
            self._compared(case, number)
        else:
            for name, content in case.files.items():
                self._file(os.fsdecode(name), content, number)
        wrong = [one for one in self.answers if one[1] not in OURS]
        assert not wrong, (case.door, case.how, wrong)
        return self.answers

    def _file(self, name, content, number):
        key, file = secrets.token_hex(16), None
        for at in range(0, max(1, len(content)), max(PIECE, len(content) // 4)):
            piece = content[at : at + max(PIECE, len(content) // 4)]
            last = at + len(piece) >= len(content)
            data = base64.b64encode(piece).decode()
            reply = self._ask("/api/files", {"key": key, "name": name, "at": at, "data": data, "last": last})
            if reply.status != 200:
                return
            file = reply.json["file"]
        named = quote(file)
        self._ask(f"/api/rows?file={named}&start=0&count=50")
        self._ask(f"/api/rows?file={named}&start=7&count=50&search=a")
        self._ask(f"/files?name={named}")
        self._ask("/api/workspace")
        self._explored(file, content, number)
        (self.work / file).unlink(missing_ok=True)  # the same file may have been another guest's

    def _explored(self, file, content, number):
        """What a job left behind, damaged too: the views of a job are drawn of its files."""
        import random

        rng, id = random.Random(number), f"20260101-000000-explore-{number & 0xFFFFFF:06x}"
        folder = self.work / ".slmfit" / "jobs" / id
        folder.mkdir(parents=True)
        whole = {
            "job.json": b'{"words": ["explore", "x.csv", "--json"], "about": {"file": "x.csv"}, "made": "2026"}',
            "exit.json": b'{"code": 0, "ended": "2026-01-01T00:00:00Z"}',
            "events.jsonl": b'{"event": "progress", "stage": "reading", "rows": 1, "of_rows": 2}\n' * 3,
            "out.txt": b'{"dataset": {"notes": []}, "rows": {}, "classes": [], "audit": {"findings": []}}',
            "err.txt": content[:3000],
        }
        whole[name], _ = harmed(whole[name := rng.choice(sorted(whole))], rng, self.doors.poison)
        for name, data in whole.items():
            (folder / name).write_bytes(data)
        for path in ("", "/result", "/said"):
            self._ask(f"/api/jobs/{id}{path}")
        self._ask(f"/explored?job={id}")
        self._ask("/api/workspace")
        shutil.rmtree(folder)

    def _compared(self, case, number):
        folder = self.work / f"sent-{number}"
        for name, content in case.files.items():
            path = folder / os.fsdecode(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        run = f"sent-{number}/runs/majority"
        for path in ("/api/workspace", f"/api/comparison?name=sent-{number}", f"/report?name=sent-{number}"):
            self._ask(path)
        for path in (f"/api/run?name={run}", f"/api/settings?run={run}", f"/api/past?run={run}"):
            self._ask(path)
        shutil.rmtree(folder)

    def _ask(self, path, body=None):
        reply = ask(self.url + path, body, **self.keys)
        self.answers.append((path.partition("?")[0], reply.status))
        return reply
