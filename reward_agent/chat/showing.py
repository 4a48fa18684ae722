"""Looks of a session: which looker serves it, where a look begins, what of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reward_agent.chat.ledger import Ledger
from reward_agent.chat.looking import Looker, outcome_of, unseen
from reward_agent.chat.planner import PlannerLooker
from reward_agent.chat.settings import ChatSettings
from reward_agent.chat.talk import LOOK, Looked, Turn, look_folder
from reward_agent.chat.training import TrainingLooker, Trainings
from reward_agent.errors import Terminated
from reward_agent.events import Looking, Trial
from reward_agent.messages import Key
from reward_agent.program import Fault, Program, TrainingFault
from reward_agent.schema import Array

if TYPE_CHECKING:
    from reward_agent.envs.episodes import Episodes
    from reward_agent.planning.performance import Watch

START, END, ACTIONS = "start.npz", "end.npz", "actions.npy"
"""Of a look: the world's state before and after it, and what was done between. The first is a reset unless kept."""


class Showing:
    """Acts on a session's programs, for its person to see."""

    def __init__(self, ledger: Ledger, settings: ChatSettings, trainings: Trainings, seed: int) -> None:
        self.ledger, self.settings, self.trainings, self.seed = ledger, settings, trainings, seed
        self.watch: Callable[[Episodes, str], None] | None = None
        """Is told after each step of the planner's, with the words that it acts on; a view sets it."""
        self.make_looker: Callable[[Turn, int], Looker] = self._looker
        """What looks at a turn's program, for its n-th look."""

    def look(self, turn: Turn, *, asked: bool = False) -> Turn:
        """Look at a turn's program (again); a Ctrl-C ends that, and is told in the look.

        Under `none` nothing is played unless it is `asked` for.
        """
        turn = self.ledger.turn(turn.at)
        assert turn.program is not None, "only what passed is looked at"
        number = len(turn.looks)
        try:
            unwanted = self.settings.look == "none" and not asked
            looked = Looked(unseen(self.ledger.task)) if unwanted else self._looked(turn, turn.program, number)
        except Terminated:
            raise
        except KeyboardInterrupt:
            looked = Looked(unseen(self.ledger.task), stopped=True)
        self.ledger.record(Key(*turn.at, number, LOOK), looked)
        return self.ledger.turn(turn.at)

    def _looked(self, turn: Turn, program: Program, number: int) -> Looked:
        look = self.make_looker(turn, number).look(self.ledger.task, program)
        if isinstance(look, Fault):
            fault = look if isinstance(look, TrainingFault) else TrainingFault("optimise", look.message, look.line)
            return Looked(fault)
        folder = self.ledger.run.folder / look_folder(turn, number)
        folder.mkdir(parents=True, exist_ok=True)
        if look.end is not None:
            _save(folder / END, look.end)
        if look.actions is not None:
            np.save(folder / ACTIONS, look.actions)
            if look.start is not None:
                _save(folder / START, look.start)
        anew = look.over and self.settings.carry_on
        return Looked(outcome_of(self.ledger.task, look), look.real_time_factor, anew=anew)

    def _start(self, turn: Turn) -> Mapping[str, Array] | None:
        """Where the last look before this one ended, on the way to this turn; None for a reset."""
        for each in reversed(self.ledger.talk.in_force[: turn.iteration + 1]):
            for number, looked in reversed(list(enumerate(each.looks))):
                if looked.anew:
                    return None
                path = self.ledger.run.folder / look_folder(each, number) / END
                if path.is_file():
                    return load(path)
        return None

    def _watching(self, turn: Turn, seconds: float) -> Watch:
        """As a planner calls it that plays so long, with the person's last words on the way to this turn."""
        task, watch, events = self.ledger.task, self.watch, self.trainings.events
        turns = reversed(self.ledger.talk.in_force[: turn.iteration + 1])
        words = (each.words for each in turns if each.words and not each.automatic)
        told = next(words, task.instruction)
        of = min(seconds, task.horizon * task.world.dt)

        def after_step(episodes: Episodes) -> None:
            events(Looking(float(episodes.elapsed[0]) * task.world.dt, of))
            if watch is not None:
                watch(episodes, told)

        return after_step

    def _looker(self, turn: Turn, number: int) -> Looker:
        settings = self.settings
        assert settings.seconds is not None and settings.budget is not None, "settled"
        if settings.way(self.ledger.task) == "planner":
            return PlannerLooker(
                self.seed,
                settings.seconds,
                settings.preset,
                settings.planner,
                start=self._start(turn) if settings.carry_on else None,
                carry_on=settings.carry_on,
                watch=self._watching(turn, settings.seconds),
                unsafe=self.trainings.config.unsafe,
            )
        folder = self.ledger.run.folder / look_folder(turn, number)
        return TrainingLooker(self.trainings, Trial("candidate", *turn.at), settings.budget, folder)


def load(path: Path) -> dict[str, Array]:
    """A world's state as a look left it."""
    with np.load(path, allow_pickle=False) as saved:
        return dict(saved)


def _save(path: Path, state: Mapping[str, Array]) -> None:
    plain: dict[str, Any] = {name: np.asarray(value) for name, value in state.items()}
    np.savez(path, **plain)
