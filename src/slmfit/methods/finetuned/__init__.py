"""What `encoder` and `causal` share: a pretrained model with a head for the task, tuned whole or with adapters.

    class Encoder(FineTuned):
        Settings = Settings
        kind = "encoder"

`base.py` is the method; what differs by task is a head: `classes.py` (one label per text), `entities.py` (spans and an
intent, by tags), `written.py` (answers that the model writes), `stated.py` (labels, and
reasons with an answer, that it writes), `choices.py` (options that it finds likely or not).
"""

from slmfit.methods.finetuned.base import FineTuned
from slmfit.methods.finetuned.settings import TuningSettings, WritingSettings

__all__ = ["FineTuned", "TuningSettings", "WritingSettings"]
