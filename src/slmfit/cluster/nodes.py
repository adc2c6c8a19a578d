"""The machines of a Ray cluster, joined, and checked to be alike before anything is sent there.

with joined("10.0.0.1:6379") as ray:      # or "auto": one of this machine's own cores, on loopback
    ray.get(ray.remote(environment).remote())
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slmfit.environment import cores, environment, install, missing
from slmfit.errors import MissingPart, UsageError

AUTO = "auto"
ALIKE = ("slmfit", "python", "packages")  # of `environment`, what decides a result
ANSWER_SECONDS = 120.0  # until a node has said what it is
CONNECT_SECONDS = 10.0
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # a frame of HTTP/2: length, type, flags, stream
_ADDRESS = re.compile(r"([^\s/:]+):(\d{1,5})")


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """The module `ray`, connected until the end. address: HOST:PORT of the cluster's head, of which this machine is
    one; "auto" starts one of this machine's own cores, which nobody else can reach.

    Raises MissingPart without Ray, and UsageError where no cluster answers or a node runs other code or packages.
    """
    if missing("ray"):
        raise MissingPart("--cluster needs Ray", fix=install("cluster"))
    options, before = _options(address), dict(os.environ)
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0"} | (_alone() if address == AUTO else {})
    import ray

    here, main = Path.cwd(), threading.current_thread() is threading.main_thread()
    ours = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)} if main else {}
    with TemporaryDirectory(prefix="slmfit-") as empty:
        try:
            os.chdir(empty)  # where Ray is started its workers import from: not from among the user's files
            ray.init(**options)
        except (ConnectionError, RuntimeError, TimeoutError) as error:
            raise _unreachable(address, str(error).partition("\n")[0]) from None
        finally:
            os.chdir(here)
        try:
            for number, handler in ours.items():  # Ray has put its own there
                signal.signal(number, handler)
            if address == AUTO and not ipaddress.ip_address(ray.util.get_node_ip_address()).is_loopback:
                raise UsageError(
                    "this Ray cannot be held to loopback", where=AUTO, fix="start one, and name its address"
                )
            with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # where Ray tells that a node died
                check_nodes(ray)
                yield ray
        finally:
            ray.shutdown()
            os.environ.clear()
            os.environ.update(before)


def _alone() -> dict[str, str]:
    """What keeps others out of a Ray of our own: it listens on loopback, and answers who knows the token.

    Ray has no setting for the former; it is what it does where it holds that a machine is alone.
    """
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", **token}


def _options(address: str) -> dict[str, Any]:
    """What Ray is started or joined with. Raises UsageError for what is no address, or where nobody listens."""
    quiet = {"log_to_driver": False, "logging_level": "error"}
    if address == AUTO:
        return {"address": "local", "include_dashboard": False, "num_cpus": cores(), **quiet}
    found = _ADDRESS.fullmatch(address)
    if not found:
        fix = "give HOST:PORT of its head, as `ray start --head` prints it, on a machine of the cluster; or auto"
        raise UsageError(f"--cluster cannot be {address!r}", fix=fix)
    try:
        knock(found[1], int(found[2]))
    except (OSError, OverflowError) as error:
        raise _unreachable(address, str(error)) from None
    return {"address": address, **quiet}


def knock(host: str, port: int) -> None:
    """Raise OSError where nobody listens, or where what listens is not a Ray head: Ray itself would try for minutes.

    A head speaks gRPC, so it answers the greeting of HTTP/2 with its settings (RFC 9113, sections 3.4 and 6.5).
    """
    with socket.create_connection((host, port), CONNECT_SECONDS) as connection:
        if os.environ.get("RAY_USE_TLS") == "1":
            return
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS)
        answer = b""
        while len(answer) < 4 and (more := connection.recv(16)):
            answer += more
        if answer[3:4] != SETTINGS[3:4]:
            raise OSError("what listens is not a Ray head")


def _unreachable(address: str, said: str) -> UsageError:
    fix = f"run this on a machine of the cluster (ray start --address {address} joins one); "
    fix += "if it wants a token, set RAY_AUTH_MODE=token"
    return UsageError(f"no Ray cluster can be joined there: {said}", where=address, fix=fix)


def check_nodes(ray: Any) -> None:
    """Raise UsageError unless every node runs the same slmfit, Python and packages as this process."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked, here = {}, environment()
    for node in ray.nodes():
        if node["Alive"]:
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            about = ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=there)(environment)
            asked[f"{node['NodeManagerAddress']} ({node['NodeManagerHostname']})"] = about.remote()
    for name, reference in asked.items():
        try:
            found = ray.get(reference, timeout=ANSWER_SECONDS)
        except Exception as error:
            last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            fix = "install the same slmfit there, and start its Ray with that Python"
            raise UsageError(f"the node cannot run slmfit: {last}", where=name, fix=fix) from None
        if differ := list(differences(here, found)):
            what = f"the node is not like this machine: {'; '.join(differ)}"
            raise UsageError(what, where=name, fix="install the same versions everywhere")


def differences(here: dict[str, Any], there: dict[str, Any]) -> Iterator[str]:
    """What of two environments would let the same command come to another result, in words."""
    flat = [{**{name: one[name] for name in ALIKE if name != "packages"}, **one["packages"]} for one in (here, there)]
    for name in sorted({*flat[0], *flat[1]}):
        if flat[0].get(name) != flat[1].get(name):
            yield f"{name} is {flat[1].get(name)} there and {flat[0].get(name)} here"
