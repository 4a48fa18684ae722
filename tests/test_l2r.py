"""Language to Rewards and its baselines: stages, turns, what carries over, repairs; and a whole run of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pointmass import pointmass_task

from reward_agent import agent
from reward_agent.config import RunConfig
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.events import Described, Event
from reward_agent.history import Attempt, Candidate, History, Interval, Outcome
from reward_agent.left_open import OPEN
from reward_agent.llm.base import LLM
from reward_agent.messages import Key, Message, Reply
from reward_agent.methods import Ask, Data, Done, Method, Prompt, Settings, Train, Words, find_method
from reward_agent.program import Fault, Program
from reward_agent.task import Task
from reward_agent.templates import Templates

TASK = find_task("quadruped/lift-paw")
DESCRIPTION = "Thinking.\n<description>\n1. The torso's middle should be 0.28 m above the floor.\n</description>"
CALLS = "```python\nset_torso_targets(target_torso_height=0.28)\nexecute_plan(4)\n```"


def make(name: str, iterations: int = 1, candidates: int = 1, repairs: int = 1) -> Method:
    return find_method(name)(Settings(iterations, candidates, repairs), Templates())


def text(prompt: Prompt) -> str:
    return "\n".join(message.text for message in prompt.messages)


def asked(method: Method, task: Task, history: History) -> Prompt:
    action = method.next(task, history)
    assert isinstance(action, Ask) and method.next(task, history) == action
    return action.prompts[0]


def answered(method: Method, task: Task, history: History, reply: str) -> History:
    """The history after this reply to what is asked next."""
    prompt = asked(method, task, history)
    found = method.read(task, history, prompt, reply)
    program = found if isinstance(found, Program) else None
    faults = (found,) if isinstance(found, Fault) else ()
    at = prompt.key.iteration, prompt.key.candidate
    candidate = history.candidates.get(at, Candidate(*at))
    attempt = Attempt(prompt.key, prompt.messages, Reply(reply, "test"), program, faults)
    return History({**history.candidates, at: replace(candidate, attempts=(*candidate.attempts, attempt))})


def seen(history: History, at: tuple[int, int], words: str = "") -> History:
    outcome = Outcome({"success": Interval(0.0, 0.0, 0.0)}, {}, (), (), (), 1, 1.0)
    return History({**history.candidates, at: replace(history.candidates[at], outcome=outcome, words=words)})


def test_a_motion_is_described_and_then_set() -> None:
    method = make("l2r")
    first = asked(method, TASK, History())
    assert first.key == Key(0, 0, 0, "motion")
    assert TASK.instruction in first.messages[-1].text and "{CHOICE: be level" in first.messages[0].text
    assert "set_torso_targets" not in text(first)
    history = answered(method, TASK, History(), DESCRIPTION)
    second = asked(method, TASK, history)
    assert second.key == Key(0, 0, 0)
    assert "0.28 m above the floor" in second.messages[-1].text and "Thinking" not in text(second)
    assert "def set_foot_pos_parameters(foot_name" in second.messages[0].text
    assert TASK.instruction not in text(second)  # the Coder knows the description alone
    assert isinstance(method.next(TASK, answered(method, TASK, history, CALLS)), Train)


def test_the_coder_alone_is_told_the_instruction() -> None:
    for name in ("l2r_coder", "code_as_policies"):
        prompt = asked(make(name), TASK, History())
        assert prompt.key == Key(0, 0, 0) and TASK.instruction in prompt.messages[-1].text
    assert "head_towards" in text(prompt) and "set_foot_stepping" not in text(prompt)


def test_faulty_calls_go_back_and_are_given_up_after_the_repairs() -> None:
    method = make("l2r", repairs=1)
    history = answered(method, TASK, History(), DESCRIPTION)
    history = answered(method, TASK, history, "```python\nset_torso_targets(target_torso_height=9)\n```")
    again = asked(method, TASK, history)
    assert again.key == Key(0, 0, 1)
    said = again.messages[-1].text
    assert "it must be a number from 0 to 1 [m]" in said and "[check, line 1]" in said
    given_up = answered(method, TASK, history, "I cannot.")
    assert isinstance(method.next(TASK, given_up), Done)
    mended = answered(method, TASK, history, CALLS)
    assert method.next(TASK, mended) == Train(((0, 0),))


@pytest.mark.parametrize("nothing", ["", " \n", "<description>\n</description>", "Well: <description>"])
def test_an_empty_description_is_a_fault_and_not_asked_for_without_end(nothing: str) -> None:
    method = make("l2r", repairs=1)
    history = answered(method, TASK, History(), nothing)
    (attempt,) = history.candidates[0, 0].attempts
    assert [fault.stage for fault in attempt.faults] == ["extract"]
    again = asked(method, TASK, history)
    assert again.key == Key(0, 0, 1, "motion")
    assert "describes no motion" in again.messages[-1].text and "corrected description" in again.messages[-1].text
    assert asked(method, TASK, answered(method, TASK, history, DESCRIPTION)).key == Key(0, 0, 0)
    assert isinstance(method.next(TASK, answered(method, TASK, history, nothing)), Done)


def test_corrections_of_the_task_are_turns_and_only_the_last_is_optimised() -> None:
    task = find_task("quadruped/spin-with-lifted-paws")
    method, history = make("l2r"), History()
    for number, words in enumerate((task.instruction, *task.corrections)):
        prompt = asked(method, task, history)
        assert prompt.key.iteration == number and prompt.messages[-1].text.strip() == words
        assert [m.role for m in prompt.messages[1:]] == ["user", "assistant"] * number + ["user"]
        history = answered(method, task, history, DESCRIPTION)
        foot = ("front_left", "back_right", "front_right")[number]
        calls = f"```python\nset_foot_pos_parameters('{foot}', lift_height=0.1)\nexecute_plan()\n```"
        coder = asked(method, task, history)
        assert ("In force at this moment" in text(coder)) == (number > 0)
        history = answered(method, task, history, calls)
    assert method.next(task, history) == Train(((2, 0),))
    last = history.candidates[2, 0].program
    assert last and all(f"{foot}_lift" in last.source for foot in ("front_left", "back_right", "front_right"))


def test_a_person_corrects_what_they_saw() -> None:
    method, history = make("l2r", iterations=2), History()
    history = answered(method, TASK, answered(method, TASK, history, DESCRIPTION), CALLS)
    assert method.next(TASK, history) == Train(((0, 0),))
    history = seen(history, (0, 0))
    assert method.next(TASK, history) == Words(0, 0)
    history = seen(history, (0, 0), "lower, please")
    prompt = asked(method, TASK, history)
    assert prompt.key == Key(1, 0, 0, "motion") and prompt.messages[-1].text.strip() == "lower, please"
    assert [m.role for m in prompt.messages] == ["system", "user", "assistant", "user"]
    history = answered(method, TASK, history, DESCRIPTION)
    assert "set_torso_targets(target_torso_height=0.28)" in text(asked(method, TASK, history))
    history = answered(
        method, TASK, history, "```python\nset_torso_targets(target_torso_roll=0.1)\nexecute_plan()\n```"
    )
    program = history.candidates[1, 0].program
    assert program and "position[:, 2] - 0.28" in program.source and "torso_tilt" in program.source
    assert isinstance(method.next(TASK, seen(history, (1, 0))), Done)


def test_candidates_are_conversations_of_their_own() -> None:
    task = find_task("quadruped/lift-paw-higher")
    method, history = make("l2r_coder", candidates=2, repairs=0), History()
    history = answered(method, task, history, "```python\nset_torso_targets(0.1)\nexecute_plan()\n```")
    history = answered(method, task, history, "no")
    prompt = asked(method, task, history)
    assert prompt.key == Key(1, 0, 0) and "target_torso_height=0.1" in text(prompt)
    history = answered(method, task, history, CALLS)
    assert method.next(task, history) == Train(((1, 0),))  # the other one came to nothing in its first turn


def test_phases_of_skills_become_one_program() -> None:
    method, history = make("code_as_policies"), History()
    calls = (
        "head_towards(1.57)\nexecute_plan(2)\nset_torso_pose(height=0.1)\nmove_foot('front_left', 0.1)\nexecute_plan(2)"
    )
    history = answered(method, TASK, history, f"```python\n{calls}\n```")
    program = history.candidates[0, 0].program
    assert program and "next_state.episode.time > 2" in program.source and "phase >= 1" in program.source


def test_the_description_may_come_without_its_marks() -> None:
    method = make("l2r")
    history = answered(method, TASK, History(), "The torso sinks to 0.1 m.")
    assert isinstance(method.read(TASK, History(), asked(method, TASK, History()), "anything"), Data)
    assert "The torso sinks to 0.1 m." in text(asked(method, TASK, history))


def test_worlds_without_reward_parameters_are_refused() -> None:
    with pytest.raises(UsageError, match=r"dexterous, quadruped.*--method text2reward"):
        make("l2r").next(pointmass_task(), History())


class Spoken(LLM):
    """A model with an answer for each stage."""

    name = "test:spoken"

    def __init__(self, answer: Callable[[Key], str]) -> None:
        self.answer, self.keys = answer, []

    def complete(self, messages: tuple[Message, ...], key: Key) -> Reply:  # type: ignore[override]
        self.keys.append(key)
        return Reply(self.answer(key), "test")


@pytest.mark.needs("bubblewrap")
def test_a_whole_run_plans_and_resumes(tmp_path: Path) -> None:
    def answer(key: Key) -> str:
        if key.stage == "motion":
            return DESCRIPTION
        return "```python\nset_torso_targets(0.28)\nset_foot_pos_parameters('front_right', lift_height=0.12)\n```"

    events: list[Event] = []
    model = Spoken(answer)
    config = RunConfig(
        task=TASK.id,
        method="l2r",
        budget=1000,
        settings={"samples": 8, "seconds": 0.2, "every": 0.1, "threads": 1},
        select_episodes=1,
        report_episodes=1,
        expert=False,
        video=False,
        jobs=1,
    )
    left_open = [name for name in OPEN if name not in ("method", "select_episodes", "report_episodes")]
    ready = agent.prepare(config, llm=model, root=tmp_path, left_open=left_open)
    assert (ready.config.optimiser, ready.config.iterations, ready.config.candidates) == ("mpc", 1, 1)
    result = agent.synthesize(ready, root=tmp_path, name="run", events=events.append)
    assert result.trainings == 1 and 0.0 <= result.metrics["progress"].mean <= 1.0
    assert model.keys == [Key(0, 0, 0, "motion"), Key(0, 0, 0)]
    attempt = tmp_path / "run" / "iter_00" / "cand_00" / "attempt_00"
    assert (attempt / "motion.reply.md").read_text() == DESCRIPTION
    assert "set_torso_targets" in (attempt / "messages.json").read_text()
    assert sum(isinstance(event, Described) for event in events) == 1
    again = agent.resume(tmp_path / "run", llm=model)
    assert again.metrics == result.metrics and len(model.keys) == 2
