"""What makes a run another row of a table than its method's name: what prompts show or hide, whose words it heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from reward_agent.config import RunConfig
from reward_agent.envs.disguise import disguise, pinned, unpinned
from reward_agent.envs.registry import DISGUISE
from reward_agent.errors import UsageError
from reward_agent.fewshot import nearest
from reward_agent.history import Whose
from reward_agent.messages import Key
from reward_agent.methods import find_method
from reward_agent.program import DESCRIBED
from reward_agent.task import Task

WORDS_OF: Mapping[Whose, str] = {"person": "words", "judge": "words of the judge", "nobody": "automatic"}
"""Stages of words in a journal, by whose they are."""
SPOKEN: Mapping[Whose, str] = {
    "person": "words of a person",
    "judge": "words of the judge",
    "nobody": "automatic words",
}


def in_disguise(config: RunConfig, task: Task | None) -> tuple[RunConfig, Task | None]:
    """The config of the disguised task, by a name that finds it; and that task, where it was given itself. Then the
    config keeps how, for who resumes the run.

    Raises:
        UsageError: it cannot be disguised so.
    """
    assert config.disguise is not None
    how = Path(pinned(config.disguise)) if isinstance(config.disguise, Path) else config.disguise
    if task is None:
        return replace(config, task=f"{config.task}{DISGUISE}{how}", disguise=None), None
    # a task that only the caller has is disguised again when it is handed to a resumed run
    return replace(config, task=f"{config.task}{DISGUISE}{how}", disguise=how), disguise(task, how)


def settle_prompts(config: RunConfig, task: Task) -> RunConfig:
    """The config with its examples chosen, once and for all of the run's sittings.

    Raises:
        UsageError: what the prompt should show or hide cannot be meant so.
        MissingComponentError: examples are wanted and the model that chooses them is not installed.
    """
    if config.only_name and not task.benchmark:
        raise UsageError(
            f"{task.id} is no task of a published benchmark, so there is no name of it that a model could know: leave "
            "`only_name` out, or give the card its `benchmark`."
        )
    if not (config.examples or config.shown):
        return config
    if not _shows_examples(config.method):
        raise UsageError(
            f"The method {config.method} shows no examples; text2reward does. Leave the examples out, or choose "
            "`--method text2reward`."
        )
    if task.disguised_from is not None:
        raise UsageError("A disguised task can be shown no examples: they would tell what the disguise hides.")
    if config.only_name:
        raise UsageError("With the task's name alone the prompt shows no examples: they would tell more than the name.")
    shown = config.shown or nearest(task, config.examples)
    return replace(config, examples=len(shown), shown=shown)


def variant(config: RunConfig, steps: Iterable[Key] = ()) -> str:
    """As `1 example (mujoco/ant-forward), words of a person in 2 rounds`; empty where there is nothing to add.

    Args:
        config: of the run.
        steps: keys of its journal.
    """
    stages = [key.stage for key in steps]
    parts = []
    if DISGUISE in config.task:
        parts.append(f"in disguise ({unpinned(config.task.partition(DISGUISE)[2])[0].name})")
    if config.only_name:
        parts.append("told only the benchmark's name")
    elif config.shown:
        ids = ", ".join(example.task for example in config.shown)
        parts.append(f"{len(config.shown)} example{'s' if len(config.shown) > 1 else ''} ({ids})")
    elif _shows_examples(config.method):
        parts.append("zero-shot")
    parts += [f"without {part}" for part in config.without]
    parts += ["held to labels"] if config.labels else []
    if config.initial and config.initial.entry != DESCRIBED:
        parts.append("from a reward that was given")
    for whose, stage in WORDS_OF.items():
        if count := stages.count(stage):
            parts.append(f"{SPOKEN[whose]} in {count} round{'s' if count > 1 else ''}")
    return ", ".join(parts)


def _shows_examples(method: str) -> bool:
    return bool(getattr(find_method(method), "shows_examples", False))
