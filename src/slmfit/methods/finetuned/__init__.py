"""What `encoder`, `causal` and `seq2seq` share: a pretrained model with a head for the task, tuned whole or adapted.

class Encoder(FineTuned):
    Settings = Settings
    kind = "encoder"

base.py       the method
planning.py   how long it is tuned, and what fits a budget
saving.py     whole, or adapters and the base model's name
head.py       what differs by task, of which these are:
classes.py    one label per text
entities.py   spans and an intent, by tags
options.py    an option, read with its question
written.py    entities that the model writes
stated.py     labels, and reasons with an answer, that it writes
choices.py    answers that it finds likely or not
halves.py     the last three for a model of two halves
"""

from slmfit.methods.finetuned.base import FineTuned
from slmfit.methods.finetuned.settings import TuningSettings, WritingSettings

__all__ = ["FineTuned", "TuningSettings", "WritingSettings"]
