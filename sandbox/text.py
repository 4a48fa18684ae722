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


def plain(text: str) -> str:
    """`text` without control, invisible and direction-changing characters; line ends and tabs stay.

    Of an escape sequence its letters are left, which steer nothing: so it can be told of each piece of a stream alone.
    """
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c)[0] != "C")


def clean(text: str, limit: int = 1000) -> str:
    """`text` without escape sequences, control, invisible and direction-changing characters, at most `limit` long.

    Line ends stay; of a longer text the beginning and the end are kept.
    """
    bounded = _ESCAPES.sub("", text[: 64 * limit]) + text[64 * limit :][-limit:]
    kept = plain(bounded).replace("\t", "    ")
    if len(kept) <= limit:
        return kept
    mark = " […] "
    head = (limit - len(mark)) * 2 // 3
    return kept[:head] + mark + kept[head + len(mark) - limit :]
