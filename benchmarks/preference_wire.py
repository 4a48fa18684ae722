"""What two processes with different packages say to each other: a name, facts as JSON, arrays as raw bytes. No pickle.

Nothing but numpy is needed here, so that both sides can import it.
"""

from __future__ import annotations

import json
import os
import struct
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

DTYPES = ("<f4", "<f8", "|b1")
_LENGTH = struct.Struct("<I")


class Frame(NamedTuple):
    """One message."""

    name: str
    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]
    """Read-only."""


class Channel:
    """Frames over two pipes, one each way.

    Args:
        reads: file descriptor to read from; this owns it.
        writes: file descriptor to write to; this owns it.
    """

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = os.fdopen(reads, "rb"), os.fdopen(writes, "wb")

    def send(self, name: str, facts: dict[str, Any] | None = None, **arrays: np.ndarray) -> None:
        """Raises `TypeError` where an array is of a type that is not sent, `BrokenPipeError` where nobody reads."""
        found = {key: np.ascontiguousarray(array) for key, array in arrays.items()}
        if odd := [key for key, array in found.items() if array.dtype.str not in DTYPES]:
            raise TypeError(f"{odd[0]} is of type {found[odd[0]].dtype}; what is sent is of {', '.join(DTYPES)}")
        shapes = [[key, array.dtype.str, list(array.shape)] for key, array in found.items()]
        head = json.dumps([name, facts or {}, shapes]).encode()
        self._writes.write(b"".join([_LENGTH.pack(len(head)), head, *(array.tobytes() for array in found.values())]))
        self._writes.flush()

    def receive(self) -> Frame:
        """Wait for the next frame. Raises `EOFError` where the other side has ended."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        name, facts, shapes = json.loads(self._exactly(length))
        arrays = {}
        for key, kind, shape in shapes:
            if kind not in DTYPES:
                raise TypeError(f"{key} comes as {kind}; what is sent is of {', '.join(DTYPES)}")
            dtype = np.dtype(kind)
            content = self._exactly(dtype.itemsize * int(np.prod(shape, dtype=np.int64)))
            arrays[key] = np.frombuffer(content, dtype).reshape(shape)
        return Frame(name, facts, arrays)

    def close(self) -> None:
        self._reads.close()
        with suppress(BrokenPipeError):  # what was left to flush; nobody reads it any more
            self._writes.close()

    def _exactly(self, size: int) -> bytes:
        content = self._reads.read(size)
        if len(content) < size:
            raise EOFError("the other side has ended")
        return content
