"""A clip of what a session came to: of the policy, where one was trained, else of the last look."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np

from reward_agent.chat.session import Session
from reward_agent.chat.showing import ACTIONS, START, load
from reward_agent.chat.talk import Turn, look_folder
from reward_agent.envs.episodes import Episodes
from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.events import Trial
from reward_agent.files import atomic, writing
from reward_agent.optimise.policy import TENSORS
from reward_agent.scoring import film_actions
from reward_agent.task import Task
from reward_agent.trainings import FILM_SECONDS
from reward_agent.trial import VIDEO, VideoSpec, film, resolve
from reward_agent.workers import Job


@dataclass(frozen=True)
class Played:
    """Actions to be played again."""

    task: str | Task
    actions: Path
    start: Path
    """Of the world's state that they were played from, where it was no reset."""
    seed: int
    """Of the episode they were played in."""
    path: Path
    """Of the clip."""


def make_clip(session: Session, to: Path | None = None) -> Path:
    """Film what `filmed_from` says of the last reward; in the run's folder unless `to` is given.

    Raises:
        UsageError: there is nothing to film, `to` is there already, is named as no clip or cannot be written.
        MissingComponentError: no off-screen rendering works on this machine.
        JobTimeoutError, WorkerCrashError: the driver hangs or crashes.
    """
    if to is not None and to.suffix.lower() != Path(VIDEO).suffix:
        named = to.with_suffix(Path(VIDEO).suffix) if to.name else to / VIDEO
        raise UsageError(f"A clip is an {named.suffix} file, and {to} is named as none: `/video {quote(str(named))}`.")
    if to is not None:
        with writing(to):
            if to.exists():
                raise UsageError(f"{to} is there already. Name another file.")
    turn = session.with_program()
    folder = filmed_from(session, turn)
    if folder is None:
        raise UsageError("There is nothing to film yet: `/look` at the reward, or `/train` a policy on it.")
    path = folder / VIDEO
    if not path.exists():
        if (folder / TENSORS).exists():
            clip = VideoSpec(session.reference, folder, session.seed, path, session.config.unsafe)
            job = Job(film, clip, seconds=FILM_SECONDS)
        else:
            played = Played(session.reference, folder / ACTIONS, folder / START, session.seed, path)
            job = Job(film_look, played, seconds=FILM_SECONDS)
        for _, lacking in session.pool.run({Trial("candidate", *turn.at): job}):
            if lacking:
                raise MissingComponentError(str(lacking))
    if to is None:
        return path
    with writing(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)
    return to


def film_look(spec: Played, progress: Callable[[object], None], stop: Callable[[], bool]) -> str:
    """Render an episode of these actions; what kept it from being rendered, or nothing."""
    episodes, actions = Episodes(resolve(spec.task), 1, ()), np.load(spec.actions, allow_pickle=False)
    try:
        if spec.start.is_file():
            episodes.begin_from(load(spec.start), np.array([spec.seed]))
        else:
            episodes.reset(np.ones(1, bool), np.array([spec.seed]))
        with atomic(spec.path) as temporary:
            whole = temporary.with_suffix(spec.path.suffix)
            film_actions(episodes, actions, whole)
            whole.replace(temporary)
    except MissingComponentError as error:
        return str(error)
    finally:
        episodes.close()
    return ""


def filmed_from(session: Session, turn: Turn) -> Path | None:
    """The folder of what a turn's clip shows, and of the clip: of the policy that was trained last, else of the last
    look that played something; None where there is none."""
    folders = [turn.policy] if turn.policy else []
    folders += [look_folder(turn, number) for number in reversed(range(len(turn.looks)))]
    for folder in folders:
        if any((session.run.folder / folder / name).exists() for name in (TENSORS, ACTIONS)):
            return session.run.folder / folder
    return None
