"""The state of a session: its turns, as a pure fold over the lines of its journal.

A turn is at (iteration, branch): its iteration is how many turns are in force before it, its branch how many turns of
that iteration were begun before, of which all are taken back. Methods see one candidate a round and no branches; on the
disk, in the journal and in recordings the branch takes the candidate's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from reward_agent.codec import decode
from reward_agent.history import Attempt, Candidate, History, Outcome
from reward_agent.messages import MAIN, Key, Message, Reply
from reward_agent.methods import Ask, Method
from reward_agent.program import Fault, Program, TrainingFault
from reward_agent.search import Vetted, folder_of, is_reply
from reward_agent.store import UNANSWERED
from reward_agent.task import Task
from reward_agent.trial import Trained

TURN, LOOK, TRAIN, UNDO, STOPPED, VET = "turn", "look", "train", "undo", "stopped", "vet"
"""Stages of a session's lines, beside those of replies."""


@dataclass(frozen=True)
class Said:
    """What began a turn, as journalled."""

    text: str
    """The person's words; nothing where the task's instruction, or the method, was to go on as it is."""
    automatic: bool = False
    """Made from the outcome: the person only said that it should go on."""


@dataclass(frozen=True)
class Looked:
    """What a look showed, as journalled."""

    outcome: Outcome | TrainingFault
    real_time_factor: float | None = None
    stopped: bool = False
    """The person ended it."""
    anew: bool = False
    """Looks carry on, and its episode ended before its horizon: the next begins with a reset."""


@dataclass(frozen=True)
class Turn:
    """What was said, and what came of it."""

    iteration: int
    branch: int
    words: str = ""
    automatic: bool = False
    attempts: tuple[Attempt, ...] = ()
    """Their keys are the method's: of candidate 0."""
    waiting: Mapping[Key, Reply] = field(default_factory=dict)
    """Replies that were not looked at yet, by the method's key."""
    looks: tuple[Looked, ...] = ()
    trained: tuple[Trained | TrainingFault, ...] = ()
    """What `/train` made, in order."""
    outcome: Outcome | Fault | None = None
    """Of the latest look or training."""
    stopped: bool = False
    """The person, or an error, ended it before its program was there."""
    undone: bool = False

    @property
    def at(self) -> tuple[int, int]:
        return self.iteration, self.branch

    @property
    def folder(self) -> str:
        """Relative to the run's."""
        return folder_of(*self.at)

    @property
    def program(self) -> Program | None:
        """The one that passed check and probe, if any."""
        return Candidate(*self.at, self.attempts).program

    @property
    def came_to_nothing(self) -> bool:
        """No program came of it, or one that failed at work when it was last looked at or trained on."""
        return self.program is None or isinstance(self.outcome, Fault)

    @property
    def policy(self) -> str | None:
        """Folder, relative to the run's, of the policy that `/train` made last."""
        made = [index for index, result in enumerate(self.trained) if isinstance(result, Trained)]
        return policy_folder(self, made[-1]) if made else None


@dataclass(frozen=True)
class Talk:
    """All turns in the order they were begun."""

    turns: tuple[Turn, ...] = ()

    @property
    def in_force(self) -> tuple[Turn, ...]:
        """Those not taken back."""
        return tuple(turn for turn in self.turns if not turn.undone)

    @property
    def last(self) -> Turn | None:
        return self.in_force[-1] if self.in_force else None

    @property
    def history(self) -> History:
        """As methods see it: each turn's words are said of the candidate before."""
        turns = self.in_force
        candidates = {
            (turn.iteration, 0): Candidate(
                turn.iteration, 0, turn.attempts, turn.outcome, words=following.words if following else ""
            )
            for turn, following in zip_longest(turns, turns[1:])
            if turn.attempts
        }
        return History(candidates)

    def next_at(self) -> tuple[int, int]:
        """Iteration and branch of the turn that is begun next."""
        iteration = len(self.in_force)
        return iteration, sum(turn.iteration == iteration for turn in self.turns)

    def turn(self, at: tuple[int, int]) -> Turn | None:
        return next((turn for turn in self.turns if turn.at == at), None)

    def changed(self, at: tuple[int, int], **changes: Any) -> Talk:
        """With one turn otherwise."""
        return Talk(tuple(replace(turn, **changes) if turn.at == at else turn for turn in self.turns))


