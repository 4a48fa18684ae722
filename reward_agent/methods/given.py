"""No search at all: a reward that was given is trained on from scratch and scored, as the end of any other run is.

So the task's expert reward, or a person's own, is one more row beside what models wrote, with the same budget, seeds
and report.
"""

from __future__ import annotations

from typing import ClassVar

from reward_agent.history import History
from reward_agent.methods import Action, Data, Done, Prompt, Settings
from reward_agent.program import Fault, Program, extract
from reward_agent.task import Task
from reward_agent.templates import Templates


class Given:
    """Asks for nothing, compares nothing."""

    name: ClassVar[str] = "given"
    sees: ClassVar[str] = "nothing: no model is asked"

    def __init__(self, settings: Settings, templates: Templates) -> None:
        self.settings, self.templates = settings, templates

    def next(self, task: Task, history: History) -> Action:
        return Done("The reward was given: there was nothing to search for.")

    def read(self, task: Task, history: History, prompt: Prompt, reply: str) -> Program | Data | Fault:
        return extract(reply)
