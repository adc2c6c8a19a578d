"""Methods that slmfit does not bring: installed into a folder, as pip would, and its command line with them.

install(tmp_path, "theirs", FILE, {"theirs": "theirs:Theirs"})
slmfit("methods", "--json", cwd=tmp_path, source=tmp_path).stdout
"""

import os
import sys
from pathlib import Path

import warm

SOURCE = Path(__file__).parent.parent / "src"


def install(folder, module, file, points, version="0.1"):
    """Put a package of one module and its entry points (name -> MODULE:CLASS) where Python finds it on `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(file, encoding="utf-8")
    about = folder / f"{module}_package-{version}.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}-package\nVersion: {version}\n")
    lines = "".join(f"{name} = {place}\n" for name, place in points.items())
    (about / "entry_points.txt").write_text(f"[slmfit.methods]\n{lines}")
    return folder


def slmfit(*words, cwd, source=None, check=True):
    """The command with these words, as it is called where the current folder is none that Python looks into."""
    path = os.pathsep.join(str(folder) for folder in (source, SOURCE) if folder)
    start = "import sys; sys.path[:] = [p for p in sys.path if p]; from slmfit.__main__ import main; main()"
    command = [sys.executable, "-c", start, *words]
    env = os.environ | {"PYTHONPATH": path}
    return warm.run(command, cwd=cwd, env=env, text=True, check=check)
