"""The benchmark of ICPL: how the difference to Eureka is told, and that the page has the rows that were measured."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
from scipy import stats


@pytest.fixture
def bench(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    import icpl

    return icpl


def row(arm: str, finals: list[float]) -> dict[str, object]:
    return {
        "task": "mujoco/hopper-forward",
        "arm": arm,
        "metric": "native_return",
        "best_so_far": [100.0, 900.0],
        "finals": finals,
        "experts": [1000.0, 1100.0],
        "random": 50.0,
        "queries_published": 49 if arm == "icpl" else 0,
        "queries_made": 47 if arm == "icpl" else 0,
        "trainings": 30,
        "search_steps": 9_000_000,
    }


def test_a_difference_is_welchs_as_a_share_of_what_could_be_had(bench: ModuleType) -> None:
    ours, theirs = [10.0, 12.0, 14.0], [9.0, 10.0, 20.0]
    mean, low, high = bench.difference(ours, theirs, 0.0, 20.0)
    assert mean == pytest.approx(-1 / 20)
    spread = stats.ttest_ind(ours, theirs, equal_var=False)
    assert low < mean < high and (low + high) / 2 == pytest.approx(mean)
    assert (high - mean) * 20 == pytest.approx(stats.t.ppf(0.975, spread.df) * abs(-1.0 / spread.statistic))


@pytest.mark.parametrize(
    ("eureka", "said"), [([900.0, 910.0, 905.0], "no worse than"), ([900.0, 300.0, 1500.0], "not shown to be no worse")]
)
def test_the_margin_goes_by_the_lower_end(bench: ModuleType, eureka: list[float], said: str) -> None:
    lines = list(bench.markdown([row("icpl", [900.0, 905.0, 910.0]), row("eureka", eureka)]))
    assert said in lines[-1] and "of one search each" in lines[-1]
    assert "49 / 47" in lines[2] and lines[3].endswith("| none |")


def test_the_page_has_the_rows_that_were_measured(bench: ModuleType, repository: Path) -> None:
    kept = (repository / "benchmarks/results/icpl.jsonl").read_text().splitlines()
    page = (repository / "docs/results.md").read_text()
    rows = [json.loads(line) for line in kept]
    assert {(each["task"], each["arm"]) for each in rows} == {(task, arm) for task in bench.TASKS for arm in bench.ARMS}
    for line in bench.markdown(rows):
        assert line in page
