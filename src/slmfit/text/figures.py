"""Figures in words, the same in the terminal, the report and the model card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from markupsafe import Markup, escape

from slmfit.records import MethodRow, RunRecord, Score
from slmfit.text.visible import visible

NAMES = {
    "exact_match": "rows wholly right",
    "entity_f1": "entity F1",
    "entity_f1_macro": "macro entity F1",
    "entity_precision_macro": "macro entity precision",
    "entity_recall_macro": "macro entity recall",
    "boundary_f1": "boundary F1",
    "partial_f1": "partial F1",
    "type_f1": "type F1",
    "f1_macro": "macro F1",
    "f1_micro": "micro F1",
    "f1_weighted": "weighted F1",
    "expected_calibration_error": "calibration error",
    "brier": "Brier score",
}
# Scores that are losses or distances, not shares: shown as they are, not in percent.
PLAIN = ("log_loss", "brier", "expected_calibration_error")

# Scores that are the share of rows that are right, so that the rest is wrong.
SHARES = ("accuracy", "exact_match")

# What the share of rows that are wholly right is made up of; shown beside it where rows have intents.
PARTS: Mapping[str, tuple[str, ...]] = {"exact_match": ("entity_f1", "intent_accuracy")}


def told(name: str) -> str:
    """A metric's or setting's name for people."""
    return NAMES.get(name, name.replace("_", " "))


def percent(value: float) -> str:
    """0.9134 -> '91.3 %'."""
    return f"{100 * value:.1f} %"


def by_unit(metric: str, value: float) -> str:
    """A score as people say it: shares in percent, losses with three decimals."""
    return f"{value:.3f}" if metric.startswith(PLAIN) else percent(value)


def interval(metric: str, score: Score) -> str:
    """'90.5–91.3': a score's interval in the metric's unit, without the unit; empty where there is none."""
    if score.low is None or score.high is None:
        return ""
    return "–".join(by_unit(metric, end).removesuffix(" %") for end in (score.low, score.high))


def seeds_words(metric: str, row: MethodRow | RunRecord) -> str:
    """'3 seeds, 91.2–92.0': how far a method's trainings lie apart on test; empty where there are not several."""
    scores = [one.scores["test"][metric].value for one in row.seeds] if isinstance(row, MethodRow) else []
    if len(scores) < 2:
        return ""
    return f"{len(scores)} seeds, {interval(metric, Score(scores[0], min(scores), max(scores)))}"


def parts_of(row: MethodRow | RunRecord, metric: str) -> dict[str, Score]:
    """The scores on test that a method's score is made up of; none where one of them is missing."""
    scores = dict((row.scores or {}).get("test", {}))
    names = PARTS.get(metric, ())
    return {name: scores[name] for name in names} if all(name in scores for name in names) else {}


def bytes_words(size: int | None) -> str:
    """3400000 -> '3.4 MB'; unknown is empty, never zero."""
    if size is None:
        return ""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError


def seconds_words(seconds: float | None) -> str:
    """0.012 -> '12 ms', 75 -> '1m 15s'; unknown is empty, and what took time is never zero."""
    if seconds is None:
        return ""
    if 0 < seconds < 0.0005:
        return "<1 ms"
    if seconds < 0.995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"


def milliseconds(value: float) -> str:
    """0.2134 -> '0.21 ms', 9.41 -> '9.4 ms', 1700 -> '1.7 s', and 0.0053 -> '<0.01 ms': no finer."""
    if 0 < value < 0.01:
        return "<0.01 ms"
    if value >= 995:
        return seconds_words(value / 1000)
    return f"{value:.2g} ms" if value < 0.95 else f"{value:.1f} ms" if value < 9.95 else f"{value:.0f} ms"


class Timed(Protocol):
    """What was measured: a run, a method's line, what a list shows of a run."""

    @property
    def latency_ms(self) -> Mapping[str, float] | None: ...

    @property
    def measured(self) -> Mapping[str, Any]: ...


def latency_words(row: Timed) -> str:
    """'0.21 ms', 'machine busy' after it where other work ran while it was measured; empty where it is not known."""
    if not row.latency_ms:
        return ""
    return milliseconds(row.latency_ms["p50"]) + (", machine busy" if row.measured.get("busy") is True else "")


