"""What people are asked about a round: `question.json` and clips whose names tell nothing, beside the run.

judging/question.json       {"iteration", "instruction", "raters", "clips": [{"id", "candidate", "video"}]}
judging/clips/<id>.mp4      in an order that is shuffled, the same each time; candidate -1 is the champion
judging/answers/<rater>.json    see `ballots`
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reward_agent.codec import decode, encode
from reward_agent.files import write_atomically
from reward_agent.history import CHAMPION
from reward_agent.judges import Entrant, Question

QUESTION, CLIPS, ANSWERS = "question.json", "clips", "answers"


@dataclass(frozen=True)
class Clip:
    """What a rater sees of an entrant."""

    id: str
    candidate: int
    """Index in the round; -1 is the best of the rounds before. Raters are not told."""
    video: str | None
    """Relative to the folder; None where no clip could be made."""


@dataclass(frozen=True)
class Sheet:
    """The question of a round."""

    iteration: int
    instruction: str
    raters: int
    """How many people are to answer."""
    clips: tuple[Clip, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(clip.id for clip in self.clips)

    def seen_by(self, rater: str) -> Sheet:
        """With the clips in the rater's own order, lest all prefer what is shown first and seem to agree; one that is
        asked alone sees them as they are, which is shuffled."""
        if self.raters == 1:
            return self
        random = np.random.default_rng([self.iteration, *rater.encode(), *"".join(self.ids).encode()])
        return replace(self, clips=tuple(self.clips[index] for index in random.permutation(len(self.clips))))

    @property
    def champion(self) -> str | None:
        """The clip of the best of the rounds before, where there was one."""
        return next((clip.id for clip in self.clips if clip.candidate == CHAMPION), None)


def clip_id(index: int) -> str:
    """As `a` to `z`, then `a1`."""
    return chr(ord("a") + index % 26) + (str(index // 26) if index >= 26 else "")


def lay_out(question: Question, raters: int) -> Sheet:
    """Write the question and its clips into the question's folder, where they are not there yet."""
    entrants = _in_order(question)
    (question.folder / CLIPS).mkdir(parents=True, exist_ok=True)
    (question.folder / ANSWERS).mkdir(exist_ok=True)
    clips = []
    for place, (candidate, entrant) in enumerate(entrants):
        name = clip_id(place)
        clips.append(Clip(name, candidate, _lay_clip(entrant, question.folder, f"{CLIPS}/{name}.mp4")))
    sheet = Sheet(question.iteration, question.task.instruction, raters, tuple(clips))
    content = (json.dumps(encode(sheet), indent=2, ensure_ascii=False) + "\n").encode()
    path = question.folder / QUESTION
    if not path.is_file() or path.read_bytes() != content:
        write_atomically(path, content)
    return sheet


def _in_order(question: Question) -> list[tuple[int, Entrant]]:
    """Who is shown, by their index: as they were laid out already, else shuffled, in each run otherwise: whoever has
    judged one must not know the champion's place in the next."""
    entrants = {entrant.at[1]: entrant for entrant in question.entrants}
    if question.champion:
        entrants[CHAMPION] = question.champion
    there = read_sheet(question.folder)
    order = [clip.candidate for clip in there.clips] if there else []
    if sorted(order) != sorted(entrants):
        run = question.folder.parent.parent.name
        random = np.random.default_rng([question.seed, question.iteration, *f"clips {run}".encode()])
        order = [list(entrants)[index] for index in random.permutation(len(entrants))]
    return [(index, entrants[index]) for index in order]


def read_sheet(folder: Path) -> Sheet | None:
    """The question in a folder `judging`; None where there is none that can be read."""
    try:
        sheet: Sheet = decode(Sheet, json.loads((folder / QUESTION).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return sheet


def _lay_clip(entrant: Entrant, folder: Path, name: str) -> str | None:
    """Link or copy the entrant's video; None where there is none."""
    path = folder / name
    if entrant.video is None:
        return name if path.is_file() else None
    if path.exists() and path.samefile(entrant.video):
        return name
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        os.link(entrant.video, temporary)
    except OSError:  # another file system, or one without links
        shutil.copyfile(entrant.video, temporary)
    temporary.replace(path)
    return name
