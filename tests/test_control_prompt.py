"""The control prompt: a benchmark's name for the task, the contract and the fields, and not a word of what is asked."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pointmass
import pytest
import runs_for_tests as runs

from reward_agent.agent import prepare
from reward_agent.envs.registry import tasks
from reward_agent.errors import UsageError
from reward_agent.fewshot import Example
from reward_agent.history import History
from reward_agent.methods import Ask, Settings, find_method
from reward_agent.methods.base import brief
from reward_agent.program import Program
from reward_agent.task import Task
from reward_agent.templates import Templates
from reward_agent.variant import settle_prompts, variant

PUBLISHED = [t for t in tasks().values() if t.benchmark and t.expert and t.world.missing() is None]


@pytest.mark.parametrize("method", ["eureka", "text2reward"])
@pytest.mark.parametrize("task", PUBLISHED, ids=lambda task: task.id)
def test_it_names_the_task_and_tells_nothing_of_it(method: str, task: Task) -> None:
    def said(only_name: bool) -> str:
        settings = Settings(iterations=1, candidates=1, only_name=only_name)
        ask = find_method(method)(settings, Templates()).next(task, History())
        assert isinstance(ask, Ask)
        return "\n".join(message.text for message in ask.prompts[0].messages)

    control, usual = said(True), said(False)
    assert f"known as {task.benchmark}." in control and "known as" not in usual
    assert task.instruction not in control and task.control not in control
    assert task.instruction.rstrip(".") in usual and task.benchmark not in usual
    # all else is the same: contract, fields, helpers, length of an episode
    for part in ("schema", "helpers"):
        assert brief(task)[part] in re.sub(r"\n{3,}", "\n\n", control)
    assert len(control.splitlines()) <= len(usual.splitlines())


def test_it_is_refused_where_it_cannot_be_meant(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"pointmass/reach is no task of a published benchmark"):
        prepare(runs.config("manual", only_name=True), root=tmp_path)
    known = replace(pointmass.task, benchmark="Points v1")
    shown = (Example("mine/other", "do", Program(runs.TIMID), 0.0),)
    with pytest.raises(UsageError, match="shows no examples"):
        settle_prompts(runs.config("manual", only_name=True, method="text2reward", shown=shown), known)
    config = settle_prompts(runs.config("manual", only_name=True, method="text2reward"), known)
    assert variant(config) == "told only the benchmark's name"
    assert config.make_method().settings.only_name  # type: ignore[attr-defined]
