"""The preference baseline: its bridge with real processes, its rows, and a tiny training where imitation is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reward_agent.envs.registry import find_task
from reward_agent.errors import RewardAgentError
from reward_agent.optimise.sb3 import RESET_SEEDS, TaskVecEnv
from reward_agent.program import Program
from reward_agent.scoring import roll_out
from reward_agent.sources.cell import CellSource
from reward_agent.task import Task

ROWS, STEPS, SEED = 4, 60, 3


@pytest.fixture
def bridge(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    import preference_bridge

    return preference_bridge


@pytest.fixture
def baseline(bridge: ModuleType) -> ModuleType:
    import preference_baseline

    return preference_baseline


@pytest.fixture
def task() -> Task:
    """Some of its episodes fall before the horizon, some do not."""
    return replace(find_task("mujoco/hopper-forward"), horizon=25)


def true_rewards(task: Task) -> CellSource:
    assert task.expert
    return CellSource(Program(task.expert.read_text()), task)


def client(repository: Path) -> list[str]:
    return [sys.executable, str(repository / "tests/preference_client.py"), str(repository / "benchmarks"), str(STEPS)]


def played_here(task: Task, actions: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """What a training of ours sees under the same actions."""
    seen: dict[str, list[Any]] = {name: [] for name in ("observations", "rewards", "dones", "last", "truncated")}
    with closing(true_rewards(task)) as source, closing(TaskVecEnv(task, source, ROWS, SEED)) as env:
        first = env.reset()
        for action in actions:
            env.step_async(action)
            observations, rewards, dones, infos = env.step_wait()
            ended = [info for info in infos if info]
            seen["observations"].append(observations)
            seen["rewards"].append(rewards)
            seen["dones"].append(dones)
            seen["last"] += [[info["terminal_observation"]] for info in ended]
            seen["truncated"] += [[info["TimeLimit.truncated"]] for info in ended]
    return {"first": first} | {name: np.concatenate(values) for name, values in seen.items()}


@pytest.mark.needs("bubblewrap")
def test_another_process_sees_the_episodes_that_our_trainings_see(
    bridge: ModuleType, repository: Path, task: Task, tmp_path: Path
) -> None:
    from preference_client import drawn_actions

    with closing(true_rewards(task)) as source:
        learned = bridge.lend(
            task, source, client(repository), {"told": [1, "two"]}, rows=ROWS, seed=SEED, log=tmp_path / "log"
        )
    actions = drawn_actions(STEPS, ROWS, 3, 1.0)
    here = played_here(task, actions)
    for name, values in here.items():
        np.testing.assert_array_equal(learned.arrays[name], values, err_msg=name)
    assert here["truncated"].any() and not here["truncated"].all()
    assert learned.steps == ROWS * STEPS
    assert learned.facts == {"told": [1, "two"]}
    np.testing.assert_array_equal(learned.arrays["high"], np.ones(3, np.float32))

    # the true rewards of an episode are what the task's metric sums
    dones, rewards = learned.arrays["dones"].reshape(STEPS, ROWS), learned.arrays["rewards"].reshape(STEPS, ROWS)
    seeds = np.random.default_rng(SEED).integers(RESET_SEEDS, size=ROWS)
    for row in range(ROWS):
        length = int(dones[:, row].argmax()) + 1
        again = iter(actions[:, row : row + 1].astype(np.float64))
        scores = roll_out(task, lambda _, again=again: next(again), [int(seeds[row])])
        assert scores["native_return"][0] == pytest.approx(float(rewards[:length, row].sum()), rel=1e-5)


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("raise SystemExit('the learner has no such module')", "exit code 1.*\n.*no such module"),
        ("channel.send('dance')", "'dance' is none of reset, step and learned"),
        ("channel.send('step', actions=np.zeros((4, 2), np.float32))", r"\(4, 3\), not \(4, 2\)"),
        ("channel.send('step', actions=np.full((4, 3), np.nan, np.float32))", "actions are finite"),
        ("channel._writes.write(b'\\x03\\0\\0\\0{]}')", "nobody understands"),
    ],
)
def test_a_learner_that_fails_or_talks_nonsense_is_told_of(
    bridge: ModuleType, repository: Path, task: Task, tmp_path: Path, says: str, told: str
) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(repository / 'benchmarks')!r})\n"
        "import numpy as np; from preference_wire import Channel\n"
        f"channel = Channel(int(sys.argv[1]), int(sys.argv[2])); channel.receive()\n{says}\n"
    )
    with closing(true_rewards(task)) as source, pytest.raises(RewardAgentError, match=told):
        bridge.lend(task, source, [sys.executable, "-c", program], {}, rows=ROWS, seed=SEED, log=tmp_path / "log")


def test_only_plain_numbers_cross(bridge: ModuleType) -> None:
    from preference_wire import Channel

    reads, writes = os.pipe()
    channel = Channel(reads, writes)
    with closing(channel):
        with pytest.raises(TypeError, match="object"):
            channel.send("learned", weights=np.array([{}], object))
        channel.send("learned", {"queries": 49}, weights=np.arange(6.0).reshape(2, 3), none=np.zeros((0, 3), bool))
        name, facts, arrays = channel.receive()
    assert (name, facts) == ("learned", {"queries": 49})
    np.testing.assert_array_equal(arrays["weights"], [[0, 1, 2], [3, 4, 5]])
    assert arrays["none"].shape == (0, 3)


def test_a_policy_that_acts_otherwise_than_where_it_was_trained_is_refused(baseline: ModuleType, task: Task) -> None:
    draw = np.random.default_rng(0).normal
    shapes = {"weight.0": (8, 11), "bias.0": (8,), "weight.1": (3, 8), "bias.1": (3,)}
    arrays = {name: draw(size=shape).astype(np.float32) for name, shape in shapes.items()}
    arrays |= {"mean": draw(size=11), "variance": np.full(11, 4.0), "observations": draw(size=(5, 11))}
    scaled = np.clip((arrays["observations"] - arrays["mean"]) / np.sqrt(4.0 + 1e-8), -10, 10)
    hidden = np.tanh(scaled @ arrays["weight.0"].T + arrays["bias.0"])
    arrays["actions"] = np.clip(hidden @ arrays["weight.1"].T + arrays["bias.1"], -1, 1)
    settings = baseline.settings_of(task)
    policy = baseline.policy_of(baseline.Learned(0, {}, arrays), task, settings)
    np.testing.assert_allclose(policy(arrays["observations"]), arrays["actions"], atol=1e-4)
    with pytest.raises(RewardAgentError, match="acts otherwise"):
        baseline.policy_of(baseline.Learned(0, {}, arrays | {"mean": arrays["mean"] + 0.5}), task, settings)


def row_of(job: dict[str, Any], *returns: float) -> dict[str, Any]:
    found = {"fresh_agreement": 0.75} if job["queries"] else {}
    return {"job": job, "scores": {"native_return": list(returns), "distance": [1.0] * len(returns)}, **found}


def test_rows_become_a_table_over_trainings(baseline: ModuleType) -> None:
    jobs = list(baseline.jobs_of(["mujoco/hopper-forward"], [49, 1500], 2, 300_000))
    assert [(job["method"], job["queries"], job["seed"]) for job in jobs] == [
        ("true_reward", 0, 0),
        ("preferences", 49, 0),
        ("preferences", 1500, 0),
        ("true_reward", 0, 1),
        ("preferences", 49, 1),
        ("preferences", 1500, 1),
    ]
    rows = [row_of(jobs[1], 100.0, 300.0), row_of(jobs[4], 400.0, 600.0), row_of(jobs[0], 1000.0, 2000.0)]
    entries = baseline.table(rows)
    assert [(entry["method"], entry["trainings"]) for entry in entries] == [("preferences", 2), ("true_reward", 1)]
    # trainings are the units: 200 and 500; t(1) at 97.5 % is 12.706
    assert entries[0]["native_return"] == pytest.approx({"mean": 350.0, "low": -1555.9, "high": 2255.9}, abs=0.1)
    lines = baseline.markdown(entries).splitlines()
    assert "| 49 | 300,000 | 2 | 350 [-1,556, 2,256] | 1.0 [1.0, 1.0] | 75% |" in lines[2]
    assert "| – | 300,000 | 1 | 1,500 " in lines[3]


def told(repository: Path, *arguments: str, venv: str = "/nowhere") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(repository), "IMITATION_VENV": venv}
    command = [sys.executable, str(repository / "benchmarks/preference_baseline.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_it_goes_on_with_the_rows_that_are_left(baseline: ModuleType, repository: Path, tmp_path: Path) -> None:
    jobs = list(baseline.jobs_of(["mujoco/hopper-forward"], [49], 2, 40_000))
    out = tmp_path / "rows.jsonl"
    out.write_text(json.dumps(row_of(jobs[2], 1.0, 2.0)) + "\n")
    asked = ["--tasks", "mujoco/hopper-forward", "--queries", "49", "--seeds", "2", "--steps", "40000"]
    done = told(repository, "--only-tell", "--out", str(out), *asked)
    assert done.stdout.startswith("3 of 4 trainings of 40,000 steps are left")
    assert [json.loads(line) for line in done.stdout.splitlines()[1:]] == [jobs[0], jobs[1], jobs[3]]
    other = told(repository, "--only-tell", "--out", str(out), *asked[:-1], "50000")
    assert other.stdout.startswith("4 of 4 ")


def test_what_cannot_be_is_said_in_a_paragraph(repository: Path, tmp_path: Path) -> None:
    done = told(repository, "--tasks", "mujoco/hopper-front-flip")
    assert done.returncode == 2
    assert "flip_progress" in done.stderr or "success" in done.stderr
    assert "native_return" in done.stderr and "Traceback" not in done.stderr
    done = told(repository, "--out", str(tmp_path / "rows.jsonl"), venv=str(tmp_path))
    assert done.returncode == 3
    assert "--setup" in done.stderr and str(tmp_path) in done.stderr and "Traceback" not in done.stderr
    done = told(repository, "--steps", "20000")
    assert done.returncode == 2 and "`--steps 37" in done.stderr and "Traceback" not in done.stderr
    done = told(repository, "--queries", "0")
    assert done.returncode == 2 and "at least 1" in done.stderr


@pytest.mark.needs("bubblewrap")
def test_a_reward_learned_from_few_pairs_makes_the_cheetah_run(baseline: ModuleType) -> None:
    # no part of `make setup`, so that it is skipped without it in any case
    import preference_venv

    if lacking := preference_venv.missing():
        pytest.skip(lacking)
    job = {"task": "mujoco/halfcheetah-run", "method": "preferences", "queries": 49, "steps": 30_000, "seed": 0}
    row = baseline.run_job(job)
    assert row["queries"] == 49
    assert 28_000 < row["steps"] <= 30_000
    assert row["fresh_agreement"] > 0.7
    assert len(row["scores"]["native_return"]) == 20
    assert np.mean(row["scores"]["native_return"]) > 100  # doing nothing: 0; random actions: -267


def test_the_page_has_the_rows_that_were_measured(baseline: ModuleType, repository: Path) -> None:
    kept = (repository / "benchmarks/results/preference_baseline.jsonl").read_text().splitlines()
    page = (repository / "docs/results.md").read_text()
    for line in baseline.markdown(baseline.table([json.loads(row) for row in kept])).splitlines():
        assert line in page
