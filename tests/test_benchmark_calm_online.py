"""The online evaluation: when a level counts as reached, what a table says of those that never are, going on after a
kill; and what its companion measures."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from reward_agent.crediting.programs import packed
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.optimise.policy import Policy
from reward_agent.program import SUBGOALS, Program
from reward_agent.vet import vet


@pytest.fixture
def online(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    import calm_online

    return calm_online


@pytest.fixture
def tables(online: ModuleType) -> ModuleType:
    import calm_online_tables

    return calm_online_tables


def curve(text: str) -> list[list[float]]:
    """Tenths of success, 100 steps each."""
    return [[100.0 * (index + 1), float(digit) / 10] for index, digit in enumerate(text)]


def test_a_level_is_reached_where_it_is_held(tables: ModuleType) -> None:
    assert tables.reached(curve("0590999"), 0.9) == 500
    assert tables.reached(curve("0555"), 0.5) == 200
    assert tables.reached(curve("055"), 0.5) is None
    assert tables.reached([], 0.5) is None


def test_a_ratio_over_what_never_learns_is_a_bound(tables: ModuleType) -> None:
    never = math.inf
    assert tables.sooner([400, 600, 800], [100, 200, 400], 1000) == {
        "ratio": 3.0,
        "bound": "",
        "low": 1.0,
        "high": 8.0,
    }
    assert tables.sooner([never] * 3, [100, 200, 400], 1000) == {
        "ratio": 5.0,
        "bound": "at least",
        "low": 2.5,
        "high": None,
    }
    capped = tables.sooner([200, 200, 200], [500, never, never], 1000)
    assert capped["bound"] == "at most" and capped["ratio"] == 0.2 and capped["low"] == 0.0
    assert tables.sooner([never], [never], 1000)["ratio"] is None


def test_the_table_counts_those_that_never_came_there(tables: ModuleType) -> None:
    def row(arm: str, seed: int, text: str) -> dict[str, Any]:
        job = {"task": "minihack/keyroom-s5", "arm": arm, "seed": seed, "steps": 700}
        return {"job": job, "drawn": curve(text), "likeliest": [], "steps": 700, "seconds": 7.0}

    rows = [row("code", 0, "0099999"), row("code", 1, "0000000"), row("code", 2, "0999999")]
    sparse, code = tables.table(
        [*rows, row("sparse", 0, "0000000"), {**row("sparse", 1, ""), "failed": "it fell"}], "drawn"
    )
    assert sparse["arm"] == "sparse" and sparse["failed"] == 1 and sparse["to_0.5"]["median"] is None
    assert code["to_0.9"] == {"seeds": [200, 300, None], "median": 300, "low": 200, "high": None}
    assert code["sooner_0.9"]["bound"] == "at least" and code["sooner_0.9"]["ratio"] == 700 / 300
    assert code["coverage"] == 0.75 and code["steps_per_second"] == 100
    assert "> 700" in tables.markdown([sparse, code]) and "at least 2.3" in tables.markdown([sparse, code])


@pytest.mark.needs("minigrid")
@pytest.mark.needs("minihack")
def test_programs_by_hand_tell_subgoals(online: ModuleType) -> None:
    for name, path in online.BY_HAND.items():
        verdict = vet(Program(path.read_text(), SUBGOALS), find_task(name))
        assert verdict.ok, verdict.faults
        assert verdict.term_names == tuple(each.name for each in find_task(name).subgoals) != ()


def test_actions_are_drawn_as_often_as_a_policy_thinks_right(online: ModuleType) -> None:
    shares = np.array([0.1, 0.6, 0.3])
    zero, one = np.zeros(1), np.ones(1)
    policy = Policy(
        (np.zeros((3, 1), np.float32),),
        (np.log(shares).astype(np.float32),),
        "tanh",
        False,
        zero,
        2 * one,
        zero,
        one,
        discrete=True,
    )
    drawn = online.drawing(policy, 0)(np.zeros((20_000, 1)))
    assert drawn.shape == (20_000, 1)
    np.testing.assert_allclose(np.bincount(drawn[:, 0].astype(int)) / 20_000, shares, atol=0.02)
    assert policy.act(np.zeros((2, 1))).tolist() == [[1.0], [1.0]]


def test_the_page_has_what_was_trained(online: ModuleType, repository: Path, tables: ModuleType) -> None:
    rows, page = online.kept_rows(online.KEPT), (repository / "docs" / "results.md").read_text()
    assert {row["job"]["task"] for row in rows} >= set(online.TASKS) and tables.pages(rows) in page
    done = {(row["job"]["task"], row["job"]["arm"], row["job"]["seed"]) for row in rows}
    assert len(done) == len(rows), "a training counts once"
    for task in online.TASKS:
        arms = set(online.ARMS) - ({"distilled"} if task.startswith("minigrid") else set())
        assert {(task, arm, seed) for arm in arms for seed in range(3)} <= done


@pytest.mark.needs("minihack")
def test_what_a_model_judged_before_pays_in_a_training(online: ModuleType, tmp_path: Path) -> None:
    task = find_task("minihack/keyroom-s5")
    trajectories, said = online.recorded_judgements(task)
    assert len(said) == online.JUDGED
    number = next(place.trajectory for place, reached in said.items() if reached["open_door"])
    each = trajectories[number]
    with closing(online.source_for("distilled", task, None, 0)) as source:
        assert source.term_names == ("goal", "pick_up_key", "open_door")
        known = packed(
            replace(each, fields=(*each.fields, task.goal), states=np.pad(each.states, ((0, 0), (0, 1)))),
            task,
            source.fields,
        )
        was_reset = np.arange(len(each.actions))[:, None] == 0
        paid = source(*(part[:, None] for part in known), was_reset).terms[:, 0]
    assert paid[:, 1:].sum(0).tolist() == [0.1, 0.1], "once an episode each"
    with pytest.raises(UsageError, match="No judgements of minigrid/doorkey-8x8"):
        online.recorded_judgements(find_task("minigrid/doorkey-8x8"))


@pytest.mark.needs("minihack")
def test_a_program_of_a_model_is_given_or_recorded(online: ModuleType, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("def subgoals(state, action, next_state):\n    return {}\n")
    assert online.program_of("code", "minihack/river", {"minihack/river": mine}).entry == SUBGOALS
    assert online.program_of("sparse", "minihack/river", {}) is None
    with pytest.raises(UsageError, match="--program minihack/river=FILE"):
        online.program_of("code", "minihack/river", {})


@pytest.mark.needs("minigrid")
def test_a_training_that_is_killed_goes_on_and_ends_alike(online: ModuleType, repository: Path, tmp_path: Path) -> None:
    job = {"task": "minigrid/doorkey-5x5", "arm": "novelty", "seed": 0, "steps": 6_144, "episodes": 1}
    job |= {"points": 400, "until_solved": False, "program": None}
    whole = online.run_job(job, tmp_path / "whole", None)
    assert [at for at, _ in whole["drawn"]] == [2048, 4096, 6144], "one measurement a rollout"
    command = [sys.executable, str(repository / "benchmarks" / "calm_online.py"), "--work", str(tmp_path / "parts")]
    command += ["--job", json.dumps(job)]
    environment = os.environ | {"PYTHONPATH": str(repository)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    while not (found := list((tmp_path / "parts").glob("*/training.safetensors"))) and process.poll() is None:
        time.sleep(0.02)
    assert found, "it ended without a checkpoint"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not list((tmp_path / "parts").glob("*/row.json"))
    said = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    assert all(json.loads(said)[how] == whole[how] for how in online.HOW)
    began = time.monotonic()
    assert online.run_job(job, tmp_path / "parts", None)["drawn"] == whole["drawn"]
    assert time.monotonic() - began < 1.0, "a finished one is not trained again"


@pytest.mark.needs("minihack")
def test_the_batch_that_is_judged_is_successive_steps_as_they_are_read(online: ModuleType) -> None:
    import subgoals

    task = find_task(subgoals.TASK)
    batch, _ = subgoals.rollout(task, ["agent.position", "inventory.key"], 40, 4)
    assert batch.was_reset[0].all() and len(batch.glimpses) == 160
    same = ~batch.was_reset[1:]
    np.testing.assert_array_equal(batch.state[1:][same], batch.next_state[:-1][same])
    for index, glimpse in enumerate(batch.glimpses[:-4]):
        if same.ravel()[index]:
            assert glimpse.after == batch.glimpses[index + 4].before
    first = batch.glimpses[0]
    assert subgoals.digest(first) == subgoals.digest(replace(first))
    assert subgoals.digest(first) != subgoals.digest(replace(first, action="another"))
