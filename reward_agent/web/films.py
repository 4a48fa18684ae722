"""Clips as a browser wants them: in parts, so that it can seek. Nothing but the picture tells which is which."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from fastapi.responses import Response, StreamingResponse

CHUNK = 1 << 18


def film(file: BinaryIO, size: int, wanted: str | None) -> Response:
    """The part that a `Range` header asks for, else all. No time of the file is told: it would tell the candidate."""
    headers = {"accept-ranges": "bytes", "content-type": "video/mp4"}
    first, last, status = 0, size - 1, 200
    if (part := _part(wanted, size)) is not None:
        first, last = part
        status = 206
        if first > last or first >= size:
            file.close()
            return Response(status_code=416, headers={"content-range": f"bytes */{size}"})
        headers["content-range"] = f"bytes {first}-{last}/{size}"
    headers["content-length"] = str(last - first + 1)
    return StreamingResponse(_read(file, first, last + 1), status_code=status, headers=headers)


def _part(wanted: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte of the single range that is asked for; None where it is none, which asks for all."""
    found = re.fullmatch(r"bytes=([0-9]{0,15})-([0-9]{0,15})", wanted or "")
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        return max(0, size - int(found[2])), size - 1
    return int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1)


def _read(file: BinaryIO, first: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        while first < end and (piece := file.read(min(CHUNK, end - first))):
            first += len(piece)
            yield piece
