"""The report of a sweep: its table, its curves, and its runs, with links to their reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pages import Page, assert_inert
from sweeps_for_tests import call, write

from reward_agent.cli import main
from reward_agent.errors import UsageError
from reward_agent.report.of_sweep import report_sweep

pytestmark = pytest.mark.needs("rliable")
NAME = "good <img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweeps")
    rewards = [{"name": NAME, "reward": "good.py"}, {"name": "timid", "reward": "timid.py"}]
    call(str(write(folder, seeds=1, rewards=rewards)), "--no-measure", "--yes", cwd=folder)
    return folder


def test_it_tells_table_curves_and_runs(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    assert main(["report", "sweep", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["jobs"], told["done"], told["reports"]) == (2, 2, [])
    page = Page(Path(told["report"]).read_text())
    assert_inert(page)
    cells = (place / "runs/sweep/table.md").read_text()
    assert NAME in cells and NAME in page.text
    for line in cells.splitlines()[2:6]:
        assert all(cell.strip() in page.text for cell in line.split("|")), line
    drawn = [svg["aria-label"] for svg in page.all("svg") if "aria-label" in svg]
    assert len(drawn) == 1 and drawn[0].startswith("pointmass/reach, by environment steps. good")
    assert "--each" in page.text and not [link for link in page.all("a") if not link["href"].startswith("#")]


def test_links_lead_to_the_reports_of_its_runs(place: Path, tmp_path: Path) -> None:
    made = report_sweep(place / "runs/sweep", tmp_path / "a b.html", each=True, videos="none")
    assert len(made.reports) == 2
    links = [a["href"] for a in Page(made.path.read_text()).all("a") if not a["href"].startswith("#")]
    assert len(links) == 2
    for link in links:
        run = Page((tmp_path / link).read_text())
        assert "Report of a run" in run.text


def test_one_that_is_not_done_says_so(place: Path, tmp_path: Path) -> None:
    (result,) = list((place / "runs/sweep").glob("*/result.json"))[:1]
    kept = result.read_bytes()
    result.unlink()
    try:
        made = report_sweep(place / "runs/sweep", tmp_path / "a.html")
    finally:
        result.write_bytes(kept)
    page = Page((tmp_path / "a.html").read_text())
    assert made.done == 1 and "1 of 2 done" in page.text and "goes on with it" in page.text and "begun" in page.text


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no sweep.*sweep FILE"):
        report_sweep(tmp_path)
