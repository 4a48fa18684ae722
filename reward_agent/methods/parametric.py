"""What methods share whose model sets reward parameters by calls: turns of a conversation, each compiled to a program.

A turn is what a person says and what came of it. The first is the task's instruction; those that follow are the task's
own corrections, and after these what a person says of what they saw. Every candidate is a conversation of its own.
What a turn sets carries over into the next (Yu et al., 2023, section 3; their release forgets it).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from reward_agent.envs.registry import tasks
from reward_agent.errors import UsageError
from reward_agent.feedback import faults_text
from reward_agent.history import Attempt, Candidate, History, Outcome
from reward_agent.messages import Key, Message
from reward_agent.methods import Action, Ask, Data, Done, Prompt, Settings, Train, Words
from reward_agent.methods.base import MAX_REPLY
from reward_agent.parameters import Parameterised, RewardApi
from reward_agent.parameters.calls import read_calls
from reward_agent.parameters.compiling import compile_plan, plan_in
from reward_agent.parameters.plan import Plan, gather
from reward_agent.program import Fault, Program
from reward_agent.task import Task
from reward_agent.templates import Templates

CODE = "reply"
"""Stage of the reply that holds calls."""


@dataclass(frozen=True)
class Turn:
    """Where a conversation stands when a reply is asked for."""

    words: str
    """What the person says now."""
    number: int
    """From 0."""
    candidate: Candidate
    """Its attempts in this turn so far."""
    before: tuple[Candidate, ...]
    """Of the turns before, in their order."""


class Parametric(ABC):
    """A method that asks for calls, in one stage or more."""

    name: ClassVar[str]
    sees: ClassVar[str]
    shows_examples: ClassVar[bool] = False
    usual_iterations: ClassVar[int] = 1
    """Turns unless more are asked for, beside the task's own corrections."""
    usual_candidates: ClassVar[int] = 1

    def __init__(self, settings: Settings, templates: Templates) -> None:
        self.settings, self.templates = settings, templates

    @abstractmethod
    def api(self, task: Task) -> RewardApi:
        """What can be called in the task's world."""

    @abstractmethod
    def prompt(self, task: Task, history: History, turn: Turn) -> Prompt:
        """What to ask for next in a turn; its last stage is `CODE`."""

    def next(self, task: Task, history: History) -> Action:
        """What to do now; the same for the same task and history.

        Raises:
            UsageError: the task's world has no reward parameters.
        """
        self._refuse(task)
        corrections = len(task.corrections)
        for number in range(max(self.settings.iterations, 1 + corrections)):
            ask: list[Prompt] = []
            train: list[tuple[int, int]] = []
            words: list[Words] = []
            for index in range(self.settings.candidates):
                if (turn := self._turn(task, history, number, index)) is None:
                    continue
                candidate = turn.candidate
                if candidate.program is None and not self._given_up(candidate):
                    ask.append(self.prompt(task, history, turn))
                elif candidate.program and number >= corrections:
                    if candidate.outcome is None:
                        train.append((number, index))
                    elif not candidate.words and isinstance(candidate.outcome, Outcome):
                        words.append(Words(number, index))
            if ask:
                return Ask(tuple(ask))
            if train:
                return Train(tuple(train))
            if words and number + 1 < self.settings.iterations:
                return words[0]
        return Done("Nothing could be set." if history.best() is None else "All turns are done.")

    def read(self, task: Task, history: History, prompt: Prompt, reply: str) -> Program | Data | Fault:
        """The program that the calls of a reply make, over what was in force before them."""
        api = self.api(task)
        calls = read_calls(reply, api)
        if isinstance(calls, Fault):
            return calls
        return compile_plan(gather(calls, api, self.in_force(task, history, prompt.key)), api)

    def in_force(self, task: Task, history: History, key: Key) -> Plan | None:
        """What the turn before left set in this conversation; None in the first."""
        earlier = history.candidates.get((key.iteration - 1, key.candidate))
        if earlier is None or earlier.program is None:
            return None
        plan = plan_in(earlier.program, self.api(task))
        if isinstance(plan, Fault):
            raise UsageError(
                f"What turn {key.iteration} of this conversation set cannot be read by this version: {plan.message} "
                "Begin a new conversation."
            )
        return plan

    def in_force_text(self, task: Task, history: History, key: Key) -> str:
        """The same as calls."""
        plan = self.in_force(task, history, key)
        return "\n".join(map(str, plan.phases[-1].calls())) if plan else ""

    def repaired(self, asked: tuple[Message, ...], candidate: Candidate, stage: str = CODE) -> tuple[Message, ...]:
        """What was asked for, with each faulty reply of this turn's stage and what is wrong with it."""
        faulty = [attempt for attempt in candidate.attempts if attempt.key.stage == stage]
        messages = list(asked)
        for attempt in faulty:
            messages.append(Message("assistant", attempt.reply.text[:MAX_REPLY]))
            messages.append(Message("user", self._fault(attempt)))
        return tuple(messages)

    def _fault(self, attempt: Attempt) -> str:
        described = faults_text(attempt.faults, attempt.program)
        wanted = "```python block of calls" if attempt.key.stage == CODE else "description"
        return self.templates.render("l2r/repair.jinja", faults=attempt.faults, described=described, wanted=wanted)

    def _turn(self, task: Task, history: History, number: int, index: int) -> Turn | None:
        """None where the conversation came to no program in a turn before, or nobody has said anything since."""
        before = tuple(history.candidates[n, index] for n in range(number) if (n, index) in history.candidates)
        if len(before) < number or any(candidate.program is None for candidate in before):
            return None
        said = (task.instruction, *task.corrections)
        words = said[number] if number < len(said) else before[-1].words
        candidate = history.candidates.get((number, index), Candidate(number, index))
        return Turn(words.strip(), number, candidate, before) if words.strip() else None

    def _given_up(self, candidate: Candidate) -> bool:
        faulty = sum(bool(attempt.faults) for attempt in candidate.attempts)
        return candidate.program is None and faulty > self.settings.repairs

    def _refuse(self, task: Task) -> None:
        if not isinstance(task.world, Parameterised):
            able = sorted({known.world.name for known in tasks().values() if isinstance(known.world, Parameterised)})
            raise UsageError(
                f"The method {self.name} sets reward parameters, which the world of {task.id} ({task.world.name}) does "
                f"not have. Take a task of a world that has some ({', '.join(able)}: `reward-agent tasks`), or another "
                "method: `--method text2reward`."
            )
        if self.settings.initial is not None:
            raise UsageError(
                f"The method {self.name} sets parameters and cannot improve a reward of your own: leave out --init, "
                "or take another method: `--method text2reward`."
            )


def next_attempt(candidate: Candidate, stage: str) -> int:
    """The number of the reply of this stage that is asked for next."""
    return sum(attempt.key.stage == stage for attempt in candidate.attempts)
