"""What one rater says of a round: `answers/<rater>.json`, written by the page or by anyone.

    {"rater", "ranking": [["c"], ["a", "d"]] or null, "best": "a" or null, "worst", "pairs": [{"first", "second",
     "answer"}], "none_right", "words", "remarks": {"a": "..."}, "final", "saved"}

A ranking goes from best to worst; those of one group are tied, and who is in none was skipped. Only what is `final`
counts. `mode`, `version` and `clicks` are the page's own.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from reward_agent.codec import decode, encode
from reward_agent.files import write_atomically
from reward_agent.judges.pairs import Answer

MAX_BYTES, MAX_TEXT, MAX_PAIRS = 1 << 20, 4000, 5000
"""Of a file, of a text in it [letters], of its comparisons."""
Mode = Literal["best", "pairs", "rank"]
Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Pair:
    """Two clips compared."""

    first: str
    second: str
    answer: Answer


@dataclass(frozen=True)
class Ballot:
    """A rater's answer; clips are named by their ids."""

    rater: str
    ranking: Groups | None = None
    best: str | None = None
    worst: str | None = None
    pairs: tuple[Pair, ...] = ()
    none_right: bool = False
    words: str = ""
    """Why none is right."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    final: bool = False
    """Handed in."""
    saved: str = ""
    """UTC, ISO 8601."""
    mode: Mode = "best"
    """How the rater compares on the page."""
    version: int = 0
    """How often it was saved."""
    clicks: tuple[str, ...] = ()
    """The page's names of the last that were taken."""


_NAMES = {each.name for each in fields(Ballot)}


def read_ballot(path: Path, clips: Sequence[str]) -> Ballot:
    """The answer in a file, whose name is the rater's.

    Args:
        path: of the file; anybody may have put anything there.
        clips: ids that it may name.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no answer to this question, and why.
    """
    # before it is opened: a pipe would be waited for, and a link may lead anywhere
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is no plain file")
    if found.st_size > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES:,} bytes")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError("it is no JSON") from error
    if not isinstance(data, dict):
        raise ValueError("it is no JSON object")
    known: dict[str, Any] = {name: value for name, value in data.items() if name in _NAMES}
    try:
        ballot: Ballot = decode(Ballot, known | {"rater": path.stem})
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(str(error)) from error
    require(ballot, clips)
    return ballot


def require(ballot: Ballot, clips: Sequence[str]) -> None:
    """Raise `ValueError` where an answer names what is not asked about, or is too long."""
    ranked = [clip for group in ballot.ranking or () for clip in group]
    paired = [clip for pair in ballot.pairs for clip in (pair.first, pair.second)]
    ends = [clip for clip in (ballot.best, ballot.worst) if clip is not None]
    unknown = sorted({*ranked, *paired, *ends, *ballot.remarks} - set(clips))
    if unknown:
        raise ValueError(f"there is no clip {unknown[0][:20]!r}; there are {', '.join(clips)}")
    if len(set(ranked)) < len(ranked):
        raise ValueError("a clip is in the ranking twice")
    if any(pair.first == pair.second for pair in ballot.pairs):
        raise ValueError("a clip is compared with itself")
    if ballot.best is not None and ballot.best == ballot.worst:
        raise ValueError("the same clip is best and worst")
    if len(ballot.pairs) > MAX_PAIRS:
        raise ValueError(f"it has more than {MAX_PAIRS} comparisons")
    if len(ballot.clicks) > MAX_PAIRS or any(len(name) > MAX_TEXT for name in ballot.clicks):
        raise ValueError("it has more clicks, or longer names of them, than the page writes")
    if any(len(text) > MAX_TEXT for text in (ballot.words, *ballot.remarks.values())):
        raise ValueError(f"a text is longer than {MAX_TEXT} letters")


def write_ballot(path: Path, ballot: Ballot) -> None:
    """Replace a rater's answer, whole, with the time in it."""
    value = encode(ballot) | {"saved": datetime.now(UTC).isoformat(timespec="seconds")}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def set_aside(path: Path) -> Path:
    """Rename what is no answer, so that nobody reads it again and its writer can mend it."""
    aside = path.with_name(f"{path.name}.refused")
    path.replace(aside)
    return aside
