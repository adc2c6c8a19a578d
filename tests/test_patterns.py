"""No pattern takes more than its share of time on any text: each is run on 100 kB of what is worst for it.

The patterns are found in the source: every call of `re`, its pattern evaluated where it stands. What is worst is made
from the pattern itself: whatever leads to one of its repeats, and then every character that it names, and every pair of
them, again and again.
"""

import ast
import contextlib
import importlib
import itertools
import re
import signal
import time
from pathlib import Path
from re import _constants as kinds
from re import _parser as parser

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "slmfit"
SIZE, SMALL = 100_000, 2_000
SECONDS = 1.0  # of processor time, for 100 kB and whatever is found in them
FUNCTIONS = {"compile", "match", "fullmatch", "search", "sub", "subn", "findall", "finditer", "split"}
OURS = {("slmfit.records", r"'\\[.*\\]'")}  # read nothing but our own source
HARD = 3  # texts of a pattern that are run at full size: those that took longest when they were small


def made():
    """What is put together of names that only a running function has: (module, how it is written) -> such patterns."""
    from slmfit.tasks import cuts, splitting
    from slmfit.text import cutting

    string = r'"(?:[^"\\]|\\.)*"'
    return {
        ("slmfit.text.places", "below"): [re.escape("/data/") + r"[/\\](?:[^\s/\\'\"`,;:]+[/\\])*"],
        ("slmfit.tasks.cuts", "pattern"): [cuts._pattern().pattern],
        ("slmfit.tasks.splitting", "pattern"): [p.pattern for p in splitting._patterns().values()],
        ("slmfit.text.cutting", "_chunk(cut, shortest, f'\\\\w{marks}', _python)"): [
            cutting.python_chunk(cut, n).pattern for cut in (cutting.FIRST, cutting.NEWEST) for n in (1, 2)
        ],
        ("slmfit.text.cutting", "f'://|[{silent}]|{_EMOTICON}|{_UPSIDE_DOWN}|(?P<word>{word})'"): [
            cutting.python_signs().pattern
        ],
        ("slmfit.text.cutting", "f'([{unspaced}][{unspaced}{mark}]*)|([{spaced}]+)'"): [
            cutting.python_scripts().pattern
        ],
        ("slmfit.text.cutting", "f'.[{_python(_marks())}]*'"): [cutting.python_unit().pattern],
        ("slmfit.runs.tables", "f'[{delimiter}\"\\r\\n]|^\\\\s|\\\\s$'"): [rf'[{one}"\r\n]|^\s|\s$' for one in ",\t"],
        ("slmfit.generating.checks", "re.escape(words)"): ["aaa", r"\ \ "],
        ("slmfit.tasks.forms.base", "f'<[^\\\\w<]*{self.kind}'"): [r"<[^\w<]*text"],
        ("slmfit.tasks.forms.entities", """f'\\\\{{"text": {string}, "label": {string}\\\\}}'"""): [
            rf'\{{"text": {string}, "label": {string}\}}'
        ],
        ("slmfit.leaving.labels", r"""f'(?<!\\w){re.escape(words)}(?!\\w)'"""): [r"(?<!\w)a\ a(?!\w)"],
    }


