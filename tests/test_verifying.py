"""Programs held to labelled transitions: what counts as told otherwise, what is shown of it, and whole runs by it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import corridor
import pytest
from corridor import NAMES, recorded, task
from runs_for_tests import recording
from sweeps_for_tests import answer, write
from terminals import piped
from test_cli_runs import call

from reward_agent.agent import resume, synthesize
from reward_agent.api import check
from reward_agent.config import RunConfig
from reward_agent.crediting.programs import described
from reward_agent.crediting.trajectories import Trajectory, write_trajectories
from reward_agent.crediting.verifying import SHOWN, Labels, read_labels
from reward_agent.errors import NoResultError, RewardAgentError, UsageError
from reward_agent.feedback import faults_text
from reward_agent.messages import Key
from reward_agent.program import SUBGOALS, Program
from reward_agent.subgoals import Subgoal
from reward_agent.vet import Verdict, vet

TASK = f"{corridor.__file__}:task"
KEY = "~state.agent.has_key & next_state.agent.has_key"
DOOR = "(state.agent.at < 6) & (next_state.agent.at == 6)"
RIGHT = f'''
def subgoals(state, action, next_state):
    """Fetch the key, then go to the door."""
    has_key = {KEY}  # the key is in hand
    # it came to the last square,
    at_door = {DOOR}
    return {{"has_key": has_key, "at_door": at_door}}
'''.strip()
WRONG = RIGHT.replace(KEY, "action == 2").replace(DOOR, "next_state.agent.at == 5")
ROUNDS = {"iterations": 1, "candidates": 1, "budget": 512, "final_seeds": 1, "expert": False, "jobs": 1}
SMALL = {**ROUNDS, "select_episodes": 4, "report_episodes": 4, "tensorboard": False, "video": False}


def walks() -> list[Trajectory]:
    """Four episodes that try to pick up on every square to the door; they turn round there and come back to it."""
    return [recorded(seed, [*["pickup", "right"] * 8, "left", "right"]) for seed in range(4)]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labelled.jsonl.gz"
    write_trajectories(path, walks())
    return path


def held(source: str, trajectories: Sequence[Trajectory] | None = None, errors: float = 0.0) -> Verdict:
    played = walks() if trajectories is None else trajectories
    return vet(Program(source, SUBGOALS), task, labels=Labels(tuple(played), errors))


def before_reached(name: str) -> list[tuple[Trajectory, int]]:
    """Transitions up to the first of each episode that reached it."""
    found = []
    for each in walks():
        for step, said in enumerate(each.reached):
            found.append((each, step))
            if said and said[name]:
                break
    return found


def test_what_tells_as_labelled_passes() -> None:
    verdict = held(RIGHT)
    assert verdict.ok and verdict.labelled == NAMES and verdict.term_names == NAMES
    assert not any("label" in warning for warning in verdict.warnings)
    reward = vet(Program("def compute_reward(s, a, n):\n    return n.agent.at * 1.0, {'at': n.agent.at * 1.0}"), task)
    assert reward.labelled == ()


def test_what_lasts_may_be_told_on() -> None:
    assert held(RIGHT.replace(KEY, "next_state.agent.has_key").replace(DOOR, "next_state.agent.at == 6")).ok
    early = held(RIGHT.replace(KEY, "next_state.agent.at >= 3"))
    assert not early.ok, "the square of the key is reached before the key is"


def test_what_differs_is_a_fault_that_shows_it() -> None:
    verdict = held(WRONG)
    summary, *shown = verdict.faults
    assert {fault.stage for fault in verdict.faults} == {"labels"} and len(shown) == SHOWN and not verdict.portable
    at_key = before_reached("has_key")
    others = [each.actions[step] for each, step in at_key if not (each.reached[step] or {})["has_key"]]
    missed = f"`has_key` is missed in 0 of 4 transitions that reach it, and told in {others.count('pickup')} of "
    assert f"{missed}{len(others)} that do not" in summary.message
    at_door = before_reached("at_door")
    wrong = sum(each.states[step + 1][each.fields.index("agent.at")] == 5 for each, step in at_door)
    assert f"`at_door` is missed in 4 of 4 transitions that reach it, and told in {wrong} of " in summary.message
    assert f"6 of these {others.count('pickup') + 4 + wrong} follow" in summary.message
    text = faults_text(verdict.faults, Program(WRONG, SUBGOALS))
    assert "more." not in text.splitlines()[-1] and "game.won" not in text
    missing = next(fault for fault in shown if "does not tell `at_door`" in fault.message)
    assert "which reached it by its label" in missing.message
    assert "Fields: agent.at 5 -> 6." in missing.message
    assert "Before:\n```\n.....@+\n```" in missing.message and "After:\n```\n......@\n```" in missing.message
    assert "Action: right" in missing.message and missing.line == 6
    told = next(fault for fault in shown if "tells `has_key`" in fault.message)
    assert "Action: pickup" in told.message and "which did not reach it" in told.message
    assert len({fault.message.partition(",")[0] for fault in shown}) == SHOWN, "another transition each"


def test_what_a_person_carries_is_shown_where_it_changed() -> None:
    verdict = held(RIGHT.replace(KEY, "next_state.agent.at > 9"))
    shown = verdict.faults[1].message
    assert "Carries: (nothing)" in shown and "Carries: a key" in shown and "agent.has_key False -> True" in shown


def test_names_that_no_label_has_are_not_judged() -> None:
    verdict = held(WRONG.replace('"has_key"', '"tried"').replace('"at_door"', '"nearly"'))
    assert verdict.ok and verdict.labelled == ()
    (said,) = (warning for warning in verdict.warnings if "labels" in warning)
    assert "tell `has_key`, `at_door` and say nothing of `tried`, `nearly`" in said
    half = held(RIGHT.replace(KEY, "action == 2").replace('"has_key"', '"tried"'))
    assert half.ok and half.labelled == ("at_door",) and any("nothing of `tried`" in said for said in half.warnings)


def test_a_share_may_differ_but_silence_never_passes() -> None:
    walked = walks()
    err = walked[0].reached.index({"has_key": True, "at_door": False})
    mistaken = [*walked[0].reached[:err], {"has_key": False, "at_door": False}, *walked[0].reached[err + 1 :]]
    erring = [replace(walked[0], reached=tuple(mistaken)), *walked[1:]]
    assert not held(RIGHT, erring).ok, "no label may err unless that is said"
    assert not held(RIGHT, erring, errors=0.2).ok, "one of four that either calls reached"
    verdict = held(RIGHT, erring, errors=0.25)
    assert verdict.ok and any("within the share of 0.25" in warning for warning in verdict.warnings)
    assert not held(RIGHT.replace(KEY, "next_state.agent.at > 9"), errors=0.9).ok


def test_what_has_no_label_is_not_asked_about() -> None:
    walked = walks()
    wrong = {number for number, name in enumerate(walked[0].actions) if name == "pickup"}
    unsaid = [
        replace(
            each,
            reached=tuple(
                said if step not in wrong or (said and any(said.values())) else None
                for step, said in enumerate(each.reached)
            ),
        )
        for each in walked
    ]
    assert held(RIGHT.replace(KEY, "action == 2"), unsaid).ok


def test_a_program_that_fails_on_what_is_labelled_goes_back() -> None:
    far = walks()[0]
    states = far.states.copy()
    states[2, far.fields.index("agent.at")] = 50
    table = RIGHT.replace(KEY, "np.array([False] * 3 + [True] + [False] * 3)[next_state.agent.at]")
    (fault,) = held(f"import numpy as np\n\n{table}", [replace(far, states=states)]).faults
    assert fault.stage == "labels" and "IndexError" in fault.message and fault.line == 5


def test_a_file_that_labels_nothing_of_the_task_is_refused(tmp_path: Path, labelled: Path) -> None:
    assert read_labels(labelled, task).names == NAMES
    whole = walks()
    for wrong, said in {
        "has a label": [replace(each, reached=(None,) * len(each.actions)) for each in whole],
        "subgoals are those of corridor/door": [replace(whole[0], task="other/task")],
        "Did you mean 'left'": [replace(whole[0], actions=("lift", *whole[0].actions[1:]))],
        "lacks the field agent.at": [
            replace(whole[0], fields=("agent.ta", *whole[0].fields[1:]), states=whole[0].states)
        ],
        "or in another order": [replace(whole[0], fields=tuple(reversed(whole[0].fields)))],
    }.items():
        write_trajectories(tmp_path / "wrong.jsonl.gz", said)
        with pytest.raises(UsageError, match=wrong):
            read_labels(tmp_path / "wrong.jsonl.gz", task)
    (tmp_path / "labels.jsonl").write_text('{"before": [], "action": "left", "after": [], "reached": {}}\n')
    with pytest.raises(UsageError, match=r"is no trajectory .* has screens and no states"):
        read_labels(tmp_path / "labels.jsonl", task)
    with pytest.raises(UsageError, match=r"Did you mean .*labelled"):
        read_labels(tmp_path / "labeled.jsonl.gz", task)
    with pytest.raises(UsageError, match=r"at least 0 and below 1"):
        RunConfig(TASK, method="calm", labels=labelled, label_errors=1.0)
    for method in ("eureka", "oni"):
        with pytest.raises(UsageError, match=f"the method {method} nobody writes one"):
            RunConfig(TASK, method, labels=labelled).make_method()
    with pytest.raises(UsageError, match="the given subgoals are won: nothing could be held"):
        RunConfig(TASK, method="calm", labels=labelled, subgoals=(Subgoal("won", "it won"),)).read_labels(task)


def test_a_run_is_repaired_by_its_labels(tmp_path: Path, labelled: Path) -> None:
    model = recording(tmp_path / "s.jsonl", {Key(0, 0, 0): WRONG, Key(0, 0, 1): RIGHT})
    config = RunConfig(TASK, "calm", model, labels=labelled, subgoals=task.subgoals, **SMALL)
    result = synthesize(replace(config, budget=2048), root=tmp_path, name="one")
    assert result.program.source.strip() == RIGHT and "held to labels" in result.variant
    folder = tmp_path / "one" / "iter_00" / "cand_00"
    messages = json.loads((folder / "attempt_01" / "messages.json").read_text())
    assert "does not tell `at_door`" in json.dumps(messages) and ".....@+" in json.dumps(messages)
    faults = json.loads((folder / "attempt_00" / "check.json").read_text())["faults"]
    assert {fault["stage"] for fault in faults} == {"labels"}
    labelled.rename(labelled.with_suffix(".away"))
    assert resume(tmp_path / "one").policy_sha256 == result.policy_sha256, "what was held to labels is in the journal"


def test_no_program_is_taken_that_differs_to_the_last(tmp_path: Path, labelled: Path) -> None:
    model = recording(tmp_path / "s.jsonl", {Key(0, 0, 0): WRONG, Key(0, 0, 1): f"{WRONG}\n# again\n"})
    config = RunConfig(TASK, "calm", model, labels=labelled, repairs=1, **SMALL)
    with pytest.raises(NoResultError):
        synthesize(config, root=tmp_path)
    own = replace(config, initial=Program(WRONG, SUBGOALS))
    with pytest.raises(RewardAgentError, match="cannot be trained on"):
        synthesize(own, root=tmp_path)


def test_from_the_command_line(tmp_path: Path, labelled: Path) -> None:
    for name, source in {"right.py": RIGHT, "wrong.py": WRONG}.items():
        (tmp_path / name).write_text(source)
    asked = ("--task", TASK, "--labels", labelled.name)
    assert "as labelled: has_key, at_door" in call("check", "right.py", *asked, cwd=tmp_path).stdout
    assert "labels fault" in call("check", "wrong.py", *asked, cwd=tmp_path, code=1).stdout
    assert check(tmp_path / "right.py", task, labels=labelled).labelled == NAMES
    model = recording(tmp_path / "s.jsonl", {Key(0, 0, 0): WRONG, Key(0, 0, 1): RIGHT})
    options = ("--method", "calm", "--subgoals", "card", *asked[2:], "--label-errors", "0.1")
    small = ("--iterations", "1", "--candidates", "1", "--budget", "512", "--final-seeds", "1", "--yes", "--json")
    done = call("run", TASK, *options, "--llm", model, *small, cwd=tmp_path)
    assert "labels fault, line 6: The program does not tell `at_door`" in done.stderr and "....@" not in done.stderr
    told = json.loads(done.stdout)
    again = json.loads(call("report", told["run"], "--json", cwd=tmp_path).stdout)
    report = Path(tmp_path / again["report"]).read_text()
    assert "--label-errors 0.1" in report and f"--labels {labelled.resolve()}" in report


def test_in_a_chat(tmp_path: Path, labelled: Path) -> None:
    model = recording(tmp_path / "s.jsonl", {Key(0, 0, 0): WRONG, Key(0, 0, 1): RIGHT})
    options = ("--method", "calm", "--subgoals", "card", "--labels", labelled.name, "--look", "none")
    done = piped("/go\n", "chat", TASK, "--llm", model, *options, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (turn,) = json.loads(done.stdout)["turns"]
    assert {fault["stage"] for fault in turn["faults"]} == {"labels"} and turn["program"].strip() == RIGHT
    assert "  has_key: the key is in hand\n  at_door: it came to the last square," in done.stderr


@pytest.mark.needs("rliable")
def test_in_a_sweep(tmp_path: Path, labelled: Path) -> None:
    recording(tmp_path / "steps.jsonl", {Key(0, 0, 0): WRONG, Key(0, 0, 1): RIGHT})
    entry = {"name": "held", "method": "calm", "llm": "replay:steps.jsonl", "labels": labelled.name, **ROUNDS}
    write(tmp_path, tasks=[TASK], entries=[entry])
    told = answer("sweep.yaml", cwd=tmp_path)
    assert "held" in json.dumps(told)
    (journal,) = tmp_path.glob("**/journal.jsonl")
    assert "does not tell `at_door`" in journal.read_text()


def test_what_a_person_reviews_is_said_beside_or_above() -> None:
    names = ("a", "b", "c", "d_e")
    source = """
def subgoals(state, action, next_state):
    one = (  # first
        state.x > 1
    )
    # 2. second, in the end
    two = state.x > 2

    four = state.x > 4
    return {"a": one, "b": two, "c": state.x > 3, "d_e": four}
"""
    found = [each.doc for each in described(Program(source, SUBGOALS), names)]
    assert found == ["first", "2. second, in the end", "c", "d e"]
    beside = source.replace('"a": one,', '"a": one,  # of the dict\n')
    assert described(Program(beside, SUBGOALS), names)[0].doc == "of the dict"
