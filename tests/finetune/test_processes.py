"""Several processes train as one: the same weights, one voice, and none that waits for another for ever."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import peft  # noqa: F401  # what each process of a team would import again
import pytest
import torch
from test_loop import ROWS, Sum, net, plan

import tiny
import warm
from conftest import make_dataset
from patience import SECONDS, free_port, wait_until
from several import main_of, together
from slmfit.__main__ import _in_words
from slmfit.data.load import load_data
from slmfit.finetune import loop, processes
from slmfit.finetune.checkpoints import Checkpoints
from slmfit.finetune.device import Device
from slmfit.methods.base import Context
from slmfit.methods.causal import Causal
from slmfit.methods.causal import Settings as CausalSettings
from slmfit.methods.encoder import Encoder
from slmfit.methods.encoder import Settings as EncoderSettings
from slmfit.methods.finetuned.helping import prepare
from slmfit.runs.run import load


def led(folder, model, made, *, job=None, store=None, again=False):
    """What each process does for one training; the first leaves its weights, plans and rows seen in `folder`."""

    def training(team, **more):
        model.train()
        return loop.Training(
            model, job(team.rank), made, Device("cpu", "fp32"), seed=0, metric="accuracy", team=team, **more
        )

    def command(team):
        plans, tries = [], [None, None] if again else [None]
        while tries:
            tries.pop()
            try:
                with team.training({}, {}) as shared:
                    kept = Checkpoints(store) if store else None
                    training(shared, store=kept, replan=plans.append).run()
            except RuntimeError as error:
                print(error)
                if not tries:
                    raise
        flat = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
        np.save(folder / "weights.npy", flat.numpy())
        (folder / "splits").write_text(json.dumps([p.split for p in plans]))
        return 0

    def work():
        team = processes.join()
        if team.rank:
            return team.help(lambda helper, about, arrays: training(helper))
        return team.lead(lambda: _in_words(lambda: command(team)))

    job = job or (lambda rank: Sum())
    return work


def weights(folder):
    return np.load(folder / "weights.npy")


def alone(made, model):
    loop.Training(model, Sum(), made, Device("cpu", "fp32"), seed=0, metric="accuracy").run()
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()]).numpy()


def without_dropout():
    model = net()
    model[1].p = 0.0
    return model


def seen_by(folder):
    """A job that writes down which rows each process computes."""

    def job(rank):
        made = Sum()

        def note(rows):
            with (folder / f"rows-{rank}").open("a") as file:
                file.write("".join(f"{row}\n" for row in rows))

        made.before = note
        return made

    return job


@pytest.mark.parametrize("size", [2, 3])
def test_the_weights_are_those_of_one_process_and_every_row_is_computed_once_an_epoch(tmp_path, size):
    expected = alone(plan(), without_dropout())
    ended = together(tmp_path, led(tmp_path, without_dropout(), plan(), job=seen_by(tmp_path)), size=size)
    assert ended.codes == [0] * size, ended.said
    assert ended.said == [""] * size
    np.testing.assert_allclose(weights(tmp_path), expected, atol=1e-5)
    rows = [np.loadtxt(tmp_path / f"rows-{rank}", int) for rank in range(size)]
    assert np.bincount(np.concatenate(rows)).tolist() == [3] * ROWS
    assert min(map(len, rows)) > 0.2 * 3 * ROWS / size


def test_a_batch_of_fewer_rows_than_processes(tmp_path):
    made = plan(batch_tokens=20, epochs=1)
    expected = alone(made, without_dropout())
    assert together(tmp_path, led(tmp_path, without_dropout(), made), size=3).codes == [0, 0, 0]
    np.testing.assert_allclose(weights(tmp_path), expected, atol=1e-5)


def test_a_training_that_failed_in_the_first_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", 0)

    def job(rank):
        made = Sum()
        if rank == 0 and not list(tmp_path.glob("store/step-*")):
            made.before = lambda rows: len(made.seen) > 100 and power_cut()
        return made

    def power_cut():
        raise RuntimeError("power cut")

    assert together(tmp_path, led(tmp_path, net(), plan())).codes == [0, 0]
    whole = weights(tmp_path)
    ended = together(tmp_path, led(tmp_path, net(), plan(), job=job, store=tmp_path / "store", again=True))
    assert ended.codes == [0, 0], ended.said
    assert ended.said == ["power cut\n", ""]
    np.testing.assert_array_equal(weights(tmp_path), whole)


def test_out_of_memory_in_one_process_halves_the_batches_of_all(tmp_path):
    expected = alone(plan(), without_dropout())

    def job(rank):
        made = Sum()

        def full(rows):
            if rank == 1 and len(rows) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")

        made.before = full
        return made

    ended = together(tmp_path, led(tmp_path, without_dropout(), plan(), job=job))
    assert ended.codes == [0, 0], ended.said
    assert json.loads((tmp_path / "splits").read_text()) == [2, 4, 8]
    np.testing.assert_allclose(weights(tmp_path), expected, atol=1e-5)


@pytest.mark.parametrize("when", ["preparing", "training"])
def test_what_fails_in_a_helping_process_ends_the_training_with_its_message(tmp_path, when):
    def job(rank):
        made = Sum()
        if rank == 1:
            made.before = lambda rows: 1 / 0
            if when == "preparing":
                made.before([])
        return made

    ended = together(tmp_path, led(tmp_path, net(), plan(), job=job))
    assert ended.codes == [1, 1]
    assert ended.said[0] == "slmfit: another process of this training failed\n  fix: its own message says why\n"
    assert ended.said[1] == "slmfit, process 1 of 2: division by zero\n"


@pytest.mark.parametrize("victim", [0, 1])
def test_when_one_process_is_killed_the_other_ends(tmp_path, victim):
    def job(rank):
        made = Sum()
        if rank == victim:
            made.before = lambda rows: len(made.seen) > 100 and os.kill(os.getpid(), signal.SIGKILL)
        return made

    ended = together(tmp_path, led(tmp_path, net(), plan(), job=job))
    assert ended.codes == ([-signal.SIGKILL, 1] if victim == 0 else [1, -signal.SIGKILL])
    assert ended.said[1] == ""
    if victim == 1:
        assert "another of the processes that were started together is gone" in ended.said[0]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_to_all_leaves_one_checkpoint_and_one_exit_code(tmp_path, number, code):
    def job(rank):
        made = Sum()
        made.before = lambda rows: (tmp_path / f"going-{rank}").touch()
        return made

    def stop(pids):
        wait_until(lambda: len(list(tmp_path.glob("going-*"))) == len(pids))  # each listens to signals by now
        for pid in pids:
            os.kill(pid, number)

    work = led(tmp_path, net(), plan(epochs=5000, evaluations=0), job=job, store=tmp_path / "store")
    ended = together(tmp_path, work, meanwhile=stop)
    assert ended.codes == [code, code], ended.said
    assert ended.said[1] == ""
    assert len(list((tmp_path / "store").glob("step-*/sha256"))) == 1


@pytest.mark.parametrize("kind", ["encoder", "causal", "entities", "causal entities"])
def test_a_method_fits_the_weights_of_one_process(tmp_path, kind):
    data = make_dataset("token-classification" if "entities" in kind else "text-classification", sizes=(90, 20, 10))
    quick = {"epochs": 2, "learning_rate": 3e-3, "batch_tokens": 200, "precision": "fp32", "class_weights": True}
    if "causal" not in kind:
        base = tiny.encoder(tmp_path / "base", num_hidden_layers=1)
        method, settings = Encoder, EncoderSettings(base_model=base, **quick)
    else:
        base = tiny.causal(tmp_path / "base", num_hidden_layers=1)
        method, settings = Causal, CausalSettings(base_model=base, lora_rank=4, lora_dropout=0.0, **quick)

    def fitted(name):
        made = method(settings)
        context = Context(metric=data.task.metric, work=tmp_path / f"work-{name}")
        made.fit(data.task, data.train, data.validation, context)
        np.savez(tmp_path / name, **{n: w.numpy() for n, w in made.model.state_dict().items()})
        assert made.chosen.get("processes", 1) == processes.current().size
        return 0

    def work():
        team = processes.join()
        return team.help(prepare) if team.rank else team.lead(lambda: fitted("two"))

    fitted("one")
    ended = together(tmp_path, work)
    assert ended.codes == [0, 0], ended.said
    assert ended.said[1] == ""
    one, two = (np.load(tmp_path / f"{name}.npz") for name in ("one", "two"))
    for name in one:
        np.testing.assert_allclose(two[name], one[name], atol=1e-5)
    assert not (tmp_path / "work-two" / "work-two").exists()


@pytest.fixture
def rows(tmp_path):
    file = tmp_path / "rows.jsonl"
    made = [e for split in make_dataset(sizes=(300, 20, 20)).splits.values() for e in split]
    file.write_text(
        "".join(json.dumps({"text": f"{e.input} {n}", "label": e.target}) + "\n" for n, e in enumerate(made))
    )
    return file


def test_bad_data_end_all_processes_with_one_message_and_its_code(tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text('text,label\na,b\n"')
    ended = together(tmp_path, lambda: main_of("train", "encoder", str(file), "--out", str(tmp_path / "out")))
    assert ended.codes == [3, 3]
    assert ended.said[0].startswith(f"slmfit: {file}, line 3: a quotation mark")
    assert ended.said[1] == ""
    assert not (tmp_path / "out").exists()


def test_a_method_that_is_not_trained_runs_in_the_first(tmp_path, rows):
    ended = together(tmp_path, lambda: main_of("train", "majority", str(rows), "--out", str(tmp_path / "out")))
    assert ended.codes == [0, 0], ended.said
    assert ended.said[0].count("log_loss") == 1
    assert ended.said[1] == ""
    assert [p.name for p in (tmp_path / "out" / "runs").iterdir()] == ["majority"]


def test_torchrun_stopped_and_started_again_gives_one_run_and_the_scores_of_one_process(tmp_path, rows):
    base = tiny.encoder(tmp_path / "base", num_hidden_layers=1)
    # So many that it is stopped long before the end, though the signal goes through a process more.
    settings = {"epochs": 40, "learning_rate": 2e-3, "patience": 40, "precision": "fp32"}
    command = [sys.executable, "-m", "torch.distributed.run", "--master-port", f"{free_port()}", "--nproc-per-node=2"]
    command += ["-m", "slmfit", "train", f"encoder={base}", str(rows), "--out", str(tmp_path / "out")]
    command += [word for name, value in settings.items() for word in ("--set", f"encoder.{name}={value}")]

    def started():
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

    with started() as first:
        wait_until(lambda: first.poll() is not None or '"evaluated"' in events(tmp_path / "out"))
        first.send_signal(signal.SIGTERM)
        shown, said = first.communicate(timeout=SECONDS)
    assert shown == ""
    assert len(list((tmp_path / "out").rglob("checkpoints/step-*/sha256"))) == 1, said
    with started() as second:
        shown, said = second.communicate(timeout=SECONDS)
    assert second.returncode == 0, said
    assert shown.count("log_loss") == 1
    assert events(tmp_path / "out").count('"resume"') == 1
    assert [p.name for p in (tmp_path / "out" / "runs").iterdir()] == ["encoder-base"]
    data, alone = load_data(str(rows)), Encoder(EncoderSettings(base_model=base, **settings))
    alone.fit(data.task, data.train, data.validation, Context())
    right = [a.target == e.target for a, e in zip(alone.predict([e.input for e in data.test]), data.test, strict=True)]
    score = load(tmp_path / "out" / "runs" / "encoder-base").record.scores["test"]["accuracy"].value
    assert score == pytest.approx(np.mean(right), abs=2.1 / len(right))  # two processes add up in another order


def events(out):
    path = next(out.rglob("events.jsonl"), None)
    return path.read_text() if path else ""


def test_one_process_is_alone(monkeypatch):
    from slmfit.__main__ import _several

    assert not _several()
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    assert not _several()
    assert processes.current().size == 1


@pytest.mark.parametrize("rank", ["0", "1"])
def test_variables_that_a_job_left_behind_are_told_and_given_up(rank):
    """Nobody else comes: it waited for ever without a word."""
    code = (
        "import datetime, sys\n"
        "from slmfit.finetune import processes\n"
        "processes.MEETING = datetime.timedelta(seconds=4)\n"
        "from slmfit.__main__ import main\n"
        "sys.argv = ['slmfit', 'methods']\n"
        "main()\n"
    )
    stray = {"RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    command = [sys.executable, "-c", code]
    done = warm.run(command, env={**os.environ, **stray}, text=True, timeout=100, imports=warm.TORCH)
    assert done.returncode == 1 and done.stdout == ""
    assert "WORLD_SIZE is 2: waiting for 2 processes to come together, 4 s at most" in done.stderr
    assert "did not find each other" in done.stderr and "unset WORLD_SIZE" in done.stderr


def test_variables_that_are_not_whole_are_told(monkeypatch, capsys):
    from slmfit import __main__ as entry

    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert not entry._several()
    assert "but RANK, MASTER_ADDR, MASTER_PORT is not set: this process runs alone" in capsys.readouterr().err
