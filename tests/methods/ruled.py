"""Questions with a rule: one of four things was seen, and the question says which.

rows = questions(100, seed=1)                      # of a training
held = questions(100, seed=2, held=True)           # of names whose words are known, but not together
permuted(rows[0], seed=0)                          # the same question with its options in another order
"""

import random
from dataclasses import replace

from slmfit.records import Example, Question

FIRST = "red old tiny loud calm warm grey sour flat kind pale rare".split()
SECOND = "fox cup hill boat lamp tree coin bell door song road star".split()


def questions(count, seed, held=False, always=None):
    """Which of four things was seen? Of the pairs of words that name them, those held out are never in train."""
    rng, pairs = random.Random(seed), [f"{a} {b}" for a in FIRST for b in SECOND]
    random.Random(0).shuffle(pairs)
    pool, made = pairs[:40] if held else pairs[40:], []
    for i in range(count):
        *options, other = rng.sample(pool, 5)
        letter = always or rng.choice("ABCD")
        seen = [f"the {options['ABCD'.index(letter)]}", f"the {other}"]
        rng.shuffle(seen)
        question = Question(f"I saw {' and '.join(seen)}.", dict(zip("ABCD", options, strict=True)))
        made.append(Example(str(i), question, letter))
    return tuple(made)


def permuted(example, seed):
    """The same question with its options in another order."""
    order = random.Random(f"{seed} {example.id}").sample("ABCD", 4)
    options = {new: example.input.options[old] for new, old in zip("ABCD", order, strict=True)}
    return replace(example, input=replace(example.input, options=options), target="ABCD"[order.index(example.target)])
