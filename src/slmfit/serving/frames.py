"""What the server and its workers say to each other: a length, one line of JSON, and raw bytes behind it.

    stream.write(frame({"sizes": [5]}, b"[1,2]"))
    head, rest = unframed(payload)

No pickles: what a worker says can say nothing but numbers and text.
"""

from __future__ import annotations

import json
import struct
from typing import Any

LENGTH = struct.Struct(">I")
MOST = 1 << 28  # bytes; whoever announces more has lost the thread


def frame(head: Any, rest: bytes = b"") -> bytes:
    """One message, ready to be written."""
    line = json.dumps(head).encode()
    return LENGTH.pack(len(line) + 1 + len(rest)) + line + b"\n" + rest


def unframed(payload: bytes) -> tuple[Any, bytes]:
    """Head and rest of a message whose length was read already."""
    line, _, rest = payload.partition(b"\n")
    return json.loads(line), rest
