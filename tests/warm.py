"""Python in processes of their own, forked from one that has imported already what they need: no start to wait for.

    done = warm.run([sys.executable, "-m", "slmfit", "methods"], text=True)   # as subprocess.run
    process = warm.start([sys.executable, "-c", code], cwd=folder)   # what tests need of subprocess.Popen
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)

What runs, runs as it would have: its words, its streams, its folder, its environment. What it shares with others that
are forked here are imported modules (so what they read from the environment while they are imported) and the seed of
hashes. Whatever tests the start itself starts Python.
"""

import atexit
import contextlib
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace

LINEAR = ("polars", "sklearn.svm", "slmfit.comparison.compare", "slmfit.methods.linear")
TORCH = (*LINEAR, "torch", "torch._dynamo", "torch.distributed.tensor", "pandas")  # and nothing that asks for a hub
TUNED = (*TORCH, "transformers.modeling_utils", "slmfit.methods.encoder", "slmfit.methods.causal")


class Warm:
    """See the module's docstring; the process that others are forked from begins with the first of them.

    address: of one that was begun elsewhere.
    """

    def __init__(self, address=None):
        self._folder, self._server, self._address = None, None, address

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        if self._server:
            self._server.stdin.close()
            self._server.wait()
            self._server.stdout.close()
            self._folder.cleanup()
        self._server, self._address = None, None

    @property
    def address(self):
        if not self._address:
            self._begin()
        return self._address

    def run(self, command, *, input=None, check=False, timeout=None, text=False, encoding=None, errors=None, **how):
        """As subprocess.run, but both streams are always kept. imports: modules that are imported before the fork."""
        how.pop("capture_output", None)
        encoding = encoding or ("utf-8" if text else None)
        given = input.encode(encoding) if isinstance(input, str) else input or b""
        process = self.start(command, input=given, **how)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            raise
        out, err = (
            io.TextIOWrapper(io.BytesIO(data), encoding, errors).read() if encoding else data for data in process.said
        )
        done = subprocess.CompletedProcess(command, code, out, err)
        if check:
            done.check_returncode()
        return done

    def start(self, command, *, imports=LINEAR, cwd=None, env=None, input=b""):
        streams = [tempfile.TemporaryFile() for _ in range(3)]  # noqa: SIM115
        streams[0].write(input)
        streams[0].seek(0)
        asked = {"command": list(map(str, command[1:])), "imports": imports, "cwd": str(cwd or Path.cwd())}
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.address)
        socket.send_fds(connection, [b"."], [stream.fileno() for stream in streams])
        connection.sendall(json.dumps(asked | {"env": dict(os.environ if env is None else env)}).encode())
        connection.shutdown(socket.SHUT_WR)
        streams.pop(0).close()
        return Process(command, connection, streams)

    def _begin(self):
        self._folder = tempfile.TemporaryDirectory()
        address = str(Path(self._folder.name) / "socket")
        environment = os.environ | {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
        measured_by = address if self is shared else shared.address
        command = [sys.executable, "-P", __file__, address, measured_by]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._server = subprocess.Popen(command, env=environment, **pipes)
        self._server.stdout.readline()
        self._address = address


class Process:
    """What of subprocess.Popen tests need."""

    def __init__(self, command, connection, streams):
        self.args, self.returncode, self.said = command, None, []  # what it wrote to stdout and stderr, at its end
        self._connection, self._streams = connection, streams
        self._told = connection.makefile()
        self.pid = int(self._told.readline())

    def poll(self):
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout)
            self.returncode = int(self._told.readline())
            self._told.close()
            self._connection.close()
            for stream in self._streams:
                with stream:
                    stream.seek(0)
                    self.said.append(stream.read())
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)


shared = Warm()
run, start, end = shared.run, shared.start, shared.end


def measure_in_forks(warm=shared):
    """The process that measures a model is, from now on, forked after its imports, which take longer than its work."""
    from slmfit.methods import TABLE
    from slmfit.runs import measuring

    def measure(command, **how):
        about = json.loads((Path(command[4]) / "slmfit.json").read_text())
        row = TABLE.get(about["method"])
        return warm.run(command, imports=TUNED if row and row.trained else LINEAR, **how)

    if sys.platform == "linux":
        measuring.subprocess = SimpleNamespace(run=measure)


# --- the process that others are forked from ---


def serve(address, measured_by):
    """A child for every connection, which is told its number and, when it has ended, its exit code."""
    measure_in_forks(Warm(measured_by))
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake)
    running = {}
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)
        while True:
            ready = select.select([listening, woken, 0], [], [])[0]
            if 0 in ready:
                return
            if woken in ready:
                os.read(woken, 1000)
            _reap(running)
            if listening in ready:
                connection, _ = listening.accept()
                asked, streams = _asked(connection)
                pid = os.fork()
                if not pid:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for one in (listening, connection, *running.values()):
                        one.close()
                    _become(asked, streams)
                running[pid] = connection
                list(map(os.close, streams))
                connection.sendall(f"{pid}\n".encode())


def _asked(connection):
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as file:
        asked = json.loads(file.read())
    for name in asked["imports"]:
        with contextlib.suppress(ImportError):  # of an extra that is not here
            importlib.import_module(name)
    return asked, streams


def _reap(running):
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with running.pop(pid) as connection, contextlib.suppress(OSError):  # whoever asked may be gone
            connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(asked, streams):
    """The process that was asked for, to its end."""
    code = 1
    try:
        _prepare(asked, streams)
        _execute(asked["command"])
        code = 0
    except SystemExit as ending:
        if not isinstance(ending.code, int | None):
            print(ending.code, file=sys.stderr)
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(BaseException):
            threading._shutdown()
            atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code & 0xFF)


def _prepare(asked, streams):
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(asked["cwd"])
    ours = os.environ.get("PYTHONPATH", "")
    os.environ.clear()
    os.environ.update(asked["env"])
    if (places := os.environ.get("PYTHONPATH", "")) != ours:
        sys.path[:0] = [place for place in places.split(os.pathsep) if place]
        importlib.invalidate_caches()


def _execute(command):
    if command[0] == "-P":
        command = command[1:]
    else:
        sys.path.insert(0, "" if command[0] == "-c" else str(Path.cwd()))
    how, what, *words = command
    main = type(sys)("__main__")
    sys.modules["__main__"] = main
    sys.argv = [how, *words]
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parent.parent / "src"))
    serve(*sys.argv[1:])