def calls():
    """(module, line, the pattern as it is written, flags as written, what is done with it) for every call of `re`."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            of = node.func.value
            if isinstance(of, ast.Name) and of.id == "re" and node.func.attr in FUNCTIONS:
                names = [ast.unparse(n) for n in (*node.args[1:], *(k.value for k in node.keywords))]
                flags = [name for name in names if re.fullmatch(r"re\.[A-Z]+( \| re\.[A-Z]+)*", name)]
                written, done = ast.unparse(node.args[0]), {node.func.attr}
                if done == {"compile"}:
                    name = re.match(r"\s*(\w+) = re", source.splitlines()[node.lineno - 1])
                    done = set(re.findall(rf"\b{name[1]}\.({'|'.join(FUNCTIONS)})\(", source)) if name else set()
                if (module, written) not in OURS:
                    yield module, node.lineno, written, "|".join(flags) or "0", done


def patterns():
    """(where it stands, the compiled pattern, whether it is only ever matched at the start of a text)."""
    known = made()
    for module, line, written, flags, done in calls():
        if (module, written) in known:
            found = known[module, written]
        else:
            try:
                found = [eval(written, {**vars(importlib.import_module(module))})]
            except ImportError:  # its extra is not installed
                continue
        for one in found:
            yield f"{module}:{line}", re.compile(one, eval(flags)), bool(done) and done <= {"match", "fullmatch"}


# --- texts that are hard ---


def named(tree):
    """The characters that a pattern names or lets through, and one that it may not."""
    for kind, value in tree:
        if kind in (kinds.LITERAL, kinds.NOT_LITERAL):
            yield chr(value)
        elif kind is kinds.RANGE:
            yield chr(value[0])
        elif kind is kinds.CATEGORY:
            yield from {"SPACE": " \n", "WORD": "a1", "DIGIT": "1"}.get(str(value).rpartition("_")[2], "!")
        elif kind is kinds.IN:
            yield from itertools.islice(named(value), 12)
        else:
            for inner in inside(kind, value):
                yield from named(inner)


def inside(kind, value):
    """The patterns within a part of a pattern."""
    if kind is kinds.BRANCH:
        return list(value[1])
    if kind is kinds.SUBPATTERN or kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT):
        return [value[-1]]
    if kind in (kinds.ASSERT, kinds.ASSERT_NOT):
        return [value[1]]
    return [value] if kind is kinds.ATOMIC_GROUP else []


def sample(tree):
    """A text that fits, or nearly."""
    text = ""
    for kind, value in tree:
        if kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT):
            text += sample(value[2]) * min(max(value[0], 1), 4)
        elif kind is kinds.BRANCH:
            text += sample(value[1][0])
        elif inner := inside(kind, value):
            text += sample(inner[0])
        elif kind in (kinds.LITERAL, kinds.IN, kinds.NOT_LITERAL):
            text += next(named([(kind, value)]), "") if kind is not kinds.NOT_LITERAL else "a"
        elif kind is kinds.ANY:
            text += "a"
    return text


def leading(tree):
    """What stands before each repeat."""
    whole = list(tree)
    for i, (kind, value) in enumerate(whole):
        before = sample(whole[:i])
        if kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT):
            yield before
        for inner in inside(kind, value):
            yield from (before + more for more in leading(inner))


def hard(pattern):
    """Functions size -> text."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    letters = list(dict.fromkeys([*named(tree), *" \na!"]))[:10]
    starts = list(dict.fromkeys(["", "a", *leading(tree)]))[:6]
    pumps = [*letters, *map("".join, itertools.permutations(letters, 2)), sample(tree)]
    for start, pump in itertools.product(starts, filter(None, pumps)):
        yield lambda size, start=start, pump=pump: start + pump * (size // len(pump)) + "\0"
    for start in filter(None, starts):
        yield lambda size, start=start: start * (size // len(start))


class TooLong(Exception):
    """The processor's time is over."""


@contextlib.contextmanager
def limited(seconds):
    def over(number, frame):
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, over)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def taken(pattern, text, at_start, limit=SECONDS):
    """Seconds to fit the whole, and to find all there is."""
    begin = time.process_time()
    try:
        with limited(limit):
            pattern.fullmatch(text)
            pattern.match(text)
            for _ in () if at_start else pattern.finditer(text):
                pass
    except TooLong:
        return limit
    return time.process_time() - begin


def worst(pattern, at_start=False):
    """(seconds for 100 kB, how the text begins); of those that take too long when they are small, the first."""
    small, most = [], 0.1
    for text in hard(pattern):
        small.append((taken(pattern, text(SMALL), at_start, most), text))
        if sum(seconds == most for seconds, _ in small) == HARD:  # no other comes before these
            break
    found = (0.0, "")
    for _, text in sorted(small, key=lambda one: -one[0])[:HARD]:
        found = max(found, (taken(pattern, text(SIZE), at_start), text(40)))
        if found[0] >= SECONDS:
            break
    return found


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer of processor time")
def test_every_pattern_is_quick_on_what_is_worst_for_it():
    slow = {}
    for place, pattern, at_start in patterns():
        seconds, text = worst(pattern, at_start)
        if seconds >= SECONDS:
            slow[place] = (pattern.pattern[:80], text)
    assert slow == {}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer of processor time")
@pytest.mark.parametrize("bad", [r"\s*```\s*\n(.*?)\n\s*```\s*", r"(a|a)*b", r"<\W*text", r"\[(.*?)\]", r"^\s+|\s+$"])
def test_a_slow_one_would_be_found(bad):
    assert worst(re.compile(bad, re.DOTALL))[0] >= SECONDS
