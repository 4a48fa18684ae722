"""ONI (Zheng et al., 2024, arXiv 2410.23022): a model judges the agent's own transitions while it trains.

Nothing is searched for: subgoals are given, a model is shown some of the transitions and says which of them these
reached, and what it says is distilled into a reward of all (`crediting.distilling`). The model is that of `--llm`.
Departure from the paper: its annotator gives one bit, helpful or not; here a bit a subgoal.
"""

from __future__ import annotations

from typing import ClassVar

from reward_agent.errors import UsageError
from reward_agent.history import History
from reward_agent.methods import Action, Data, Done, Prompt, Settings
from reward_agent.program import DESCRIBED, Fault, Program
from reward_agent.subgoals import Subgoal, as_lines
from reward_agent.task import Task
from reward_agent.templates import Templates


class Oni:
    """Asks for no program; its model is asked by the trainings."""

    name: ClassVar[str] = "oni"
    sees: ClassVar[str] = "screens of the agent's own transitions, while it trains"
    entry: ClassVar[str] = DESCRIBED

    def __init__(self, settings: Settings, templates: Templates) -> None:
        self.settings, self.templates = settings, templates

    @staticmethod
    def begins_with(task: Task, given: tuple[Subgoal, ...]) -> Program:
        """What is trained on: the subgoals that are given, else those of the task's card.

        Raises:
            UsageError: there are none.
        """
        subgoals = given or task.subgoals
        if not subgoals:
            raise UsageError(
                f"The method oni looks for subgoals that are given, and the card of {task.id} gives none: name a file "
                "of your own with `--subgoals FILE`, or have a model find them with `--method calm`."
            )
        return Program(as_lines(subgoals), DESCRIBED)

    def next(self, task: Task, history: History) -> Action:
        return Done("The subgoals were given: there was nothing to search for.")

    def read(self, task: Task, history: History, prompt: Prompt, reply: str) -> Program | Data | Fault:
        return Fault("extract", "This method asks for no program.")
