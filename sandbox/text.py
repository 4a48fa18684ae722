"""Text that came out of a program is data: bounded and stripped of what could steer a terminal."""

from __future__ import annotations

import re
import unicodedata

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"  # control sequences: colours, cursor
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # strings up to their end: titles, clipboard
    r"|\x1b.?",
    re.DOTALL,
)


def clean(text: str, limit: int = 1000) -> str:
    """`text` without escape sequences, control, invisible and direction-changing characters, at most `limit` long.

    Line ends stay; of a longer text the beginning and the end are kept.
    """
    plain = _ESCAPES.sub("", text[: 64 * limit]) + text[64 * limit :][-limit:]
    plain = "".join(c for c in plain.replace("\t", "    ") if c == "\n" or unicodedata.category(c)[0] != "C")
    if len(plain) <= limit:
        return plain
    mark = " […] "
    head = (limit - len(mark)) * 2 // 3
    return plain[:head] + mark + plain[head + len(mark) - limit :]
