"""Ways to harm a file, drawn by lot: bits, cuts, structure where none belongs, other encodings, depth, other names.

damaged, how = harmed(b"text,label\\n", random.Random(7), poison("ran"))
name, damaged, more = renamed("d.csv", damaged, random.Random(7))
"""

import gzip
import pickle
import re


class Runs:
    """Pickled, it is a command: whoever unpickles it makes the file that `mark` names."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return open, (self.mark, "w")


def poison(mark):
    """The bytes of such a pickle."""
    return pickle.dumps(Runs(mark))


PIECES = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b'""', b"\r", b"\r\n", b"\n\n", b"\t", b",", b";", b"'", b"\\",
    b"\\u0000", b"\\ud800", b"\\", b"\x1b[31m", b"\xe2\x80\xae", b"\xf0\x9f\x91\xa9\xe2\x80\x8d",
    b"\xed\xa0\x80", b"\xc0\xaf", b"\xe9", b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"-1", b"0x10",
    b"1_000", b"null", b"true", b"{}", b"[]", b"[[[[", b"}}}}", b'{"a":' * 3000, b"[" * 100_000,
    b'"__proto__":{},', b'"text":1,', b'"label":["a","b"],', b'"spans":[[5,1,"X"]],',
    b'"start":-1,"end":99999999999999999999,', b"=cmd|'/C calc'!A0", b"@SUM(1)", b"../../etc/passwd",
    b"<script>", b"{{7*7}}", b"%s%n", b"# text = \n", b"# intent = \n", b"B-", b"I-X", b"-DOCSTART- O\n",
    b"a = 1\n", b"[x]\n", b"[[x]]\n", b'x = """', b"= = =", b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08",
    b"x" * 70_000, b"a," * 5000, b"\xe2\x80\xa8", b"\x85", b"\x0b\x0c",
]  # fmt: skip
CODINGS = ("utf-16", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-8-sig", "shift-jis", "utf-7", "cp037")
TOKEN = re.compile(rb'"[^"\\\n]{0,40}"|-?\d+(?:\.\d+)?|true|false|null|[^\s,:\[\]{}="]{1,20}')
VALUES = (
    b"null",
    b"-1",
    b"1e999",
    b"NaN",
    b"[]",
    b"{}",
    b'""',
    b"true",
    b'[["x"]]',
    b'"' + b"y" * 300 + b'"',
    b"9" * 400,
)


def flipped(data, rng, poison):
    """A few bits."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 40))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(data, rng, poison):
    """Off at the end, the beginning, or somewhere between."""
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return rng.choice((data[:a], data[b:], data[:a] + data[b:]))


def repeated(data, rng, poison):
    """A stretch, again and again."""
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return data[:b] + data[a:b] * rng.choice((1, 2, 30)) + data[b:] if len(data) < 100_000 else data


def inserted(data, rng, poison):
    """Structure where none belongs; sometimes a pickle that runs."""
    at = rng.choice((0, len(data), rng.randrange(len(data) + 1)))
    piece = poison if rng.random() < 0.03 else rng.choice(PIECES)
    return data[:at] + piece + data[at:]


def exchanged(data, rng, poison):
    """A word, string or number for another of the file, or for a value that has no business there."""
    found = list(TOKEN.finditer(data[:20_000]))
    if not found:
        return data
    one, other = rng.choice(found), rng.choice(found)
    new = rng.choice((other[0], rng.choice(VALUES)))
    return data[: one.start()] + new + data[one.end() :]


def shuffled(data, rng, poison):
    """Lines in another order, or one of them gone."""
    lines = data.splitlines(keepends=True)
    rng.shuffle(lines)
    return b"".join(lines[rng.randrange(2) :])


def coded(data, rng, poison):
    """In another encoding."""
    return data.decode("utf-8", "replace").encode(rng.choice(CODINGS), "replace")


def nested(data, rng, poison):
    """Within many brackets."""
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"(", b")"), (b'["', b'"]')))
    deep = rng.choice((2, 200, 3000))
    return opening * deep + data + closing * deep


def swallowed(data, rng, poison):
    """Something else altogether."""
    return rng.choice((b"", b" ", b"\n", poison, b"PK\x03\x04" + data, b"\0" * 4096, rng.randbytes(300), b"[", b'"'))


HARMS = {flipped: 5, cut: 4, repeated: 2, inserted: 6, exchanged: 6, shuffled: 2, coded: 1.5, nested: 1, swallowed: 0.4}


def harmed(data, rng, poison):
    """(the bytes after one to four harms, their names)."""
    how = []
    for harm in rng.choices(list(HARMS), list(HARMS.values()), k=rng.choice((1, 1, 2, 2, 3, 4))):
        if data or harm in (inserted, swallowed):
            data = harm(data[:2_000_000], rng, poison)
            how.append(harm.__name__)
    return data, how


ODD_NAMES = ("d\x1b[31m", "-rf", "a\nb", "caf\udce9", "=cmd", "x" * 200, "\u202egnp", "a b", "CON", "%00", "~", "$HOME")


def renamed(name, data, rng):
    """(name, bytes, what was done): at times packed, under the name of another kind, or an odd one."""
    stem, _, ending = name.partition(".")
    how = []
    if rng.random() < 0.08:
        data, ending = gzip.compress(data, 1, mtime=0), f"{ending}.gz"
        how.append("packed")
        if rng.random() < 0.5 and len(data) > 20:
            data = flipped(data, rng, b"")
    if rng.random() < 0.02:
        ending = rng.choice(
            ("csv", "tsv", "jsonl", "json", "conll", "csv.gz", "zip", "xlsx", "txt", "pkl", "toml", "CSV")
        )
        how.append(f"called .{ending}")
    if rng.random() < 0.02:
        stem = rng.choice(ODD_NAMES)
    return f"{stem}.{ending}", data, how