def dollars(value: float) -> str:
    """0.412 -> '$0.41', 0.00041 -> '$0.00041'."""
    return f"${value:,.2f}" if value >= 0.1 or value == 0 else f"${value:.2g}"


def failures(outcomes: Mapping[str, int] | None) -> str:
    """'3 refused, 1 timeout': answers that could not be used, by kind; empty where there are none."""
    counts = {kind: n for kind, n in (outcomes or {}).items() if kind != "ok" and n}
    return ", ".join(f"{n:,} {kind}" for kind, n in counts.items())


def number_words(value: Any) -> str:
    """A setting's or event's value, short."""
    if isinstance(value, float):
        return f"{value:.2g}" if 0 < abs(value) < 0.001 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


EXCERPT = 80  # characters of a user's text or label


def number_of(count: int, noun: str, verb: str = "") -> str:
    """'1 row', '1,200 rows'; with a verb in the plural '1 text occurs', '2 texts occur'."""
    phrase = f"{count:,} {noun}{'' if count == 1 else 's'}"
    return f"{phrase} {verb_of(count, verb)}" if verb else phrase


def part_of(part: int, whole: int, noun: str, verb: str) -> str:
    """'62 of 7,600 test rows (0.8 %) have', '1 of 20 labels (5.0 %) has'."""
    share = part / whole
    shown = percent(share) if share >= 0.0005 else "less than 0.1 %"
    return f"{part:,} of {number_of(whole, noun)} ({shown}) {verb_of(part, verb)}"


def verb_of(count: int, verb: str) -> str:
    """A verb's plural form in the number that goes with the count."""
    return verb if count != 1 else {"have": "has", "are": "is"}.get(verb, f"{verb}s")


def listed(names: Iterable[str], most: int = 5, *, quoted: bool = True) -> str:
    """'a', 'b' and 3 more; spaces at the ends stay visible where names are quoted."""
    every = list(names)
    shown = [name if len(name) <= EXCERPT else f"{name[: EXCERPT - 1]}…" for name in every[:most]]
    more = len(every) - len(shown)
    return ", ".join(map(repr, shown) if quoted else shown) + (f" and {more:,} more" if more else "")


def joined(names: Sequence[str]) -> str:
    """All of them, in a sentence: 'a, b and c'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def span(plain: Mapping[str, Any], metric: str = "accuracy") -> str:
    """`interval` of a score as JSON has it."""
    return interval(metric, Score(0.0, plain["low"], plain["high"]))


def below(difference: Score) -> tuple[str, str]:
    """A paired difference to the best in points, positive = below it, and its interval: ('0.6', '0.1 to 1.1')."""
    value, low, high = (_points(float(end or 0.0)) for end in (difference.value, difference.low, difference.high))
    return value, f"{low} to {high}"


def points_words(share: float) -> str:
    """0.02 -> '2 points', 0.008 -> '0.8 points'."""
    number = f"{100 * share:.1f}".removesuffix(".0")
    return f"{number} point" if number == "1" else f"{number} points"


def more_wrong(share: float) -> str:
    """0.09 -> '9 more in 100', 0.006 -> '0.6 more in 100': how many rows that one gets wrong and another does not."""
    return f"{100 * share:.{1 if share < 0.0195 else 0}f} more in 100"


def speed_words(rows_per_second: float | None) -> str:
    """138663 -> '139,000': rows a second, no finer than they can be measured."""
    if rows_per_second is None:
        return ""
    digits = max(0, len(str(int(rows_per_second))) - 3)
    return f"{round(rows_per_second, -digits):,.0f}"


def cell(value: Any, column: str) -> str:
    """A tried setting or its score, for a table."""
    if value is None:
        return "–"
    if isinstance(value, float) and column.startswith(PLAIN):
        return f"{value:.3f}"
    if (
        isinstance(value, float)
        and 0 <= value <= 1
        and ("accuracy" in column or "f1" in column or column == "exact_match")
    ):
        return percent(value)
    return number_words(value)


def ticked(sentence: str) -> Markup:
    """A sentence with what stands between backticks as code."""
    parts = [escape(visible(part)) for part in sentence.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))


def _points(share: float) -> str:
    words = f"{100 * share:.1f}"
    return "0.0" if words == "-0.0" else words.replace("-", "−")
