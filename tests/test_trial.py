"""A training as a job: its files, its score, its faults, and that stopping or killing it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pointmass
import pytest

from reward_agent.codec import encode
from reward_agent.optimise.policy import load_policy
from reward_agent.program import Fault, Program
from reward_agent.scoring import SeedPlan
from reward_agent.trial import FloorsSpec, Trained, TrialSpec, VideoSpec, film, floors, run_trial

TASK = f"{pointmass.__file__}:task"
SETTINGS = {
    "num_envs": 16,
    "rollout": 32,
    "batch_size": 256,
    "epochs": 10,
    "learning_rate": 1e-3,
    "log_std_init": -0.5,
    "hidden": (16, 16),
}


def spec(folder: Path, **changes: object) -> TrialSpec:
    seeds = tuple(int(seed) for seed in SeedPlan.select_seeds(0, 12))
    made = TrialSpec(
        TASK, Program(pointmass.EXPERT), 4_096, 1, folder, settings=SETTINGS, select_seeds=seeds, measured_at=(2_048,)
    )
    return replace(made, **changes)


def ignore(value: object) -> None:
    pass


def go_on() -> bool:
    return False


def after(calls: int) -> Callable[[], bool]:
    left = iter(range(calls))
    return lambda: next(left, None) is None


def trained(spec: TrialSpec) -> Trained:
    result = run_trial(spec, ignore, go_on)
    assert isinstance(result, Trained)
    return result


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrialSpec, Trained]:
    told: list[int] = []
    made = spec(tmp_path_factory.mktemp("trial"), report_seeds=(5, 6))
    result = run_trial(made, lambda progress: told.append(progress.budget), go_on)
    assert isinstance(result, Trained)
    assert told and set(told) == {4_096}, "progress is towards the whole budget"
    return made, result


def test_the_folder_holds_what_the_design_says(undisturbed: tuple[TrialSpec, Trained]) -> None:
    made, result = undisturbed
    names = {path.name for path in made.folder.iterdir()}
    assert names == {"policy.safetensors", "policy.json", "curves.npz", "eval.json"}
    facts = json.loads((made.folder / "eval.json").read_text())
    assert facts["program"] == made.program.id and facts["training_seed"] == 1
    curves = np.load(made.folder / "curves.npz")
    assert curves["steps"][-1] == 4_096 and len(curves["terms/near"]) == len(curves["steps"])
    assert load_policy(made.folder).action_size == 1
    assert set(result.files) == names - {"eval.json"}


def test_the_outcome_is_of_the_select_seeds(undisturbed: tuple[TrialSpec, Trained]) -> None:
    _, result = undisturbed
    assert [len(scores) for scores in result.select.values()] == [12, 12]
    assert [len(scores) for scores in result.report.values()] == [2, 2]
    success = result.outcome.metrics["success"]
    assert success.mean == pytest.approx(np.mean(result.select["success"]))
    assert 0.0 <= success.low <= success.mean <= success.high <= 1.0 and success.low < success.high
    assert len(result.outcome.success) == 2 and result.outcome.success[-1] == success.mean
    graded = result.outcome.task_score
    assert len(graded) == 2 and graded[-1] == result.outcome.metrics["closeness"].mean and graded[0] < graded[-1]
    assert set(result.outcome.terms) == {"near", "effort"}


def test_stopping_and_going_on_changes_nothing(undisturbed: tuple[TrialSpec, Trained], tmp_path: Path) -> None:
    _, whole = undisturbed
    for boundary in (0, 1, 0):  # before, at and after the point where the metric is measured
        assert run_trial(spec(tmp_path, report_seeds=(5, 6)), ignore, after(boundary)) is None
    parts = trained(spec(tmp_path, report_seeds=(5, 6)))
    assert parts.files == whole.files
    assert encode(replace(parts.outcome, seconds=0)) == encode(replace(whole.outcome, seconds=0))
    assert not (tmp_path / "training").exists()


def test_measuring_changes_nothing(undisturbed: tuple[TrialSpec, Trained], tmp_path: Path) -> None:
    _, whole = undisturbed
    other = trained(spec(tmp_path, measured_at=()))
    assert other.files == whole.files
    assert other.outcome.task_score == whole.outcome.task_score[-1:]
    assert other.outcome.success == whole.outcome.success[-1:]


def test_a_finished_training_is_not_done_again(undisturbed: tuple[TrialSpec, Trained]) -> None:
    made, result = undisturbed
    before = (made.folder / "policy.safetensors").stat().st_mtime_ns
    assert encode(trained(made)) == encode(result)
    assert (made.folder / "policy.safetensors").stat().st_mtime_ns == before


def test_another_training_in_the_folder_is_not_taken_for_this_one(tmp_path: Path) -> None:
    first = trained(spec(tmp_path, budget=1_024, measured_at=()))
    other = trained(spec(tmp_path, budget=1_024, measured_at=(), seed=2))
    assert first.files["policy.safetensors"] != other.files["policy.safetensors"]
    (tmp_path / "policy.safetensors").write_bytes(b"damaged")
    assert trained(spec(tmp_path, budget=1_024, measured_at=(), seed=2)).files == other.files


def test_a_program_that_fails_late_is_at_fault(tmp_path: Path) -> None:
    late = """
import numpy as np

def compute_reward(state, action, next_state):
    if np.abs(next_state.point.position).max() > 0.5:
        raise ValueError("too far")
    near = -np.abs(next_state.point.position - next_state.goal.position)
    return near, {"near": near}
"""
    fault = run_trial(spec(tmp_path, program=Program(late)), ignore, go_on)
    assert isinstance(fault, Fault)
    assert fault.stage == "optimise" and "too far" in fault.message and fault.line == 6
    assert not (tmp_path / "training").exists()


def test_floors_are_what_no_policy_reaches(undisturbed: tuple[TrialSpec, Trained]) -> None:
    _, result = undisturbed
    found = floors(FloorsSpec(TASK, tuple(range(20)), 3), ignore, go_on)
    assert set(found) == {"no-op", "random"}
    assert np.mean(found["no-op"]["success"]) == 0
    assert np.mean(found["random"]["closeness"]) < result.outcome.metrics["closeness"].mean


@pytest.mark.needs("rendering")
def test_a_policy_is_filmed(undisturbed: tuple[TrialSpec, Trained], tmp_path: Path) -> None:
    made, _ = undisturbed
    path = tmp_path / "video.mp4"
    assert film(VideoSpec(TASK, made.folder, 3, path), ignore, go_on) == ""
    assert path.read_bytes()[4:8] == b"ftyp" and [p.name for p in tmp_path.iterdir()] == ["video.mp4"]
