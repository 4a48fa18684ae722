"""What the pages of runs show. Whoever compares a run's clips is not to see its scores before it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from reward_agent.chronicle import CandidateRecord, Chronicle, Round, name_of, read_chronicle
from reward_agent.chronicle.waiting import judging_folders
from reward_agent.errors import RewardAgentError
from reward_agent.journal import is_written
from reward_agent.judges.sheets import QUESTION
from reward_agent.judging import JUDGEMENT
from reward_agent.result import load_result
from reward_agent.spoken import WORDS
from reward_agent.store import JOURNAL, read_manifest, read_steps
from reward_agent.web.paths import runs_in

MOST_WORDS = 8000
"""Letters of what a person says of a policy."""


@dataclass(frozen=True)
class Row:
    """A run in the list."""

    name: str
    task: str
    instruction: str
    method: str
    judge: str
    created: str
    state: str
    """`finished`, `running`, `waiting` for people, `stopped`, or `chat`."""
    to_judge: int | None
    """The round that waits for a judgement, if one does."""


def rows(root: Path) -> list[Row]:
    """The runs, the newest first; what cannot be read is left out."""
    found = [row for name, folder in runs_in(root).items() if (row := _row(name, folder))]
    return sorted(found, key=lambda row: (row.created, row.name), reverse=True)


def open_rounds(folder: Path) -> list[int]:
    """Rounds whose question lies there and that are not judged yet, in order."""
    asked = [number for number, path in judging_folders(folder).items() if (path / QUESTION).is_file()]
    known = judged_rounds(folder) if asked else {}
    return sorted(number for number in asked if number not in known)


def judged_rounds(folder: Path) -> Mapping[int, Any]:
    """Judgements in the journal, as plain data; read again where it has grown, for each tab asks every two seconds."""
    try:
        found = (folder / JOURNAL).stat()
    except OSError:
        return {}
    return _judged_rounds(folder, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=256)
def _judged_rounds(folder: Path, mtime: int, size: int) -> Mapping[int, Any]:
    return {key.iteration: value for key, value in read_steps(folder).items() if key.stage == JUDGEMENT}


def standing(folder: Path) -> str:
    """`finished`, `running` or `stopped`."""
    return "finished" if load_result(folder) else "running" if is_written(folder / JOURNAL) else "stopped"


def wants_words(run: Chronicle, candidate: CandidateRecord) -> bool:
    """The run waits for a person's words, and this candidate has none."""
    latest = max((each.iteration for each in run.rounds), default=-1)
    return (
        run.waits_for == "words"
        and candidate.iteration == latest
        and candidate.outcome is not None
        and not (candidate.folder / WORDS).exists()
    )


def values_of(run: Chronicle) -> dict[str, Any]:
    """What the templates of a run go by."""
    return {
        "run": run,
        "name": name_of,
        "blind": run.blind,
        "open_rounds": open_rounds(run.folder),
        "wants_words": wants_words,
    }


def round_of(run: Chronicle, candidate: CandidateRecord) -> Round:
    return next(each for each in run.rounds if each.iteration == candidate.iteration)


def _row(name: str, folder: Path) -> Row | None:
    try:
        manifest = read_manifest(folder)
        waiting, state = open_rounds(folder), standing(folder)
        if waiting:
            state = "waiting"
        elif manifest.chat is not None:
            state = "chat"
        elif state == "stopped":
            state = read_chronicle(folder).state  # it may wait for a person's words
        return Row(
            name=name,
            task=manifest.task,
            instruction=manifest.instruction,
            method=str(manifest.config.get("method", "")),
            judge=str(manifest.config.get("judge") or ""),
            created=manifest.created,
            state=state,
            to_judge=waiting[-1] if waiting else None,
        )
    except (RewardAgentError, TypeError, ValueError, KeyError, AttributeError, OSError):
        return None
