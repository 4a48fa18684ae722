"""What a check has to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["passed", "weaker", "warning", "failed"]
"""Of these only `failed` says that the world does not conform; `weaker` is a check that could not look as closely."""


@dataclass(frozen=True)
class Finding:
    """One paragraph. Of a check that passed: what was looked at, and what was measured."""

    check: str
    """The check's name."""
    level: Level
    what: str
    """What was found and where: field, step, row, values."""
    contract: str = ""
    """What the contract says of it; empty where nothing is wrong."""
    change: str = ""
    """What to change."""

    @property
    def text(self) -> str:
        """All of it, as a paragraph."""
        return " ".join(part for part in (self.what, self.contract, self.change) if part)

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def passed(check: str, what: str) -> Finding:
    return Finding(check, "passed", what)


def warning(check: str, what: str, *, contract: str = "", change: str = "") -> Finding:
    return Finding(check, "warning", what, contract, change)


def failed(check: str, what: str, *, contract: str, change: str) -> Finding:
    return Finding(check, "failed", what, contract, change)


def counted(number: int, noun: str) -> str:
    """As `1 field`, `2 fields`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: list[str], limit: int = 6) -> str:
    """Names for a sentence, the first few where there are many."""
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
