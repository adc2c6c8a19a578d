"""What the verdict's sentences say of exact ties and of test rows that repeat."""

import numpy as np

from slmfit.evidence import verdict as verdicts
from slmfit.evidence.clusters import clusters_of
from slmfit.evidence.statistic import paired_accuracy, share_right


def judged(rows, sizes=None, clusters=None, **more):
    """rows: id -> 0/1 per row; `majority` is the baseline."""
    rows = {id: np.asarray(right, bool) for id, right in rows.items()}
    candidates = [
        verdicts.Candidate(id, share_right(right, clusters), (sizes or {}).get(id, n), is_baseline=id == "majority")
        for n, (id, right) in enumerate(rows.items())
    ]
    best = verdicts.best_of(candidates)
    gaps = {
        id: paired_accuracy(rows[best], right, comparisons=len(rows) - 1, clusters=clusters)
        for id, right in rows.items()
        if id != best
    }
    n = len(rows[best])
    return verdicts.verdict(candidates, gaps, metric="accuracy", rows=n, **more)


def test_an_exact_tie_is_no_highest_score():
    right = np.arange(2000) % 20 > 0
    found = judged({"majority": right & (np.arange(2000) % 2 > 0), "linear": right, "knn": right})
    said = verdicts.sentence(found)
    assert found.best == found.method == "linear" and found.level == ("knn",)
    assert "exactly level with knn (−0.3 to 0.3)" in said and "highest" not in said


def test_nor_where_there_is_too_little_data():
    right = np.arange(12) % 3 > 0
    found = judged({"majority": np.roll(right, 1) & (np.arange(12) < 11), "linear": right, "knn": np.roll(right, 1)})
    said = verdicts.sentence(found)
    assert found.kind == "too-little-data" and "linear scores exactly as high as knn, accuracy 66.7 %" in said


def test_the_baseline_may_be_level_too():
    right = np.arange(2000) % 20 > 0
    found = judged({"majority": right, "linear": right})
    assert "exactly level with linear" in verdicts.sentence(found) and found.kind == "nothing-beats-majority"


def test_one_row_more_is_the_highest_score():
    right = np.arange(2000) % 20 > 0
    less = right.copy()
    less[1] = False
    found = judged({"majority": np.zeros(2000), "linear": right, "knn": less})
    assert found.level == () and "the highest score; next is knn" in verdicts.sentence(found)


def test_where_nobody_knows_how_large_the_pick_is_the_loss_with_the_next_smaller_is_told():
    rows = np.arange(2000)
    made = {"majority": rows % 100 < 20, "linear": rows % 100 < 85, "knn": rows % 100 < 80}
    found = judged({**made, "gpt": rows % 100 < 94, "other": rows % 100 < 90}, {"gpt": None, "other": None})
    said = verdicts.sentence(found)
    assert said.startswith("No smaller method is as good as gpt: accuracy 94.0 % (")
    assert "the closest, linear, gets 9 more in 100 wrong (" in said and "smallest" not in said
    close = judged({"linear": rows % 1000 < 934, "gpt": rows % 1000 < 945}, {"gpt": None}, margin=0.001, prefer="cost")
    assert "No cheaper method" in verdicts.sentence(
        close
    ) and "gets 1.1 more in 100 wrong (0.7 to 1.7)" in verdicts.sentence(close)
    known = judged({**made, "gpt": rows % 100 < 94})
    assert "gpt is the smallest method" in verdicts.sentence(known)
    alone = judged({"majority": rows % 100 < 20, "gpt": rows % 100 < 94}, {"gpt": None, "majority": None})
    assert "the highest score; next is majority" in verdicts.sentence(alone)


def test_repeated_rows_are_told_and_counted():
    clusters = clusters_of(np.arange(300) % 20)
    good, fair = np.arange(300) % 20 < 17, np.arange(300) % 20 < 14
    rows = {"majority": np.arange(300) % 20 < 6, "linear": fair, "encoder": good}
    found = judged(rows, clusters=clusters, different=20)
    said = verdicts.sentence(found)
    assert found.kind == "too-little-data" and "300 test rows, 20 of them different (about " in said
    assert 20 < found.rows_needed < 300
    assert any("Of the 300 test rows 20 are different" in one for one in verdicts.caveats(found))
    assert judged(rows).kind == "pick"  # had they all been different
    few = judged(rows, different=290)
    assert few.counted == 300 and not any("different" in one for one in verdicts.caveats(few))
