"""Language to Rewards (Yu et al., CoRL 2023): a Motion Descriptor, then a Reward Coder.

The Descriptor keeps the conversation with the person and puts each motion into the words of a template; the Coder
turns the description into calls and sees nothing else but what is in force. Departures: the calls are parsed and never
run, faults in them go back for repair, and what was set carries over between turns.
"""

from __future__ import annotations

import re
from typing import ClassVar

from reward_agent.history import Candidate, History
from reward_agent.messages import Key, Message
from reward_agent.methods import Data, Prompt
from reward_agent.methods.base import MAX_REPLY
from reward_agent.methods.parametric import CODE, Parametric, Turn, next_attempt
from reward_agent.parameters import Parameterised, RewardApi
from reward_agent.program import Fault, Program
from reward_agent.task import Task

MOTION = "motion"
"""Stage of the Descriptor's reply."""


class LanguageToRewards(Parametric):
    """Describe the motion, then set it."""

    name: ClassVar[str] = "l2r"
    sees: ClassVar[str] = "words"

    def api(self, task: Task) -> RewardApi:
        assert isinstance(task.world, Parameterised)
        return task.world.reward_api()

    def prompt(self, task: Task, history: History, turn: Turn) -> Prompt:
        candidate = turn.candidate
        at = candidate.iteration, candidate.index
        described = _description(candidate)
        if described is None:
            number = next_attempt(candidate, MOTION)
            return Prompt(Key(*at, number, MOTION), self.repaired(self._to_describe(task, turn), candidate, MOTION))
        key = Key(*at, next_attempt(candidate, CODE), CODE)
        return Prompt(key, self.repaired(self._to_code(task, history, key, described), candidate))

    def read(self, task: Task, history: History, prompt: Prompt, reply: str) -> Program | Data | Fault:
        if prompt.key.stage == MOTION:
            return Data(reply) if _described(reply) else Fault("extract", "The reply is empty: it describes no motion.")
        return super().read(task, history, prompt, reply)

    def _to_describe(self, task: Task, turn: Turn) -> tuple[Message, ...]:
        api = self.api(task)
        system = self.templates.render("l2r/motion_system.jinja", robot=api.robot, motion=api.motion.strip())
        messages = [Message("system", system)]
        said = (task.instruction, *task.corrections)
        for number, earlier in enumerate(turn.before):
            words = said[number] if number < len(said) else turn.before[number - 1].words
            messages.append(Message("user", self._said(words)))
            messages.append(Message("assistant", _reply(earlier)[:MAX_REPLY]))
        messages.append(Message("user", self._said(turn.words)))
        return tuple(messages)

    def _said(self, words: str) -> str:
        return self.templates.render("l2r/motion.jinja", words=words.strip())

    def _to_code(self, task: Task, history: History, key: Key, description: str) -> tuple[Message, ...]:
        api = self.api(task)
        values = {"robot": api.robot, "api": api.render().strip(), "advice": api.advice.strip()}
        in_force = self.in_force_text(task, history, key)
        return (
            Message("system", self.templates.render("l2r/coder_system.jinja", **values)),
            Message("user", self.templates.render("l2r/coder.jinja", description=description, in_force=in_force)),
        )


def _reply(candidate: Candidate) -> str:
    """The Descriptor's last reply in a turn; empty where there is none."""
    return next((a.reply.text for a in reversed(candidate.attempts) if a.key.stage == MOTION), "")


def _description(candidate: Candidate) -> str | None:
    """What lies between the marks of the Descriptor's reply, or all of it; None where there is none yet."""
    return _described(_reply(candidate)) or None


def _described(reply: str) -> str:
    """Nothing where it describes nothing."""
    found = re.search(r"<description>(.*?)(</description>|\Z)", reply, re.DOTALL)
    return (found[1] if found else reply).strip()[:MAX_REPLY]
