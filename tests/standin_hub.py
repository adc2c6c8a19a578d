"""A stand-in for Hugging Face's hub: plain http on this machine, serving folders, and noting what is asked for.

    with StandinHub() as hub:
        hub.models["acme/encoder"] = Path("…")
        subprocess.run(command, env={**os.environ, **hub.environment(home)})
        hub.asked("model.safetensors")

`hub.answers["acme/broken"] = 500` makes a name answer with that status instead; 401 is what the real hub says of a
name that is private or missing, and "gated" what it says of one whose terms were not agreed to.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

_API = re.compile(r"/api/(models|datasets)/((?:[^/]+/)?[^/]+?)(?:/(revision|tree|paths-info)/([^/]+)(/.*)?)?")
_FILE = re.compile(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@dataclass
class Request:
    """What was asked for, with which token, and how many bytes of a body went out."""

    method: str
    path: str
    token: str | None
    sent: int = 0


class StandinHub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models: dict[str, Path] = {}
        self.datasets: dict[str, Path] = {}
        self.answers: dict[str, int | str] = {}  # name -> status, or "gated", instead of the files
        self.requests: list[Request] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> StandinHub:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()  # which is also how soon it ends
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def environment(self, home: Path, **more: str) -> dict[str, str]:
        """What a process needs to take this hub for the real one, with a cache of its own."""
        own = {"HF_ENDPOINT": self.url, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
        own |= {"HF_HUB_ETAG_TIMEOUT": "120", "HF_HUB_DOWNLOAD_TIMEOUT": "120"}  # seconds: machines are shared
        return own | {"HF_UPDATE_DOWNLOAD_COUNTS": "0"} | more

    def asked(self, ending: str) -> int:
        """How many bytes of files that end so were sent."""
        return sum(r.sent for r in self.requests if r.path.endswith(ending) and r.method == "GET")

    def commit(self, folder: Path) -> str:
        """The folder's revision: 40 hex digits that change with its files."""
        digest = hashlib.sha1()
        for path in files(folder):
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
        return digest.hexdigest()


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandinHub

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        url = urlsplit(self.path)
        self.request_ = Request(self.command, unquote(url.path), self.headers.get("Authorization"))
        self.server.requests.append(self.request_)
        path = self.request_.path
        if found := _API.fullmatch(path):
            self._api(*found.groups(), body=body)
        elif found := _FILE.fullmatch(path):
            self._file(*found.groups())
        else:
            self._refuse(404, "RepoNotFound")

    do_HEAD = do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing: tests read `requests`."""

    def _folder(self, kind: str, name: str, revision: str | None) -> Path | None:
        """The folder behind a name; None when it was answered already."""
        answer = self.server.answers.get(name)
        if answer == "gated":
            self._refuse(403 if self.request_.token else 401, "GatedRepo")
        elif isinstance(answer, int):
            self._refuse(answer, "RepoNotFound" if answer in (401, 404) else None)
        elif (folder := getattr(self.server, kind).get(name)) is None:
            self._refuse(401 if self.request_.token is None else 404, "RepoNotFound")
        elif revision not in (None, "main", self.server.commit(folder)):
            self._refuse(404, "RevisionNotFound")
        else:
            return folder
        return None

    def _api(
        self, kind: str, name: str, verb: str | None, revision: str | None, below: str | None, body: bytes
    ) -> None:
        folder = self._folder(kind, name, revision)
        if folder is None:
            return
        if verb in ("tree", "paths-info"):
            entries = self._entries(folder)
            if verb == "paths-info":
                from urllib.parse import parse_qs

                given = self.headers.get("Content-Type", "")
                wanted = json.loads(body)["paths"] if "json" in given else parse_qs(body.decode())["paths"]
                entries = [e for e in entries if e["path"] in wanted]
            elif "recursive=True" not in self.path and "recursive=true" not in self.path:
                top = (below or "").strip("/")
                entries = [e for e in entries if e["path"].rpartition("/")[0] == top]
            self._send(entries)
            return
        siblings = [{"rfilename": p.relative_to(folder).as_posix()} for p in files(folder)]
        about = {"id": name, "sha": self.server.commit(folder), "siblings": siblings, "private": False, "tags": []}
        self._send({**about, "downloads": 0, "likes": 0, "gated": False})

    def _entries(self, folder: Path) -> list[dict[str, object]]:
        folders = sorted({p.parent for p in files(folder)} - {folder})
        made = [{"type": "directory", "path": p.relative_to(folder).as_posix(), "oid": "0" * 40} for p in folders]
        for path in files(folder):
            about = {"path": path.relative_to(folder).as_posix(), "size": path.stat().st_size}
            made.append({"type": "file", "oid": hashlib.sha1(path.read_bytes()).hexdigest(), **about})
        return made

    def _file(self, datasets: str | None, name: str, revision: str, file: str) -> None:
        folder = self._folder("datasets" if datasets else "models", name, revision)
        if folder is None:
            return
        path = folder / file
        if not path.is_file():
            self._refuse(404, "EntryNotFound")
            return
        raw = path.read_bytes()
        start, status = 0, 200
        if given := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, end, status = int(given[1]), int(given[2] or len(raw) - 1), 206
            raw_part = raw[start : end + 1]
        else:
            raw_part = raw
        self.send_response(status)
        self.send_header("ETag", f'"{hashlib.sha256(raw).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.server.commit(folder))
        self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{start + len(raw_part) - 1}/{len(raw)}")
        self._finish(raw_part)

    def _send(self, value: object) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self._finish(json.dumps(value).encode())

    def _refuse(self, status: int, code: str | None) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
        self._finish(b"")

    def _finish(self, body: bytes) -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.request_.sent = len(body)
            self.wfile.write(body)
