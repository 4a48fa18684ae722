"""Language to Rewards without its Motion Descriptor: the Reward Coder alone, a baseline of the paper (its ablation)."""

from __future__ import annotations

from typing import ClassVar

from reward_agent.history import History
from reward_agent.messages import Key, Message
from reward_agent.methods import Prompt
from reward_agent.methods.parametric import CODE, Parametric, Turn, next_attempt
from reward_agent.parameters import Parameterised, RewardApi
from reward_agent.task import Task


class CoderOnly(Parametric):
    """Set what the person says at once."""

    name: ClassVar[str] = "l2r_coder"
    sees: ClassVar[str] = "words"
    system: ClassVar[str] = "l2r/coder_system.jinja"
    """Its system template."""

    def api(self, task: Task) -> RewardApi:
        assert isinstance(task.world, Parameterised)
        return task.world.reward_api()

    def prompt(self, task: Task, history: History, turn: Turn) -> Prompt:
        candidate = turn.candidate
        key = Key(candidate.iteration, candidate.index, next_attempt(candidate, CODE), CODE)
        return Prompt(key, self.repaired(self._asked(task, history, key, turn.words), candidate))

    def _asked(self, task: Task, history: History, key: Key, words: str) -> tuple[Message, ...]:
        api = self.api(task)
        seconds = f"{task.horizon * task.world.dt:g}"
        values = {"robot": api.robot, "api": api.render().strip(), "advice": api.advice.strip(), "seconds": seconds}
        in_force = self.in_force_text(task, history, key)
        return (
            Message("system", self.templates.render(self.system, **values)),
            Message("user", self.templates.render(f"{self.name}/first.jinja", words=words, in_force=in_force)),
        )
