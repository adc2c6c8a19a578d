"""How settings were found: the tries as a curve or a table, the chosen one marked, and why a better-looking one was not
taken.

list(searches(source))[0]["why"]       # "1 other scores up to 0.2 points higher …"
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from slmfit.records import Score
from slmfit.reporting.charts import Axis, Dot, Series, lines
from slmfit.reporting.disk import Source
from slmfit.reporting.pictures import score_axis
from slmfit.text.figures import PLAIN, number_of, number_words, points_words, told

BEST = 8  # tries that are shown


def searches(source: Source) -> Iterator[dict[str, Any]]:
    """What each method tried on validation: a curve where one number was varied widely, else the best tries."""
    for id, record in source.records.items():
        tried = [dict(one) for one in record.search]
        # Of entities and an intent, which are searched apart, those by the metric, or else the entities.
        score = next((m for m in (record.metric, "entity_f1", "log_loss") if any(m in one for one in tried)), None)
        if score is None:
            continue
        tried = [one for one in tried if score in one]
        base = {"id": id, "tried": len(tried), "score": score, "chosen": dict(record.chosen)}
        varied = _varied(tried, record.metric)
        picture = _curve(tried, varied, score, record.chosen) if varied else None
        ordered = sorted(tried, key=lambda one: one[score], reverse=not score.startswith(PLAIN))
        columns = list(dict.fromkeys(key for one in tried for key in one))
        taken = next((one for one in ordered if _is_chosen(one, record.chosen, score)), None)
        best = ordered[:BEST] if taken is None or taken in ordered[:BEST] else [*ordered[: BEST - 1], taken]
        wide = {c for c in columns if any(isinstance(one.get(c), int | float) for one in tried)}
        base |= {"columns": columns, "numbers": wide, "best": best, "taken": taken}
        yield base | {"varied": varied, "picture": picture, "why": _why(ordered, taken, score)}


def _is_chosen(one: Mapping[str, Any], chosen: Mapping[str, Any], score: str) -> bool:
    """Whether a try has the settings that were chosen; what a try does not name played no part in it."""
    settings = {key: value for key, value in one.items() if key in chosen and key != score}
    return bool(settings) and all(chosen[key] == value for key, value in settings.items())


def _why(ordered: Sequence[Mapping[str, Any]], taken: Mapping[str, Any] | None, score: str) -> str:
    """Why the try with the highest score was not taken; empty where it was."""
    if taken is None or score.startswith(PLAIN):
        return ""
    higher = [one for one in ordered if one[score] > taken[score]]
    if not higher:
        return ""
    gap, loss = higher[0][score] - taken[score], "log_loss"
    start = (
        f"{number_of(len(higher), 'other', 'score')} higher on validation, by {points_words(gap)} at most. "
        "So small a lead may be luck: "
    )
    if all(loss in one for one in (taken, *higher)) and taken[loss] < min(one[loss] for one in higher):
        return f"{start}the one chosen gives the right labels better probabilities (a lower log loss)."
    return f"{start}more features, or other settings, are taken only where they are clearly better."


def _varied(tried: Sequence[Mapping[str, Any]], metric: str) -> str | None:
    """The setting with eight or more numbers tried."""
    for key in tried[0]:
        values = {one.get(key) for one in tried}
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) and v > 0 for v in values)
        if key not in (metric, "log_loss") and numbers and len(values) >= 8:
            return key
    return None


def _curve(tried: Sequence[Mapping[str, Any]], varied: str, score: str, chosen: Mapping[str, Any]) -> Markup | None:
    """One line for each value of the other settings, the chosen ones last."""
    groups: dict[str, list[Dot]] = defaultdict(list)
    others = [k for k, v in tried[0].items() if isinstance(v, str | bool) and k != varied]
    taken = ", ".join(number_words(chosen.get(key)) for key in others)
    for one in sorted(tried, key=lambda one: one[varied]):
        groups[", ".join(number_words(one.get(key)) for key in others) or varied].append(Dot(one[varied], one[score]))
    if len(groups) > 8:
        return None
    series = [Series(name, dots, "pick" if name == taken else "rest", dots=False) for name, dots in groups.items()]
    point = next((d for d in groups.get(taken or varied, ()) if d.x == chosen.get(varied)), None)
    if point:
        series.append(Series(f"{varied} {number_words(chosen[varied])}", [point], "pick"))
    x = Axis.of([one[varied] for one in tried], log=True).named(f"{told(varied)} →", number_words)
    y = score_axis(score, [Score(one[score]) for one in tried])
    return lines(series, x, y, named=len(groups) > 1 or bool(point))
