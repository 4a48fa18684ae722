"""CALM (Pignatelli et al., 2024, arXiv 2409.12798): the model divides the task, and subgoals that are reached are paid.

The paper's model reads each transition; here it writes, once, a program that does (`subgoals(state, action,
next_state)`), which judges a million transitions for nothing. How reaching pays is `sources.shaping`'s. Departures from
the paper: a policy is trained (which it left to later work), what came of it is told, and the division improved.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from reward_agent.history import Candidate, History, Outcome
from reward_agent.messages import Message
from reward_agent.methods import Data, Prompt
from reward_agent.methods.base import Rounds, chosen, noticed, shown
from reward_agent.program import SUBGOALS, Fault, Program, extract
from reward_agent.task import Task, TextWorld

MAX_TRIED = 5
"""Later rounds that are listed."""


class Calm(Rounds):
    """Divide the task, tell subgoals by a program, see which of them a policy comes to."""

    name: ClassVar[str] = "calm"
    sees: ClassVar[str] = "share of episodes that reach the goal and each subgoal, episode length"
    entry: ClassVar[str] = SUBGOALS

    def beside(self, task: Task) -> Mapping[str, Any]:
        legend = task.world.legend() if isinstance(task.world, TextWorld) else {}
        return {"legend": legend, "preset": self.settings.subgoals, "paid": bool(task.goal)}

    def messages(self, task: Task, history: History, iteration: int) -> tuple[Message, ...]:
        opening = self.opening(task)
        if iteration == 0:
            return opening
        best = history.best(before=iteration)
        if best is None or not isinstance(best.outcome, Outcome):
            return self.after_failure(opening, history, iteration)
        since = [chosen(history, number) for number in range(max(best.iteration + 1, iteration - MAX_TRIED), iteration)]
        said = self.templates.render(
            "calm/reflection.jinja",
            initial=self.is_initial(best),
            steps=f"{best.outcome.steps:,}",
            scored=bool(task.metrics),
            goal=_series(best.outcome.success or best.outcome.task_score, digits=3),
            length=_series(best.outcome.episode_length, digits=1),
            shares=[(name, _series(values)) for name, values in best.outcome.reached.items()],
            noticed=noticed(best),
            tried=[self._tried(each) for each in since if each is not None],
            preset=self.settings.subgoals,
        )
        return (*opening, Message("assistant", shown(best)), Message("user", said))

    def read(self, task: Task, history: History, prompt: Prompt, reply: str) -> Program | Data | Fault:
        """A program that tells subgoals; a fault where some are given, and it leaves one out or tells others."""
        program = extract(reply, SUBGOALS)
        if isinstance(program, Fault) or not self.settings.subgoals:
            return program
        given = [each.name for each in self.settings.subgoals]
        tree = _tree(program)
        texts = set(_texts(tree))
        wrong = [f"The subgoal `{name}` is not told." for name in given if name not in texts]
        returned = list(_returned(tree))
        wrong += [f"`{name}` is none of the given subgoals." for name in returned if name not in given]
        if not wrong and returned and returned != given:
            wrong = ["The subgoals are in another order than they are given."]
        if wrong:
            names = ", ".join(f"`{name}`" for name in given)
            return Fault("check", f"{wrong[0]} The dict has exactly these: {names}.")
        return program

    def _tried(self, candidate: Candidate) -> str:
        outcome = candidate.outcome
        if not isinstance(outcome, Outcome):
            return f"round {candidate.iteration + 1}: no program that could be trained on"
        ends = ", ".join(f"{name} {_share(values[-1])}" for name, values in outcome.reached.items() if values)
        goal = (outcome.success or outcome.task_score or (0.0,))[-1]
        return f"round {candidate.iteration + 1}: goal {goal:.3f}; subgoals in the end: {ends}"


def _series(values: tuple[float, ...], digits: int = 2) -> str:
    return " ".join(_share(value, digits) for value in values) or "not measured"


def _share(value: float, digits: int = 2) -> str:
    return "none-ended" if math.isnan(value) else f"{value:.{digits}f}"


def _tree(program: Program) -> ast.AST:
    try:
        return ast.parse(program.source)
    except SyntaxError:
        return ast.Module([], [])  # a fault of the check


def _texts(tree: ast.AST) -> Iterator[str]:
    """Texts in the program, names of subgoals among them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg  # as in dict(name=reached)


def _returned(tree: ast.AST) -> Iterator[str]:
    """Names of subgoals, where what it returns is written out as a dict."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
            yield from (
                key.value for key in node.value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
            )
