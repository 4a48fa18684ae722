"""The clips that a report holds: chosen, and turned into addresses that hold them, as far as there is room."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from reward_agent.chronicle import Chronicle, Round
from reward_agent.errors import UsageError, unknown_name
from reward_agent.report import MEGABYTES

Videos = Literal["all", "best", "none"]


@dataclass(frozen=True)
class Films:
    addresses: dict[Path, str]
    """`data:` addresses of those that are in the report, by file."""
    left_out: tuple[Path, ...]
    """For want of room."""


def choose_films(run: Chronicle, which: str, megabytes: int = MEGABYTES) -> Films:
    """The kept policy's clip first, then the rounds' in order, each that still fits.

    Raises:
        UsageError: `which` is none of `Videos`, or the size none that a file can have.
    """
    if which not in get_args(Videos):
        raise unknown_name("choice of videos", which, get_args(Videos))
    if megabytes < 0:
        raise UsageError(f"A report cannot hold {megabytes} megabytes of videos; --videos none leaves them out.")
    addresses: dict[Path, str] = {}
    left_out: list[Path] = []
    room = megabytes * 1_000_000
    for path in dict.fromkeys(_wanted(run, which)):
        size = path.stat().st_size
        if size > room:
            left_out.append(path)
            continue
        room -= size
        addresses[path] = f"data:video/mp4;base64,{base64.b64encode(path.read_bytes()).decode()}"
    return Films(addresses, tuple(left_out))


def _wanted(run: Chronicle, which: str) -> Iterator[Path]:
    if which == "none":
        return
    if run.best_video:
        yield run.best_video
    for each in run.rounds:
        chosen = each.candidates if which == "all" else [c for c in each.candidates if c.index in _told_apart(each)]
        yield from (candidate.video for candidate in chosen if candidate.video)


def _told_apart(each: Round) -> set[int | None]:
    """Best and worst of a round as the judge found them; without a judge the best."""
    if each.judgement:
        return {each.judgement.best, each.judgement.worst}
    scored = [(c.outcome.score(), -c.index) for c in each.candidates if c.outcome and c.outcome.metrics]
    return {-max(scored)[1]} if scored else {c.index for c in each.candidates}
