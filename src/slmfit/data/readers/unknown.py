"""Files that are none of those that are read: what was seen, and the nearest thing that is.

raise unreadable(Path("cooking.train"))    # … its lines have fastText's __label__; fix: rename it to NAME.txt
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from slmfit.data.readers.plain_reader import nearest
from slmfit.errors import DataError

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip", ".7z", ".rar")
_PACKED = (".bz2", ".xz", ".zst", ".lz4")


def is_packed(path: Path) -> bool:
    """Whether a file's name says that it must be unpacked first, and not as .gz, which is read as it is."""
    return path.name.lower().endswith(_ARCHIVES + _PACKED)


_DOCBIN = 'write {"text": doc.text, "entities": [[e.start_char, e.end_char, e.label_] for e in doc.ents]} for each doc'
_BRAT = 'write {"text": …, "spans": [[start, end, "LABEL"], …]} for each text'
_LINES = "an object a line in a .jsonl file"
_OTHERS = {
    (".xlsx", ".xls", ".ods", ".numbers"): ("is a workbook", "save the sheet as CSV (UTF-8)"),
    (".spacy",): ("is a DocBin of spaCy", f"{_DOCBIN}, {_LINES}"),
    (".ann",): ("holds the marks of brat, whose text is in another file", f"{_BRAT}, {_LINES}"),
    (".yml", ".yaml"): ("is YAML", "write it as JSON; Rasa's: rasa data convert nlu -f json"),
    (".xml", ".html", ".htm"): ("is XML", f"save it as .csv, or {_LINES}"),
    (".arrow", ".feather", ".orc", ".avro", ".db", ".sqlite", ".sqlite3", ".h5"): (
        "is a table in a form of its own",
        "save it as .parquet or .csv",
    ),
    (".pkl", ".pickle", ".joblib", ".npy", ".pt"): ("may run code when it is read", "save it as .parquet or .csv"),
    (".doc", ".docx", ".pdf", ".rtf", ".odt"): ("is a document for people", "write its texts into .csv, a row each"),
}


def unreadable(path: Path) -> DataError:
    """The error for a file whose name is none of a reader's: what it is, or looks like by its first lines."""
    name = path.name.lower()
    suffix = ".gz" if name.endswith(".gz") else ""
    inner = Path(name.removesuffix(".gz")).suffix
    what = f"files named *{inner}{suffix} cannot be read" if inner or suffix else "the name has no ending"
    fix = "save it as .csv, .tsv, .jsonl, .json or .parquet, or tokens and tags as .conll (or with .gz)"
    if name.endswith(_ARCHIVES):
        what, fix = "is an archive of files", "unpack it, and give the folder or the file in it"
    elif name.endswith(_PACKED):
        what, fix = f"is packed as {path.suffix}", "unpack it, or pack it as .gz, as in NAME.csv.gz"
    elif known := next((said for endings, said in _OTHERS.items() if inner in endings), None):
        what, fix = known
    elif (seen := nearest(path)) is not None:
        what, fix = f"{what}; its {seen[0]}", f"rename it to NAME{seen[1]}"
    return DataError(what, where=str(path), fix=fix)


def missing(path: Path) -> DataError:
    """The error for a path that does not exist, with the sibling that was probably meant."""
    siblings = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    close = get_close_matches(path.name, siblings, n=1)
    return DataError(
        "there is no such file or folder",
        where=str(path),
        fix=f"did you mean {str(path.parent / close[0])!r}?" if close else "check the path",
    )
