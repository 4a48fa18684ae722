"""A sweep's numbers: intervals by hand and by rliable, what they are over, and the table in all its forms."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest

from reward_agent.history import Interval
from reward_agent.sweep.curves import mean_curve
from reward_agent.sweep.intervals import Summary, bootstrap, coverage, summarise, summarise_tasks
from reward_agent.sweep.judged import Judged
from reward_agent.sweep.rows import Row
from reward_agent.sweep.table import HEADINGS, make_table, to_csv, to_markdown, to_records

needs_rliable = pytest.mark.needs("rliable")

ROW = Row(
    task="world/one",
    label="a | b",
    judged=Judged("success", "success", "there at the end", 50, "Their v2"),
    kind="search",
    summary=Summary(
        Interval(0.5, 1 / 3, 2 / 3), "search", 5, Interval(0.5, 0.4, 0.6), Interval(0.51, 0.41, 0.61), "few"
    ),
    jobs=6,
    done=5,
    unpaid=1,
    steps=1_000_000,
    seconds=5_400.0,
    tokens=1_234,
    usd=0.125,
    sees="words",
    notes=("1 of 6 jobs not done yet", "few"),
)
EMPTY = replace(
    ROW, label="none", summary=None, done=0, unpaid=0, steps=0, seconds=0.0, notes=("1 of 6 jobs not done yet",)
)


def test_over_three_runs_it_is_students_t_by_hand() -> None:
    # means 0.2, 0.4, 0.9: s = √((0.3² + 0.1² + 0.4²)/2) = 0.36056, t(2, 0.975) = 4.30265, half = t·s/√3 = 0.89567
    found = summarise([[0.1, 0.3], [0.4, 0.4], [1.0, 0.8]], "fitness", "search")
    assert found.interval == pytest.approx((0.5, -0.39567, 1.39567), abs=1e-5)
    assert (found.unit, found.units, found.bootstrap, found.iqm) == ("search", 3, None, None)
    assert "no more than their range" in found.note
    assert summarise([[0.2], [0.4], [0.9]], "success", "search").interval == pytest.approx((0.5, 0.0, 1.0))


def test_where_all_succeed_it_is_that_of_clopper_and_pearson() -> None:
    found = summarise([[1.0, 1.0]] * 4, "success", "training")
    assert found.interval == pytest.approx((1.0, 0.025 ** (1 / 4), 1.0))
    assert found.bootstrap is None and "no width" in found.note


def test_of_one_training_its_episodes_are_the_units() -> None:
    found = summarise([[1.0, 1.0, 1.0]], "success", "training")
    assert (found.unit, found.units) == ("episode", 3)
    assert found.interval == pytest.approx((1.0, 0.025 ** (1 / 3), 1.0))
    assert "says nothing of the next training" in found.note


@needs_rliable
def test_the_bootstrap_is_rliables_and_as_the_binomial_has_it() -> None:
    # four draws of (0, 0, 0, 1) have a binomial number of ones, p = 1/4: P(0) = 0.316, P(≥3) = 0.051, P(4) = 0.004
    found = summarise([[0.0], [0.0], [0.0], [1.0]], "success", "search")
    assert found.bootstrap == (0.25, 0.0, 0.75)
    assert found.iqm is not None and found.iqm.mean == 0.0, "the middle half of 0, 0, 0, 1"
    # P(|t₃| ≤ 1.96 √(3/4) = 1.697)
    assert "4 runs a task: the bootstrap's 95 % are more like 81 %" in found.note


@needs_rliable
def test_the_bootstrap_is_the_same_every_time_and_leaves_numpys_generator_alone() -> None:
    scores = np.random.default_rng(0).normal(size=(6, 2))
    np.random.seed(3)
    expected = np.random.random(2)
    np.random.seed(3)
    first = bootstrap(scores)
    assert (np.random.random(2) == expected).all()
    np.random.seed(4)
    assert bootstrap(scores) == first


def test_how_often_the_bootstrap_holds_the_truth() -> None:
    # drawn here as rliable draws: within each of the tasks, percentiles of the mean
    rng = np.random.default_rng(0)
    for runs, tasks in ((4, 1), (10, 1), (3, 8)):
        held = 0
        for _ in range(800):
            scores = rng.normal(size=(runs, tasks))
            drawn = scores[rng.integers(runs, size=(400, runs, tasks)), np.arange(tasks)].mean((1, 2))
            low, high = np.percentile(drawn, [2.5, 97.5])
            held += low <= 0.0 <= high
        assert coverage(runs, tasks) == pytest.approx(held / 800, abs=0.035)


@needs_rliable
def test_over_tasks_runs_are_drawn_within_each() -> None:
    # all that varies is between the tasks, which are strata: nothing is left for the draws to change
    apart = summarise_tasks([[0.1, 0.9]] * 5, "success", "search")
    assert apart.interval.mean == pytest.approx(0.5) and apart.bootstrap is None
    found = summarise_tasks([[0.0, 0.8], [0.2, 1.0], [0.1, 0.9], [0.2, 0.8]], "success", "search")
    # units' means over tasks 0.4, 0.6, 0.5, 0.5: s = 0.081650, t(3) = 3.18245, half = 0.129923
    assert found.interval == pytest.approx((0.5, 0.5 - 0.129923, 0.5 + 0.129923), abs=1e-5)
    assert found.bootstrap is not None and found.bootstrap.mean == pytest.approx(0.5)
    assert 0.4 < found.bootstrap.low < 0.5 < found.bootstrap.high < 0.6
    assert math.isnan(summarise_tasks([[0.1, 0.9]], "success", "search").interval.low)


def test_csv_reads_back_to_the_rows_numbers() -> None:
    read = list(csv.DictReader(io.StringIO(to_csv([ROW, EMPTY]))))
    assert [row["reward"] for row in read] == ["a | b", "none"]
    first = {name: float(read[0][name]) for name in ("mean", "low", "high", "iqm_high", "usd", "seconds")}
    assert first == {"mean": 0.5, "low": 1 / 3, "high": 2 / 3, "iqm_high": 0.61, "usd": 0.125, "seconds": 5_400.0}
    assert (read[0]["units"], read[0]["unit"], read[0]["notes"]) == ("5", "search", "1 of 6 jobs not done yet; few")
    assert (read[1]["mean"], read[1]["bootstrap_low"], read[1]["steps"]) == ("", "", "0")
    records = to_records([ROW, EMPTY])
    assert [list(record) for record in records] == [list(read[0])] * 2
    assert records[0]["low"] == 1 / 3 and records[1]["mean"] is None


def test_markdown_holds_the_tables_cells() -> None:
    table = make_table([ROW, EMPTY])
    lines = to_markdown(table).splitlines()
    drawn = [line.replace("\\|", "¦").strip("|").split("|") for line in lines if line.startswith("|")]
    cells = [tuple(cell.strip().replace("¦", "|") for cell in line) for line in drawn]
    assert cells[0] == HEADINGS
    assert tuple(cells[2:]) == table.lines
    assert len({len(line) for line in lines if line.startswith("|")}) == 1, "columns are straight"
    assert table.lines[0][:5] == ("world/one", "a | b (a) (b)", "success", "5/6, 1 unpaid", "0.5 [0.3333, 0.6667]")
    assert table.lines[0][5:9] == ("5 searches", "[0.4, 0.6]", "0.51 [0.41, 0.61]", "1,000,000")
    assert table.lines[0][9:] == ("1.50", "1,234", "0.12")
    assert table.notes[:2] == ("(a) 1 of 6 jobs not done yet", "(b) few")
    assert table.lines[1][1] == "none (a)", "a note is written once"


def test_a_table_says_what_its_metrics_count() -> None:
    said = "success: there at the end. Episodes of 50 steps, expert reward of Their v2."
    assert make_table([ROW, EMPTY]).notes[2:] == (said,)
    longer = replace(ROW, task="world/two", judged=replace(ROW.judged, horizon=80, reward_version=""))
    (line,) = make_table([ROW, longer]).notes[2:]
    assert line.endswith(
        "Episodes of 50 steps, expert reward of Their v2 (world/one); Episodes of 80 steps (world/two)."
    )
    once = replace(ROW, task="world/two", judged=replace(ROW.judged, counts="there at any step"))
    table = make_table([ROW, once])
    assert [cells[2] for cells in table.lines] == ["success [1]", "success [2]"]
    assert table.notes[2:4] == (
        said.replace("success", "success [1]"),
        said.replace("success: there at the end", "success [2]: there at any step"),
    )
    assert table.notes[4] == "Tasks whose first metrics count different things are never averaged."
    (read,) = csv.DictReader(io.StringIO(to_csv([once])))
    assert (read["metric"], read["judged"], read["horizon"]) == ("success", "there at any step", "50")
    assert (read["jobs"], read["done"], read["failed"], read["unpaid"], read["waiting"]) == ("6", "5", "0", "1", "0")


def test_a_mean_curve_goes_as_far_as_all_do() -> None:
    assert mean_curve([((0, 10, 20), (0.0, 0.5, 1.0)), ((0, 12), (0.5, 1.0))]) == ([0.0, 11.0], [0.25, 0.75])
