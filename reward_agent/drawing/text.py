"""Text from outside as a page can hold it: what cannot be seen, or turns text around, is made visible."""

from __future__ import annotations

import re

_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
"""Controls but tab and line feed; marks of no width and of direction, which make a program read as another; halves of
characters, which no file can hold."""


def shown(text: str) -> str:
    """The text with each unseen character as its number, as `‹U+202E›`; lines end in a line feed."""
    return _UNSEEN.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text.replace("\r\n", "\n").replace("\r", "\n"))
