"""Settings tried on validation, and kept only where the gain is more than luck.

tune.py        the loop: ask, try, write down; then the verdict
sampling.py    what to try next, by Optuna
trials.py      one trial
answers.py     what the defaults and the best trial answered, kept to be paired
deciding.py    whether the gain can be told from luck
importance.py  what each setting accounts for
telling.py     the same in sentences
record.py      tuning.json
page.py        the page
"""

from __future__ import annotations

from slmfit.tuning.tune import Tuned, tune

__all__ = ["Tuned", "tune"]
