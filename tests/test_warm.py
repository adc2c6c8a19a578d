"""What is forked runs as what is started: its words, streams, folder, environment and end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import warm
from conftest import LONGEST

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks after imports are made on Linux alone")
SAYS = """
import os, sys
print(sys.argv, sys.stdin.read(), os.getcwd(), os.environ.get("THIS"), __name__)
print("é", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.parametrize("code", [0, 3])
def test_as_if_it_had_been_started(tmp_path, code):
    command = [sys.executable, "-c", SAYS, str(code), "b"]
    how = {"cwd": tmp_path, "env": os.environ | {"THIS": "that"}, "input": "données", "text": True}
    forked, started = warm.run(command, **how), subprocess.run(command, capture_output=True, **how)
    assert (forked.returncode, forked.stdout, forked.stderr) == (code, started.stdout, started.stderr)
    assert "donn" in forked.stdout and str(tmp_path) in forked.stdout


def test_a_module_and_what_python_looks_into(tmp_path):
    (tmp_path / "theirs.py").write_text("import sys\nprint(__name__, sys.argv[1:])\nraise SystemExit('no')\n")
    for more, code in (({"cwd": tmp_path}, 1), ({"env": os.environ | {"PYTHONPATH": str(tmp_path)}}, 1)):
        done = warm.run([sys.executable, "-m", "theirs", "a"], text=True, **more)
        assert (done.returncode, done.stdout, done.stderr) == (code, "__main__ ['a']\n", "no\n")
    assert warm.run([sys.executable, "-P", "-c", "import theirs"], cwd=tmp_path).returncode == 1


def test_how_it_ends():
    assert b"ZeroDivisionError" in warm.run([sys.executable, "-c", "1 / 0"]).stderr
    with pytest.raises(subprocess.CalledProcessError):
        warm.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], check=True)
    process = warm.start([sys.executable, "-c", "import time; time.sleep(100)"])
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == process.returncode == -signal.SIGTERM
    with pytest.raises(subprocess.TimeoutExpired):
        warm.run([sys.executable, "-c", "import time; time.sleep(100)"], timeout=0.1)


def test_what_takes_longest_is_still_there():
    assert [name for name in LONGEST if not (Path(__file__).parent / name).is_file()] == []
