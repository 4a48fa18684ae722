"""CALM: what its prompts show, subgoals given or found, and whole runs whose policy is paid for them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pointmass
import pytest
from runs_for_tests import GOOD, TASK, config, recording
from sweeps_for_tests import answer, rows, write
from terminals import LOOK, piped
from test_cli_runs import SMALL, call
from test_shaping import PROGRAM

from reward_agent.agent import resume, synthesize
from reward_agent.api import check
from reward_agent.chronicle import read_chronicle
from reward_agent.config import RunConfig
from reward_agent.envs.registry import find_task, recordings
from reward_agent.errors import UsageError
from reward_agent.history import Attempt, Candidate, History, Interval, Outcome
from reward_agent.llm.recordings import read_recording
from reward_agent.messages import Key, Reply
from reward_agent.methods import Ask, Done, Method, Prompt, Settings, Train, find_method
from reward_agent.program import SUBGOALS, Fault, Program, program_in
from reward_agent.subgoals import Subgoal, read_subgoals
from reward_agent.templates import Templates
from reward_agent.vet import vet

GIVEN = (Subgoal("moves", "the point moves"), Subgoal("near", "the point is near the goal"))
SETTINGS = Settings(iterations=3, candidates=1)


def calm(settings: Settings = SETTINGS) -> Method:
    return find_method("calm")(settings, Templates())


def fenced(source: str) -> str:
    return f"First it moves, then it is near.\n```python\n{source}\n```\n"


def outcome(success: float, *reached: float) -> Outcome:
    """Of a training in whose last stretch these shares of episodes reached its subgoals; in its first none ended."""
    return Outcome(
        metrics={"success": Interval(success, success, success)},
        terms={"goal": (0.0, success / 10), "moves": (0.0, 0.01), "near": (0.0, 0.01)},
        episode_return=(0.0, 1.0),
        episode_length=(20.0, 10.0),
        task_score=(0.0, success),
        success=(0.0, success),
        steps=5000,
        seconds=1.0,
        reached={name: (math.nan, share) for name, share in zip(("moves", "near"), reached, strict=True)},
    )


def candidate(iteration: int, came_of: Outcome | None) -> Candidate:
    attempt = Attempt(Key(iteration, 0, 0), (), Reply("text", "model"), Program(PROGRAM, SUBGOALS))
    return Candidate(iteration, 0, (attempt,), came_of)


def asked(history: History, settings: Settings = SETTINGS) -> str:
    action = calm(settings).next(pointmass.task, history)
    assert isinstance(action, Ask)
    return "\n".join(message.text for message in action.prompts[0].messages)


def test_the_first_prompt_has_the_task_and_the_contract_of_subgoals() -> None:
    text = asked(History())
    assert pointmass.task.instruction in text and "def subgoals(state, action, next_state)" in text
    assert "point.position" in text or "position: float array" in text
    assert "Divide the task into subgoals" in text and "compute_reward" not in text
    assert "secret" not in text and "reached: bool" not in text, "the goal's flag is the task's own"


def test_given_subgoals_are_told_and_wanted() -> None:
    settings = replace(SETTINGS, subgoals=GIVEN)
    text = asked(History(), settings)
    assert "`moves`: the point moves" in text and "Divide the task into subgoals" not in text
    method, prompt = calm(settings), Prompt(Key(0, 0, 0), ())
    assert isinstance(method.read(pointmass.task, History(), prompt, fenced(PROGRAM)), Program)
    fault = method.read(pointmass.task, History(), prompt, fenced(PROGRAM.replace('"near"', '"close"')))
    assert isinstance(fault, Fault) and "`near` is not told" in fault.message
    fault = method.read(pointmass.task, History(), prompt, fenced(PROGRAM.replace('"near":', '"close": near, "near":')))
    assert isinstance(fault, Fault) and "`close` is none of the given subgoals" in fault.message
    turned = fenced("def subgoals(state, action, next_state):\n    return {'near': a, 'moves': b}\n")
    fault = method.read(pointmass.task, History(), prompt, turned)
    assert isinstance(fault, Fault) and "another order" in fault.message
    by_keyword = fenced("def subgoals(state, action, next_state):\n    return dict(moves=a, near=b)\n")
    assert isinstance(method.read(pointmass.task, History(), prompt, by_keyword), Program)
    assert isinstance(calm().read(pointmass.task, History(), prompt, "nothing"), Fault)


def test_what_came_of_it_is_told_subgoal_by_subgoal() -> None:
    first, second = candidate(0, outcome(0.25, 0.9, 0.5)), candidate(1, outcome(0.125, 0.75, 0.0))
    text = asked(History({(0, 0): first}))
    assert "goal: 0.000 0.250" in text and "episode_length: 20.0 10.0" in text
    assert "moves: none-ended 0.90" in text and "near: none-ended 0.50" in text and text.count("\ngoal: ") == 1
    told = asked(History({(0, 0): first, (1, 0): second}))
    assert "Tried since" in told and "goal 0.125; subgoals in the end: moves 0.75, near 0.00" in told


def test_it_trains_what_passes_and_ends() -> None:
    assert calm().next(pointmass.task, History({(0, 0): candidate(0, None)})) == Train(((0, 0),))
    done = History({(i, 0): candidate(i, outcome(0.1 * i, 0.5, 0.5)) for i in range(3)})
    assert isinstance(calm().next(pointmass.task, done), Done)


@pytest.mark.needs("minigrid")
@pytest.mark.needs("minihack")
@pytest.mark.parametrize(("name", "rounds"), [("minihack/keyroom-s5", 1), ("minigrid/doorkey-8x8", 2)])
def test_recorded_replies_of_a_model_are_fit_for_training(name: str, rounds: int) -> None:
    recording, task = read_recording(recordings(name)["calm"]), find_task(name)
    assert recording.turns == rounds and len(recording.replies) == 2 * rounds
    for reply in recording.replies.values():
        program = calm().read(task, History(), Prompt(Key(0, 0, 0), ()), reply.text)
        assert isinstance(program, Program) and vet(program, task).ok


def test_a_whole_run(tmp_path: Path) -> None:
    other = PROGRAM.replace("0.2", "0.3")
    model = recording(tmp_path / "s.jsonl", {Key(0, 0, 0): PROGRAM, Key(1, 0, 0): other})
    made = config(model, method="calm", iterations=2, candidates=1, budget=2048, final_seeds=1, shaping={"weight": 0.5})
    result = synthesize(made, root=tmp_path, name="one")
    assert result.program.entry == SUBGOALS and result.method == "calm"
    assert "the goal and each subgoal" in result.sees
    trained = read_chronicle(result.folder).candidates[0].outcome
    assert isinstance(trained, Outcome) and set(trained.reached) == {"moves", "near"}
    shares = [share for each in trained.reached.values() for share in each if not math.isnan(share)]
    assert shares and all(0.0 <= share <= 1.0 for share in shares) and trained.reached["moves"][-1] > 0.5
    exported = result.reward.read_text()
    kept = program_in(exported)
    assert isinstance(kept, Program) and kept.entry == SUBGOALS
    again = synthesize(replace(made, llm=model), root=tmp_path, name="two")
    assert again.policy_sha256 == result.policy_sha256
    assert resume(tmp_path / "one").policy_sha256 == result.policy_sha256


def test_a_file_of_ones_own_subgoals(tmp_path: Path) -> None:
    path = tmp_path / "steps.txt"
    path.write_text("# on the way\nmoves: the point moves\n\n- near: the point is near the goal\n")
    assert read_subgoals(path) == GIVEN
    for text, said in {
        "moves": "line 1, says no subgoal",
        "two words: no": "names are identifiers",
        "a: b\na: c": "for the second time",
        "": "has 0 subgoals",
    }.items():
        path.write_text(text)
        with pytest.raises(UsageError, match=said):
            read_subgoals(path)
    with pytest.raises(UsageError, match=r"steps\.txt"):
        read_subgoals(tmp_path / "step.txt")


def test_subgoals_are_for_a_method_that_divides() -> None:
    with pytest.raises(UsageError, match="--method calm"):
        config("x", method="eureka", subgoals=GIVEN).make_method()
    with pytest.raises(UsageError, match="--optimiser ppo"):
        config("x", method="calm", optimiser="mpc").make_method()
    with pytest.raises(UsageError, match="Did you mean 'weight'"):
        config("x", method="calm", shaping={"weigh": 1.0})


def test_a_file_that_tells_subgoals_is_checked_as_such(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(PROGRAM)
    assert check(path, pointmass.task).ok
    path.write_text(PROGRAM.replace("< 0.2", "- 0.2"))
    (fault,) = check(path, pointmass.task).faults
    assert "must be bool" in fault.message


def test_from_the_command_line(tmp_path: Path) -> None:
    model = recording(tmp_path / "s.jsonl", {Key(0, 0, 0): PROGRAM})
    (tmp_path / "steps.txt").write_text("moves: the point moves\nnear: the point is near the goal\n")
    options = ("--method", "calm", "--subgoals", "steps.txt", "--shape", "weight=0.5", "--shape", "ordered=true")
    asked_for = ("run", TASK, *options, "--llm", model, "--iterations", "1", "--candidates", "1", *SMALL, "--json")
    told = json.loads(call(*asked_for, cwd=tmp_path).stdout)
    assert told["method"] == "calm" and told["shaping"] == {"weight": 0.5, "ordered": True}
    assert "subgoals pay weight 0.5, ordered True" in call("show", told["run"], cwd=tmp_path).stdout
    call("export", told["run"], "-o", "mine.py", cwd=tmp_path)
    ran = "import numpy as np, mine; print(mine.compute_reward.weight, mine.subgoals.__name__)"
    done = subprocess.run([sys.executable, "-c", ran], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split() == ["0.5", "subgoals"], done.stderr
    wrong = call("run", TASK, "--method", "calm", "--shape", "wieght=1", "--llm", model, *SMALL, cwd=tmp_path, code=2)
    assert "Did you mean 'weight'?" in wrong.stderr
    none = call("run", TASK, "--method", "calm", "--subgoals", "card", "--llm", model, *SMALL, cwd=tmp_path, code=2)
    assert "gives no subgoals" in none.stderr


def test_in_a_chat(tmp_path: Path) -> None:
    model = recording(tmp_path / "s.jsonl", {Key(0, 0, 0): PROGRAM, Key(1, 0, 0): PROGRAM.replace("0.2", "0.3")})
    said = "get to the goal in steps\n/look\nnearer\n/train 1024\n/export out.py\n"
    look = (*LOOK[:-1], "calm")
    done = piped(said, "chat", TASK, "--llm", model, *look, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["turns"]) == 2 and not told["turns"][0]["faults"]
    assert "SubgoalReward" in (tmp_path / "out.py").read_text()


@pytest.mark.needs("rliable")
def test_in_a_sweep(tmp_path: Path) -> None:
    entry = {"name": "calm", "method": "calm", "llm": "replay:steps.jsonl", "shaping": {"weight": 0.2}}
    write(tmp_path, entries=[entry | {"iterations": 1, "candidates": 1}])
    recording(tmp_path / "steps.jsonl", {Key(0, 0, 0): PROGRAM})
    told = answer("sweep.yaml", cwd=tmp_path)
    found = rows(told)
    assert any("calm" in reward for reward in found), found


def test_what_is_given_must_be_what_the_method_improves(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--method eureka"):
        config("x", method="calm", initial=Program(GOOD)).make_method()
    with pytest.raises(UsageError, match="--method calm"):
        config("x", method="eureka", initial=Program(PROGRAM, SUBGOALS)).make_method()
    given = config("none", method="given", initial=Program(PROGRAM, SUBGOALS), iterations=0, shaping={"weight": 1.0})
    assert given.make_method().name == "given"
    with pytest.raises(UsageError, match=r"find_task\(name\)\.subgoals"):
        config("x", method="calm", subgoals="card")
    (fault,) = vet(Program(PROGRAM.replace('"near"', '"goal"'), SUBGOALS), pointmass.task).faults
    assert "No subgoal is named `goal`" in fault.message
    (tmp_path / "steps.txt").write_text("goal: it is there\n")
    with pytest.raises(UsageError, match="the task's own"):
        read_subgoals(tmp_path / "steps.txt")


def test_a_program_of_ones_own_is_tried_with_any_shaping(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PROGRAM)
    words = ("eval", "mine.py", "--task", TASK, "--budget", "512", "--seeds", "1", "--episodes", "4")
    call(*words, "--shape", "ordered=true", cwd=tmp_path)
    assert "a potential's" in call(*words, "--shape", "discount=0.9", cwd=tmp_path, code=2).stderr
    assert "--shape goal=1.0" in call(*words, "--shape", "weight", cwd=tmp_path, code=2).stderr
    (tmp_path / "mine.py").write_text(GOOD)
    assert "leave it out" in call(*words, "--shape", "weight=1", cwd=tmp_path, code=2).stderr


def test_from_python_in_ten_lines(tmp_path: Path) -> None:
    config = RunConfig(
        task=TASK,
        method="calm",
        llm=recording(tmp_path / "s.jsonl", {Key(0, 0, 0): PROGRAM}),
        shaping={"potential": True},
        iterations=1,
        candidates=1,
        budget=1024,
        final_seeds=1,
    )
    result = synthesize(config, root=tmp_path)
    assert result.program.entry == SUBGOALS and result.shaping == {"potential": True, "discount": 0.99}, (
        "the optimiser's own"
    )
