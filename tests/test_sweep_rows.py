"""Rows of a sweep: which tasks are averaged, whose floors stand below them, and how much of a row is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from reward_agent.config import RunConfig
from reward_agent.envs.registry import find_task, tasks
from reward_agent.llm import Spent
from reward_agent.program import Program
from reward_agent.sweep.finished import Finished
from reward_agent.sweep.groups import Group, Known
from reward_agent.sweep.jobs import Job
from reward_agent.sweep.judged import Judged, judged_by
from reward_agent.sweep.rows import Row, make_rows
from reward_agent.sweep.work import End

pytestmark = pytest.mark.needs("rliable")

GIVEN = Program("def compute_reward(state, action, next_state): ...")
ONCE = Judged("success", "success", "passed at any step", 200, "Their v2")
AT_END = replace(ONCE, counts="passes at the end")


def known(
    task: str,
    label: str = "good",
    seed: int = 0,
    *,
    score: float | None = 1.0,
    judged: Judged = ONCE,
    episodes: int = 2,
    idle: Sequence[float] = (0.0, 0.0),
    end: End | None = None,
    disguised: bool = False,
    unsafe: bool = False,
) -> Known:
    """A job that trained once, on a reward that was given, and got the same in each episode; unfinished if `None`."""
    config = RunConfig(
        task, method="given", llm="none", iterations=0, initial=GIVEN, seed=seed, report_episodes=episodes
    )
    job = Job(f"{task}{label}{seed}", task, label, config, 1)
    floor = {judged.metric: tuple(idle)}
    finished = Finished(
        job=job,
        judged=judged,
        trainings=({judged.metric: (score,) * episodes},) if score is not None else (),
        faults=0,
        floors={"no-op": floor, "random": floor},
        curves=(),
        steps=10,
        seconds=1.0,
        spent=Spent(),
        sees="",
        program="",
        reason="",
        unsafe=unsafe,
    )
    return Known(job, finished if score is not None else None, end, 1.0, Spent(), judged, disguised)


def rows(*each: Known) -> tuple[Row, ...]:
    groups: dict[tuple[str, str], list[Known]] = {}
    for one in each:
        groups.setdefault((one.job.task, one.job.label), []).append(one)
    return make_rows({key: Group(tuple(value)) for key, value in groups.items()})


def over_tasks(*each: Known) -> Mapping[str, Row]:
    return {row.task: row for row in rows(*each) if row.kind == "all"}


def test_tasks_with_one_success_are_averaged() -> None:
    found = over_tasks(known("w/a", score=1.0), known("w/b", score=0.5))
    (row,) = found.values()
    assert row.task == "all 2 tasks" and row.summary and row.summary.interval.mean == 0.75
    assert (row.judged, row.jobs, row.done, row.steps) == (ONCE, 2, 2, 20)


def test_successes_that_count_different_things_are_not() -> None:
    assert over_tasks(known("w/a"), known("v/b", judged=AT_END)) == {}, "once, and at the end"
    mixed = [known("w/a"), known("w/b", score=0.0), known("v/c", judged=AT_END), known("v/d", judged=AT_END)]
    assert rows(*mixed)[-1].judged == AT_END
    first, second = (row for row in rows(*mixed) if row.kind == "all")
    assert first.task == second.task == "2 of 4 tasks"
    assert "over w/a, w/b" in first.notes and "over v/c, v/d" in second.notes
    assert first.summary and first.summary.interval.mean == 0.5
    progress = replace(ONCE, metric="progress", kind="fitness")
    assert over_tasks(known("w/a", judged=progress), known("w/b", judged=progress)) == {}


def test_what_tasks_differ_in_is_not_told_of_all() -> None:
    longer = replace(ONCE, horizon=500, reward_version="Their v1")
    (row,) = over_tasks(known("w/a"), known("w/b", judged=longer)).values()
    assert (row.judged.horizon, row.judged.reward_version) == (0, "")


def test_a_task_in_disguise_is_no_further_task() -> None:
    (row,) = over_tasks(known("w/a"), known("w/b"), known("w/a@disguise=1", disguised=True)).values()
    assert row.task == "2 of 3 tasks" and "over w/a, w/b" in row.notes


def test_what_must_be_said_of_a_part_is_said_of_the_whole() -> None:
    broke = known("w/b", seed=1, score=None, end=End("failed", "no memory"))
    short = known("w/a", seed=1, score=None, end=End("unpaid", "no money"))
    (row,) = over_tasks(known("w/a", unsafe=True), short, known("w/b"), broke).values()
    assert (row.jobs, row.done, row.failed, row.unpaid) == (4, 2, 1, 1)
    for said in ("UNSAFE", "1 job failed, left out of the score", "1 job not paid for", "1 of 4 jobs not done yet"):
        assert any(said in note for note in row.notes), said


def test_floors_are_over_the_most_episodes_that_any_row_has() -> None:
    long = known("w/a", "long", episodes=4, idle=(0.0, 0.0, 1.0, 1.0))
    for order in ((long, known("w/a")), (known("w/a"), long)):
        floors = [row for row in rows(*order) if row.kind == "floor"]
        assert [(row.label, row.notes) for row in floors] == [("no-op", ()), ("random", ())]
        assert all(row.summary and (row.summary.units, row.summary.interval.mean) == (4, 0.5) for row in floors)
    seeds = [row for row in rows(long, known("w/a", "long", seed=1)) if row.kind == "floor"]
    assert seeds[0].summary and seeds[0].summary.units == 6


def test_floors_of_a_task_that_was_edited_are_not_taken_for_one() -> None:
    shorter = replace(ONCE, horizon=100)
    found = [row for row in rows(known("w/a"), known("w/a", "late", judged=shorter)) if row.kind == "floor"]
    assert [(row.label, row.judged.horizon) for row in found] == [
        ("no-op", 200),
        ("random", 200),
        ("no-op", 100),
        ("random", 100),
    ]
    found = [row for row in rows(known("w/a"), known("w/a", "late", idle=(0.0, 1.0))) if row.kind == "floor"]
    assert "was the task edited between them?" in found[0].notes[0], "doing nothing has one score a seed"
    (row,) = (row for row in rows(known("w/a"), known("w/a", seed=1, judged=shorter)) if row.kind == "given")
    assert "judged in more than one way" in row.notes[0]


def test_a_label_of_an_earlier_file_that_a_floor_has_is_not_mixed_with_it() -> None:
    found = rows(known("w/a", "random"), known("w/b", "random", score=0.0))
    (row,) = (row for row in found if row.kind == "all")
    assert row.summary and row.summary.interval.mean == 0.5 and (row.jobs, row.steps) == (2, 20)


def test_tasks_that_a_benchmark_judges_in_one_way_may_be_averaged_and_others_not() -> None:
    ways: dict[str, set[object]] = {}
    for task in tasks().values():
        if task.metrics and task.metrics[0].kind == "success":
            ways.setdefault(task.id.partition("-")[0], set()).add(judged_by(task).definition)
    assert len(ways["robotics/fetch"]) == 1, "their words differ by what is moved, not by what counts"
    (once,) = {judged_by(task).definition for task in tasks().values() if task.world.name == "metaworld"}
    assert once not in ways["robotics/fetch"] | ways["robotics/adroit"] | ways["maniskill/pick"]
    assert len(ways["robotics/adroit"]) == 2, "in more than 20 steps, or in more than 25"


def test_a_task_in_disguise_is_judged_as_it_is_known() -> None:
    for name in ("metaworld/button-press", "robotics/fetch-push"):
        assert judged_by(find_task(f"{name}@disguise=0")) == judged_by(find_task(name))
