"""How likely a model finds each of some options after a prompt that it reads once.

    asked = following(tokenizer, ["Question: Ice is\nAnswer:"], [[" cold", " hot"]])
    likelihoods(model, asked, device, pad=0)[0]          # float64 [2]: the log-likelihood of each

Kinds of models differ in how they go on from a prompt, which is their reader's matter: `Kept` repeats what was kept of
the prompt (its keys and values) for each option, `Encoded` does so in a decoder whose encoder has read the prompt,
`Whole` reads prompt and option anew. Options are filled up on the
right, where no token that counts can see it. The numbers are those of one option read alone, but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch

from slmfit.finetune import batches, forward
from slmfit.finetune.device import Device
from slmfit.finetune.rows import Rows
from slmfit.finetune.steps import EncoderDecoder, has_halves
from slmfit.finetune.tokens import CHUNK, Tokens, closing, encodable, joined
from slmfit.hub.border import encoded
from slmfit.timing.work import advance

Ids = list[int]
KEPT = 4  # times the tokens that are read at once may be held: a prompt is, for each of its options
CLOSE = 1e-3  # how far log-likelihoods of the probe may differ
AT_ONCE = 16  # options whose logits are summed at a time


@dataclass(frozen=True)
class Asked:
    """Prompts with their options, in tokens. Each prompt has one or more of both; no option is empty."""

    prompts: Sequence[Ids]
    options: Sequence[Sequence[Ids]]

    def __len__(self) -> int:
        return len(self.prompts)

    @cached_property
    def lengths(self) -> np.ndarray:
        """int64 [rows], tokens of a prompt and of all its options: what is read of a row."""
        pairs = zip(self.prompts, self.options, strict=True)
        return np.array([len(prompt) + sum(map(len, options)) for prompt, options in pairs], np.int64)

    @cached_property
    def held(self) -> np.ndarray:
        """int64 [rows], tokens in memory at a time: the prompt before each option, all as long as the longest."""
        pairs = zip(self.prompts, self.options, strict=True)
        held = [len(options) * (len(prompt) + max(map(len, options))) for prompt, options in pairs]
        return np.array(held, np.int64)

    def within(self, size: int) -> Asked:
        """The same, of tokens that a table of this size has."""
        options = [[[i % size for i in option] for option in row] for row in self.options]
        return Asked([[i % size for i in prompt] for prompt in self.prompts], options)

    def cut(self, limit: int) -> Asked:
        """The same, no prompt and option longer than `limit` together: prompts lose what they begin with.

        What stands last, the question and where the answer goes, is what counts; lm-evaluation-harness cuts so too.
        """
        options = [[option[: limit - 1] for option in row] for row in self.options]
        room = [limit - max(map(len, row)) for row in options]
        return Asked([prompt[-most:] for prompt, most in zip(self.prompts, room, strict=True)], options)


class Reader(Protocol):
    """How models of a kind go on from prompts. left: whether prompts are filled up on the left, else on the right."""

    left: bool

    def __call__(
        self, model: Any, prompts: dict[str, torch.Tensor], of: torch.Tensor, ids: torch.Tensor
    ) -> torch.Tensor:
        """The log-probability of each token of the options after those before it: float64 [options, longest].

        prompts: `input_ids` and `attention_mask`, int64 [rows, longest]. of: int64 [options], whose each option is.
        ids: int64 [options, longest], filled up on the right; what comes out there means nothing.
        """
        ...


class Kept:
    """A prompt is read once, and its keys and values are repeated for its options."""

    left = True

    def __call__(
        self, model: Any, prompts: dict[str, torch.Tensor], of: torch.Tensor, ids: torch.Tensor
    ) -> torch.Tensor:
        mask = prompts["attention_mask"]
        filled = not bool(mask.all())  # a mask that hides nothing is left out: attention is quicker without
        places = (mask.cumsum(1) - 1).clamp(min=0)
        takes = forward.takes_of(model)
        more: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}
        if filled:
            more |= {"attention_mask": mask, **({"position_ids": places} if "position_ids" in takes else {})}
        read = model(input_ids=prompts["input_ids"], use_cache=True, **more)
        first = foretold(read.logits[:, -1][of], ids[:, 0]).unsqueeze(1)
        if ids.shape[1] == 1:
            return first
        cache = read.past_key_values
        cache.reorder_cache(of)  # as for beams: layers of every kind know it, and options may differ in number
        more = {}
        if filled:
            after = mask.new_ones(len(of), ids.shape[1] - 1)
            more = {"attention_mask": torch.cat([mask[of], after], dim=1)}
            more |= {"position_ids": places[of, -1:] + after.cumsum(1)} if "position_ids" in takes else {}
        rest = model(input_ids=ids[:, :-1], past_key_values=cache, use_cache=True, **more)
        return torch.cat([first, foretold(rest.logits, ids[:, 1:])], dim=1)


class Whole:
    """Prompt and option are read together, once for each option: for models that keep nothing to go on from."""

    left = False

    def __call__(
        self, model: Any, prompts: dict[str, torch.Tensor], of: torch.Tensor, ids: torch.Tensor
    ) -> torch.Tensor:
        begins = prompts["attention_mask"].sum(1)[of].unsqueeze(1)
        place = begins + torch.arange(ids.shape[1], device=ids.device)
        rows = torch.nn.functional.pad(prompts["input_ids"][of], (0, ids.shape[1])).scatter(1, place, ids)
        first = int(begins.min()) - 1
        if "logits_to_keep" in forward.takes_of(model):
            kept = torch.arange(first, rows.shape[1], device=ids.device)
            logits = model(input_ids=rows, use_cache=False, logits_to_keep=kept).logits
        else:
            logits = model(input_ids=rows, use_cache=False).logits[:, first:]
        wanted = (place - 1 - first).unsqueeze(-1).expand(-1, -1, logits.shape[-1])
        return foretold(logits.gather(1, wanted), ids)


class Encoded:
    """An encoder has read the prompt; what the decoder keeps of it is repeated for its options."""

    left = False

    def __call__(
        self, model: Any, prompts: dict[str, torch.Tensor], of: torch.Tensor, ids: torch.Tensor
    ) -> torch.Tensor:
        steps = EncoderDecoder(model, prompts)
        first = foretold(steps.logits()[of], ids[:, 0]).unsqueeze(1)
        if ids.shape[1] == 1:
            return first
        steps.keep(of.tolist())
        return torch.cat([first, foretold(steps.foresee(ids[:, :-1]), ids[:, 1:])], dim=1)


def foretold(logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """The log-probability of tokens: [..., vocabulary], [...] -> float64 [...]."""
    # Some rows at a time: to sum over a vocabulary takes as much memory again as what is summed.
    sums = torch.cat([part.float().logsumexp(-1) for part in logits.split(AT_ONCE)])
    return (logits.gather(-1, ids.unsqueeze(-1)).squeeze(-1).float() - sums).double()


def reader_of(model: Any) -> Reader:
    """How this model reads options: found out, as not all that keep something can go on with several tokens."""
    if has_halves(model):
        return Encoded()
    table = model.get_input_embeddings()
    probe = Asked([[5, 6, 7], [8, 9]], [[[10, 11, 12]], [[13, 14], [15]]]).within(table.num_embeddings)
    training = model.training
    model.eval()

    def tried(reader: Reader) -> torch.Tensor:
        rows = Rows(joined(probe.prompts, 3), str(table.weight.device), 0, left=reader.left)
        return torch.cat(scores(reader, model, rows, probe, np.arange(2)))

    try:
        with torch.inference_mode():
            return Kept() if torch.allclose(tried(Kept()), tried(Whole()), atol=CLOSE) else Whole()
    except (AttributeError, TypeError, ValueError, RuntimeError, NotImplementedError):
        return Whole()
    finally:
        model.train(training)


def scores(reader: Reader, model: Any, rows: Rows, asked: Asked, batch: np.ndarray) -> list[torch.Tensor]:
    """The log-likelihood of each option of some rows: float64 [options] each, with gradients where they are wanted.

    rows: the prompts of `asked`, filled up on the side that the reader wants.
    """
    options = [option for i in batch.tolist() for option in asked.options[i]]
    counts = [len(asked.options[i]) for i in batch.tolist()]
    made = Rows(joined(options, max(map(len, options))), rows.device, rows.pad).batch(np.arange(len(options)))
    of = torch.from_numpy(np.repeat(np.arange(len(batch)), counts)).to(rows.device)
    found = reader(model, rows.batch(batch), of, made["input_ids"])
    return list(torch.where(made["attention_mask"] > 0, found, 0.0).sum(1).split(counts))


def prompt_rows(reader: Reader, asked: Asked, device: Device, pad: int) -> Rows:
    """The prompts as `scores` takes them."""
    tokens: Tokens = joined(asked.prompts, max(map(len, asked.prompts), default=1))
    return Rows(tokens, device.name, pad, step=device.length_step, left=reader.left)


def likelihoods(
    model: Any,
    asked: Asked,
    device: Device,
    pad: int,
    check: Callable[[], None] = lambda: None,
    *,
    reader: Reader | None = None,
    tokens: int | None = None,
    stands_for: float | None = None,
) -> list[np.ndarray]:
    """The log-likelihood of each option of each row: float64 [options] each, in order. Raises NotFinite.

    pad: the id that fills up rows. check: called before every batch; what it raises ends the work. reader: as
    `reader_of` finds it. tokens: held at a time, None = as the device likes. stands_for: how many rows of the caller's
    these are, to whoever counts; None = as many as they are.
    """
    reader = reader or reader_of(model)
    rows = prompt_rows(reader, asked, device, pad)
    found = [np.empty(0)] * len(asked)
    each = (len(asked) if stands_for is None else stands_for) / max(1, int(asked.lengths.sum()))

    def work(part: np.ndarray) -> list[np.ndarray]:
        return [row.cpu().numpy() for row in scores(reader, model, rows, asked, part)]

    with torch.inference_mode(), device.autocast():
        for batch in batches.by_length(asked.held, tokens or KEPT * forward.batch_tokens(device)):
            check()
            for part, made in forward.in_pieces(work, batch, device):
                for i, one in zip(part.tolist(), made, strict=True):
                    found[i] = forward.finite(one)
            advance(each * int(asked.lengths[batch].sum()))
    return found


def following(tokenizer: Any, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> Asked:
    """Prompts and what follows each, as tokens, for models that go on writing.

    Split as lm-evaluation-harness does: space at the end of a prompt goes to its options; prompt and option are encoded
    together, and what the prompt alone has is taken off. Where that is not how the whole begins, since a token
    stretches over the border, the option is encoded alone.
    """
    bare = [prompt.rstrip() for prompt in prompts]
    moved = [
        [prompt[len(begun) :] + option for option in row]
        for prompt, begun, row in zip(prompts, bare, options, strict=True)
    ]
    begun = _framed(tokenizer, bare)
    whole = iter(_framed(tokenizer, [p + option for p, row in zip(bare, moved, strict=True) for option in row]))
    made = [
        [_after(tokenizer, ids, next(whole), option) for option in row] for ids, row in zip(begun, moved, strict=True)
    ]
    return Asked(begun, made)


def answering(tokenizer: Any, prompts: Sequence[str], options: Sequence[Sequence[str]], end: int) -> Asked:
    """Prompts and answers to each, as tokens, for models that read with one half and write with the other.

    end: the token that ends an answer: without it the shorter of two that begin alike would always win.
    """
    told = iter(_encoded(tokenizer, [option.strip() for row in options for option in row], special=False))
    return Asked(_encoded(tokenizer, prompts), [[[*next(told), end] for _ in row] for row in options])


def _after(tokenizer: Any, prompt: Ids, whole: Ids, option: str) -> Ids:
    if whole[: len(prompt)] == prompt and len(whole) > len(prompt):
        return whole[len(prompt) :]
    return list(tokenizer.backend_tokenizer.encode(encodable(option), add_special_tokens=False).ids)


def _framed(tokenizer: Any, texts: Sequence[str]) -> list[Ids]:
    """With the special tokens that stand before a text, without those after it."""
    tail = closing(tokenizer.backend_tokenizer)
    return [ids[: len(ids) - tail] for ids in _encoded(tokenizer, texts)]


def _encoded(tokenizer: Any, texts: Sequence[str], special: bool = True) -> list[Ids]:
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    chunks = ([encodable(text) for text in texts[at : at + CHUNK]] for at in range(0, len(texts), CHUNK))
    return [e.ids for chunk in chunks for e in encoded(backend, chunk, special=special)]