@dataclass(frozen=True)
class Folding:
    """How a line of the journal changes the state; the session itself goes by nothing else."""

    task: Task
    """With its own instruction."""
    method: Method
    first: Turn | None = None
    """The reward that the person brought, where there is one: it cannot be taken back."""

    def start(self) -> Talk:
        return Talk((self.first,) if self.first else ())

    def fold(self, steps: Mapping[Key, Any]) -> Talk:
        """The state after these lines."""
        talk = self.start()
        for key, value in steps.items():
            talk = self.step(talk, key, value)
        return talk

    def is_first(self, turn: Turn) -> bool:
        """Whether it is the reward that the person brought."""
        return self.first is not None and turn.at == self.first.at

    def task_of(self, talk: Talk) -> Task:
        """The task as it is talked of: the first words are its instruction, unless they are on a reward brought."""
        first = talk.in_force[0].words if talk.in_force and self.first is None else ""
        # what is said after the instruction is the person's
        return replace(self.task, instruction=first or self.task.instruction, corrections=())

    def step(self, talk: Talk, key: Key, value: Any) -> Talk:
        """The state after one line more; lines that are none of a session's change nothing."""
        at = (key.iteration, key.candidate)
        if key.stage == TURN:
            said: Said = decode(Said, value)
            return Talk((*talk.turns, Turn(*at, said.text, said.automatic)))
        if key.stage == UNDO:
            last = talk.last
            return talk.changed(last.at, undone=True) if last and not self.is_first(last) else talk
        turn = talk.turn(at)
        if turn is None:
            return talk
        match key.stage:
            case stage if stage == LOOK:
                looked: Looked = decode(Looked, value)
                return talk.changed(at, looks=(*turn.looks, looked), outcome=looked.outcome, stopped=False)
            case stage if stage == TRAIN:
                made: Trained | TrainingFault = decode(Trained | TrainingFault, value)
                outcome = made.outcome if isinstance(made, Trained) else made
                return talk.changed(at, trained=(*turn.trained, made), outcome=outcome)
            case stage if stage == STOPPED:
                return talk.changed(at, stopped=True)
            case stage if stage == VET or stage.endswith(f".{VET}"):
                return self._vetted(talk, turn, key, decode(Vetted, value))
            case stage if not stage.endswith(UNANSWERED) and is_reply(value):
                waiting = {**turn.waiting, as_asked(key): decode(Reply, value)}
                return talk.changed(at, waiting=waiting, stopped=False)
        return talk

    def _vetted(self, talk: Talk, turn: Turn, key: Key, vetted: Vetted) -> Talk:
        asked = as_asked(key)._replace(stage=key.stage.removesuffix(VET).rstrip(".") or MAIN)
        if asked not in turn.waiting:
            return talk
        warnings = vetted.verdict.warnings if vetted.verdict else ()
        reply = turn.waiting[asked]
        attempt = Attempt(asked, self._messages(talk, asked), reply, vetted.program, vetted.faults, warnings)
        waiting = {each: reply for each, reply in turn.waiting.items() if each != asked}
        return talk.changed(turn.at, attempts=(*turn.attempts, attempt), waiting=waiting, stopped=False)

    def _messages(self, talk: Talk, key: Key) -> tuple[Message, ...]:
        """What the reply answers: methods are pure, so that it need not be kept."""
        action = self.method.next(self.task_of(talk), talk.history)
        prompts = action.prompts if isinstance(action, Ask) else ()
        return next((prompt.messages for prompt in prompts if prompt.key == key), ())


def as_asked(key: Key) -> Key:
    """A journal's key as the method has it."""
    return key._replace(candidate=0)


def policy_folder(turn: Turn, number: int) -> str:
    """Of the policy that the turn's `number`-th `/train` makes, relative to the run's."""
    return f"{turn.folder}/policy_{number:02d}"


def look_folder(turn: Turn, number: int) -> str:
    """Of the files of the turn's `number`-th look, relative to the run's."""
    return f"{turn.folder}/look_{number:02d}"
