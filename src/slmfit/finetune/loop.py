"""The loop: batches in, better weights out; it stops when told and goes on from where it was.

    training = Training(model, job, plan, device, seed=0, metric="accuracy", store=Checkpoints(folder))
    outcome = training.run()            # the model now has its best weights

A `Job` says what a row is and what an error costs; nothing here knows of tasks. The randomness of a step (dropout)
is a function of seed and step alone, so there is no random state to save, and a training that was killed and goes on
ends with the same bits as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import torch

from slmfit.errors import SlmfitError
from slmfit.finetune import batches, device, processes, state
from slmfit.finetune.checkpoints import Checkpoints, State
from slmfit.finetune.logits import NotFinite
from slmfit.finetune.plan import MOST_SPLIT, Plan
from slmfit.finetune.signals import Interrupted, Signals
from slmfit.timing.pace import LATE, Pace
from slmfit.timing.work import how_far

CLIP = 1.0  # the gradient's norm is cut to this
COOLING = 0.03  # of the rows until then are still seen where the time is up: their rate falls to 0
REPORT_SECONDS = 2.0
CHECKPOINT_SECONDS = 300.0
CHECKPOINT_SHARE = 20  # and at least this many times as long as writing one took


class Training:
    """One training of one model. Raises KeyboardInterrupt or SystemExit(143) when a signal came, a checkpoint kept."""

    def __init__(
        self,
        model: torch.nn.Module,
        job: state.Job,
        plan: Plan,
        on: device.Device,
        *,
        seed: int,
        metric: str,
        store: Checkpoints | None = None,
        event: Callable[..., None] = lambda kind, **fields: None,
        replan: Callable[[Plan], None] = lambda plan: None,
        team: processes.Alone | None = None,
    ) -> None:
        """event: told what happens. replan: told a plan that is changed, before it is. team: who shares the batches."""
        self.model, self.job, self.plan, self.on = model, job, plan, on
        self.seed, self.metric, self.store, self.event, self.replan = seed, metric, store, event, replan
        self.team = team or processes.Alone()
        self.called = on.compiled(model)
        self.weights = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.optimizer = state.optimizer(self.weights, plan.weight_decay)
        self.progress = state.Progress()
        self.best: dict[str, torch.Tensor] = {}
        self.bad = torch.zeros((), device=on.name)  # 1 from the first non-finite step on; updates are then left out
        self.running = torch.zeros((), device=on.name)  # the loss since the last report …
        self.rows_running = 0  # … summed over so many rows
        self.signals = Signals()
        self.kept = self.reported = time.monotonic()
        self.write_seconds = 0.0
        self._batches: tuple[int, list[np.ndarray]] = (-1, [])
        self._pace = self._new_pace()

    def run(self) -> state.Progress:
        """Train to the end of the plan, or from the last checkpoint on."""
        self._resume()
        devices = [torch.cuda.current_device()] if self.on.name == "cuda" else []
        with Signals() as self.signals, torch.random.fork_rng(devices):
            try:
                self._until_finished()
            except Interrupted:
                self.optimizer.zero_grad()
                self._keep()
                self.event("interrupted", step=self.progress.step, epoch=round(self.epochs_seen, 3))
                self.signals.leave()
        state.put(self.best, self.weights)
        if not state.sound(self.weights):
            raise self._diverged()
        self.model.eval()
        return self.progress

    @property
    def epochs_seen(self) -> float:
        return self.progress.seen / len(self.job.lengths)

    @property
    def rows(self) -> int:
        """Rows to be seen in all."""
        return self.plan.rows_at(self.progress.step)

    def _until_finished(self) -> None:
        self.model.train()
        while not self.progress.finished:
            begin = ended = time.monotonic()
            if self.progress.seen >= self.rows or self._evaluation_due():
                self._evaluate()
            else:
                self._step(self._next_batch())
                ended = time.monotonic()
                self.progress.seconds += ended - begin
                self._report()
            if not self.progress.finished:
                self._keep_if_due()
            self.progress.apart += time.monotonic() - ended
        if self.write_seconds or time.monotonic() - self.kept > 60:
            self._keep()
        self.signals.check()

    def _next_batch(self) -> np.ndarray:
        return self._batches_of(self.progress.epoch)[self.progress.position]

    def _batches_of(self, epoch: int) -> list[np.ndarray]:
        if self._batches[0] != epoch:
            job, tokens = self.job, self.plan.batch_tokens
            made = batches.epoch(job.lengths, tokens, self.seed, epoch, strata=job.strata, step=self.on.length_step)
            self._batches = (epoch, made)
        return self._batches[1]

    def _step(self, rows: np.ndarray) -> None:
        """One update. Changes nothing when it raises."""
        p = self.progress
        self.team.begin(p, self.weights)
        loss = self._backward(rows)
        norm = torch.nn.utils.clip_grad_norm_(self.weights.values(), CLIP)
        self.bad = torch.maximum(self.bad, (~(norm.isfinite() & loss.isfinite())).float())
        if self.on.looks_are_free and self.bad:
            return self._stop_non_finite()
        rate = self.plan.rate_at(p.seen, self.rows)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.found_inf = self.bad  # type: ignore[attr-defined]  # the fused kernel then leaves the update out
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.running += loss
        self.rows_running += len(rows)
        p.step, p.seen, p.position = p.step + 1, p.seen + len(rows), p.position + 1
        if p.position == len(self._batches[1]):
            p.epoch, p.position = p.epoch + 1, 0
        self.on.sweep()
        return None

    def _backward(self, rows: np.ndarray) -> torch.Tensor:
        """Gradients of a batch, in as many pieces as fit into memory; returns the summed loss."""
        # Every row weighs the same, however many share its batch.
        share = len(self._batches[1]) / len(self.job.lengths)

        def mine() -> torch.Tensor:
            total = torch.zeros((), device=self.on.name)
            pieces = np.array_split(rows, min(self.plan.split * self.team.size, len(rows)))
            for part, piece in self.team.mine(pieces):
                self.signals.check()
                torch.manual_seed(self.seed * 1_000_003 + self.progress.step * MOST_SPLIT + part)
                with self.on.autocast():
                    loss = self.job.loss(self.called, piece)
                (loss * share).backward()
                total += loss.detach()
            return total

        while True:
            try:
                return self.team.summed(mine, self.weights)
            except Exception as error:
                self.optimizer.zero_grad()
                if not device.is_out_of_memory(error) or self.plan.split >= min(MOST_SPLIT, len(rows)):
                    raise
            self._halve()

    def share(self) -> None:
        """In a process that helps: its part of the batch that `progress` names."""
        self._backward(self._next_batch())
        self.optimizer.zero_grad()

    def _halve(self) -> None:
        self.on.free()
        self.plan = replace(self.plan, split=self.plan.split * 2)
        self.replan(self.plan)
        text = f"out of memory: batches now go through the model in {self.plan.split} pieces"
        self.event("warning", text=text, step=self.progress.step)

    def _stop_non_finite(self) -> None:
        self.optimizer.zero_grad()
        p = self.progress
        if p.step == 0:
            fix = "lower the learning rate, or check the base model's weights"
            raise SlmfitError("the loss of the first batch is not a finite number", fix=fix)
        p.stopped = f"the loss was no longer a finite number after {p.seen:,} rows; the last good weights were kept"
        self.event("warning", text=p.stopped, step=p.step)
        self._evaluate(last=True)

    def _evaluation_due(self) -> bool:
        if not self.plan.evaluations:
            return False
        return self.progress.seen * self.plan.evaluations // len(self.job.lengths) > self.progress.evaluations

    def _evaluate(self, last: bool = False) -> None:
        """Score validation, keep the best weights, and say whether this was the last time."""
        p = self.progress
        self._look()
        if p.finished:
            return None
        last = last or p.seen >= self.rows
        if self.plan.evaluations:
            self.model.eval()
            self.on.free()  # answering takes other memory than training, which would stay beside it
            try:
                scores = self.job.validate(self.called, self.signals.check)
            except NotFinite:
                return self._stop_diverged()
            finally:
                self.model.train()
                self.on.free()
            self._judge(scores)
            rounded = {k: float(f"{v:.6g}") for k, v in state.finite(scores).items()}
            self.event("loss", split="validation", measured="evaluated", epoch=round(self.epochs_seen, 3), **rounded)
            p.evaluations = p.seen * self.plan.evaluations // len(self.job.lengths)
        if p.stale >= self.plan.patience and not last:
            p.stopped = f"validation did not improve {p.stale} times in a row"
        p.finished = last or p.stopped is not None
        return None

    def _stop_diverged(self) -> None:
        """End with the best weights so far. Raises SlmfitError when there are none."""
        p = self.progress
        if p.best is None:
            raise self._diverged()
        if not p.stopped:
            p.stopped = f"the model computed no finite number after {p.seen:,} rows; the last good weights were kept"
            self.event("warning", text=p.stopped, step=p.step)
        p.finished = True

    def _diverged(self) -> SlmfitError:
        fix = "lower the learning rate, or check the base model's weights"
        return SlmfitError(f"the training diverged: no weights were good after {self.progress.seen:,} rows", fix=fix)

    def _judge(self, scores: dict[str, float]) -> None:
        """A better score is better; of equal ones the one with the lower loss."""
        p, value = self.progress, scores[self.metric]
        loss = scores["loss"] if math.isfinite(scores["loss"]) else 1e30
        if p.best is None or p.best_loss is None or (value, -loss) > (p.best, -p.best_loss):
            p.best, p.best_loss, p.best_step, p.stale, p.scores = value, loss, p.step, 0, state.finite(scores)
            self.best = {n: w.detach().clone() for n, w in self.weights.items()}
        else:
            p.stale += 1

    def _look(self) -> None:
        """Find out, where looking is not free, whether a step was left out."""
        if not self.on.looks_are_free and not self.progress.stopped and bool(self.bad):
            self._stop_non_finite()

    def _report(self) -> None:
        now = time.monotonic()
        if now - self.reported < REPORT_SECONDS or not self.rows_running:
            return
        self._look()
        p = self.progress
        self._pace.reached(p.seen)
        each = self._pace.each() or p.seconds / p.seen
        self.event(
            "loss",
            split="train",
            measured="running",
            epoch=round(self.epochs_seen, 3),
            loss=float(f"{float(self.running) / self.rows_running:.6g}"),
            **how_far(p.seen, self.rows),
            rows_per_second=round(1 / max(1e-9, each), 1),
            eta_seconds=max(0, round((self.rows - p.seen) * each)),
        )
        self.running.zero_()
        self.rows_running, self.reported = 0, now
        self._hold_to_time(each)

    def _new_pace(self) -> Pace:
        """The speed of late, in seconds of training; on a short training late is shorter."""
        window = LATE if self.plan.seconds is None else min(LATE, self.plan.seconds / 30)
        return Pace(lambda: self.progress.seconds, self.progress.seen, window)

    def _hold_to_time(self, each: float) -> None:
        """Move the end of the training by the speed of late, when it would miss its time by more than a fiftieth."""
        plan, p = self.plan, self.progress
        # Decided after a resume already, or too early to tell.
        if plan.seconds is None or any(step > p.step for step, _ in plan.revisions) or p.seen < 0.05 * self.rows:
            return
        left = max(0.0, plan.seconds - p.seconds - p.apart)
        fits = plan.rows_in(left, p.seen, max(0, plan.evaluations * plan.epochs - p.evaluations), max(1e-9, each))
        fits = max(fits, p.seen + 1, min(self.rows, int((1 + COOLING) * p.seen)))
        fits = min(fits, (plan.most_epochs or plan.epochs) * len(self.job.lengths))
        if abs(fits - self.rows) > 0.02 * self.rows:
            self.plan = plan.revised(p.step, fits)
            if plan.most_epochs:
                self.plan = replace(self.plan, epochs=math.ceil(fits / len(self.job.lengths)))
            self.replan(self.plan)

    def _keep_if_due(self) -> None:
        every = max(CHECKPOINT_SECONDS, CHECKPOINT_SHARE * self.write_seconds)
        if self.store and time.monotonic() - self.kept >= every:
            self._keep()
        self.signals.check()

    def _keep(self) -> None:
        """Write a checkpoint. A full disk does not end a training that is well in memory."""
        if self.store is None:
            return
        self._look()
        begin = time.monotonic()
        tensors = state.gathered(self.weights, self.best, self.optimizer)
        about = {"progress": asdict(self.progress), "threads": torch.get_num_threads(), "processes": self.team.size}
        try:
            self.store.write(self.progress.step, tensors, about)
        except OSError as error:
            text = f"no checkpoint was written: {error.strerror}; the one before is kept"
            self.event("warning", text=text, step=self.progress.step)
        else:
            self.event("checkpoint", step=self.progress.step, epoch=round(self.epochs_seen, 3))
        self.kept = time.monotonic()
        self.write_seconds = self.kept - begin

    def _resume(self) -> None:
        known, damaged = self.store.newest(self._fits) if self.store else (None, 0)
        if damaged:
            where = "the one before is used" if known else "there is none before; starting over"
            self.event("warning", text=f"{damaged} checkpoint(s) were damaged, or of another training; {where}")
        if known is None:
            return
        self.progress = state.Progress(**known.about["progress"])
        self._pace = self._new_pace()
        self.best = state.scattered(known.tensors, self.weights, self.optimizer)
        for what, now in (("threads", torch.get_num_threads()), ("processes", self.team.size)):
            if (then := known.about.get(what, now)) != now:
                text = f"the training began with {then} {what}; with another number its last bits will differ"
                self.event("warning", text=text)
        self.event("resume", step=self.progress.step, epoch=round(self.epochs_seen, 3))

    def _fits(self, known: State) -> bool:
        """Whether a checkpoint is one of this training: anybody may have put another there."""
        progress = state.progress_of(known.about.get("progress"))
        return (
            progress is not None
            and state.fit(known.tensors, self.weights)
            and progress.seen <= (progress.epoch + 1) * len(self.job.lengths)
            and progress.position < len(self._batches_of(progress.epoch))
        )
