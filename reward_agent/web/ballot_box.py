"""Keeps what raters say, at every click: an answer a rater beside the run, and what it was before each click."""

from __future__ import annotations

import fcntl
import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reward_agent.codec import decode, encode
from reward_agent.files import write_atomically
from reward_agent.judges.ballots import Ballot, read_ballot, set_aside, write_ballot
from reward_agent.judges.sheets import ANSWERS, Sheet
from reward_agent.web.steps import TEXTS, handed_in, step

UNDONE = "undo"
"""Folder of earlier answers, and the step that brings one back."""
LOCK = ".lock"
MOST_UNDONE = 200
MOST_CLICKS, CLICK_NAME = 50, 64
"""How many names of clicks are kept, more than a browser sends again; their most letters."""


@dataclass(frozen=True)
class Saved:
    """What became of a click."""

    ballot: Ballot
    """As it is now."""
    refused: bool = False
    """It was made on an earlier version of the answer, and is not in this one."""


class BallotBox:
    """The answers to one question."""

    def __init__(self, folder: Path, sheet: Sheet) -> None:
        """`folder` is the round's `judging`."""
        self.folder, self.sheet = folder, sheet

    def ballot(self, rater: str) -> Ballot:
        """A rater's answer so far, with all ways that they compared by."""
        shown = self._read(rater)
        kept = self._drafts(rater)
        # what was handed in holds one way alone; the draft that it came from holds the others
        return (
            replace(kept[-1], final=True, version=shown.version, clicks=shown.clicks) if shown.final and kept else shown
        )

    def all(self) -> list[Ballot]:
        """What every rater says so far; files that are no answers are left out."""
        found = []
        for path in sorted((self.folder / ANSWERS).glob("*.json")):
            try:
                found.append(read_ballot(path, self.sheet.ids))
            except (OSError, ValueError):
                continue
        return found

    def save(self, rater: str, do: str, text: str, version: int, *, click: str = "", force: bool = False) -> Saved:
        """Do one step, and keep what comes of it before this returns.

        Args:
            rater: whose answer.
            do, text: the step, see `steps.step`; or `undo`.
            version: of the answer that the rater saw.
            click: names this click: sent again, because no answer came, it is not done again.
            force: also where that is an earlier one.

        Raises:
            ValueError: there is no such step.
        """
        with self._lock():
            now = self.ballot(rater)
            click = click[:CLICK_NAME]
            if click and click in now.clicks:
                return Saved(now)
            undo = do == UNDONE
            kept = self._drafts(rater)
            if undo:
                then = replace(kept[-1], words=now.words, remarks=now.remarks, clicks=now.clicks) if kept else now
            else:
                then = step(now, do, text, self.sheet.seen_by(rater))
            if then == now:
                return Saved(now)
            if version != now.version and not force:
                return Saved(now, refused=True)
            if undo:
                kept = kept[:-1]
            elif do.partition(":")[0] not in TEXTS:
                kept = [*kept, replace(now, clicks=())][-MOST_UNDONE:]
            clicks = (*now.clicks, click)[-MOST_CLICKS:] if click else now.clicks
            then = replace(then, rater=rater, final=then.final and not undo, version=now.version + 1, clicks=clicks)
            # first what can be brought back: a server that ends in between leaves one that changes nothing
            self._keep(rater, kept)
            write_ballot(self._path(rater), handed_in(then))
            return Saved(then)

    def can_undo(self, rater: str) -> bool:
        return bool(self._drafts(rater))

    def _path(self, rater: str) -> Path:
        return self.folder / ANSWERS / f"{rater}.json"

    def _read(self, rater: str) -> Ballot:
        path = self._path(rater)
        try:
            return read_ballot(path, self.sheet.ids)
        except FileNotFoundError:
            return Ballot(rater)
        except ValueError:
            set_aside(path)
            return Ballot(rater)

    def _drafts(self, rater: str) -> list[Ballot]:
        try:
            data = json.loads((self.folder / UNDONE / f"{rater}.json").read_text(encoding="utf-8"))
            return [decode(Ballot, each) for each in data]
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return []

    def _keep(self, rater: str, drafts: list[Ballot]) -> None:
        path = self.folder / UNDONE / f"{rater}.json"
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, json.dumps(encode(drafts), ensure_ascii=False).encode())

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One at a time, also where two servers show the same runs."""
        (self.folder / ANSWERS).mkdir(exist_ok=True)
        with (self.folder / LOCK).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def rater_name(given: str) -> str:
    """A rater's name as a file can bear it.

    Raises:
        ValueError: it cannot.
    """
    name = unicodedata.normalize("NFC", " ".join(given.split()))
    if not re.fullmatch(r"\w(?:[\w .-]{0,38}\w)?", name):
        raise ValueError(
            "A name has up to 40 letters, digits, spaces, dots and dashes, and begins and ends with a letter or digit"
        )
    return name
