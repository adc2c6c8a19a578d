"""What goes through `slmfit ui` in a browser: a mouse or keys alone; and the commands that the page shows, typed too.

way, hand = Way(page, serving.url, work, again), Keyboard(page)
hand.press("button:text-is('Stop')")
way.printed("compare")              # the command that the page shows, run in the folder `again`
"""

from __future__ import annotations

import filecmp
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

OFFERED = ".drop input"


class Hand(Protocol):
    """What a way is gone with."""

    def __init__(self, page: Any) -> None: ...
    def press(self, selector: str) -> None: ...
    def write(self, selector: str, words: str) -> None: ...
    def choose(self, selector: str, value: str) -> None: ...
    def bring(self, path: Path) -> None: ...
    def said(self) -> str: ...


class Mouse:
    """A hand that points and clicks."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def press(self, selector: str) -> None:
        self.page.click(selector)

    def write(self, selector: str, words: str) -> None:
        self.page.click(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(words)

    def choose(self, selector: str, value: str) -> None:
        self.page.select_option(selector, value)

    def bring(self, path: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.page.click(OFFERED)
        chooser.value.set_files(path)

    def said(self) -> str:
        return "by mouse"


class Keyboard:
    """A hand that has keys alone: Tab until it is there, then Enter or Space."""

    def __init__(self, page: Any) -> None:
        self.page, self.keys = page, 0

    def key(self, name: str) -> None:
        self.page.keyboard.press(name)
        self.keys += 1

    def reach(self, selector: str) -> None:
        wanted = self.page.wait_for_selector(selector)
        for _ in range(300):
            if wanted.evaluate("(one) => one === document.activeElement"):
                box = "const box = one.getBoundingClientRect()"
                seen = wanted.evaluate(f"(one) => {{ {box}; return box.top < innerHeight && box.bottom > 0; }}")
                assert seen, f"{selector} has the focus, and is out of sight"
                return
            self.key("Tab")
        raise SystemExit(f"no key leads to {selector}")

    def press(self, selector: str) -> None:
        self.reach(selector)
        self.key("Space" if self.page.locator(selector).first.evaluate("(one) => one.type === 'checkbox'") else "Enter")

    def write(self, selector: str, words: str) -> None:
        self.reach(selector)
        self.key("Control+a")
        self.page.keyboard.insert_text(words)

    def choose(self, selector: str, value: str) -> None:
        self.reach(selector)
        for _ in range(50):
            if self.page.input_value(selector) == value:
                return
            self.key("ArrowDown")
        raise SystemExit(f"{selector} has no {value}")

    def bring(self, path: Path) -> None:
        self.reach(OFFERED)
        with self.page.expect_file_chooser() as chooser:
            self.key("Enter")
        chooser.value.set_files(path)

    def said(self) -> str:
        return f"by keyboard alone, {self.keys} keys beside the texts"


class Way:
    """A page on a folder, and the second folder in which the printed commands are run again."""

    def __init__(self, page: Any, url: str, work: Path, again: Path) -> None:
        self.page, self.url, self.work, self.again = page, url, work, again
        self.said: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(1_500_000)  # where others use the machine, too
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def printed(self, verb: str) -> str:
        """The command with that verb that the page shows, run in the second folder."""
        command = self.page.locator(f".typed code:text-matches('^slmfit {verb} ')").last.text_content()
        done = self.run(shlex.split(command)[1:])
        assert done.returncode == 0, done.stderr
        return str(command)

    def run(self, words: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """slmfit with these words; in the second folder where no other is named."""
        command = [sys.executable, "-m", "slmfit", *words]
        return subprocess.run(command, cwd=cwd or self.again, capture_output=True, text=True)

    def same(self, *names: str) -> None:
        """These files are byte for byte the same in both folders."""
        for name in names:
            assert filecmp.cmp(self.work / name, self.again / name, shallow=False), name
        print(f"  equal, byte for byte: {', '.join(names)}")

    def job(self, verb: str) -> Path:
        return sorted((self.work / ".slmfit" / "jobs").glob(f"*-{verb}-*"))[-1]

    def download(self, hand: Any, selector: str, folder: Path) -> Path:
        with self.page.expect_download() as given:
            hand.press(selector)
        path = folder / given.value.suggested_filename
        given.value.save_as(path)
        return path

    def clean(self) -> None:
        others = [url for url in self.asked if not url.startswith((self.url, "blob:"))]
        assert not others and not self.said, (others, self.said)
        print("  0 outside requests, 0 console messages")
