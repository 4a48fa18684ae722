"""Whole sweeps on a tiny world: what is done stays done, what fails stops nothing, the table is what the runs say."""

from __future__ import annotations

import csv
import fcntl
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

import pytest
import runs_for_tests as runs
import sweeps_for_tests as sweeps
from pointmass import task
from sweeps_for_tests import TINY, answer, call, rows, write

from reward_agent.codec import decode
from reward_agent.result import load_result
from reward_agent.scoring import confidence_interval
from reward_agent.sweep.conduct import Began, Ended, Moved, SweepEvent
from reward_agent.sweep.executor import Work
from reward_agent.sweep.folder import FAILURE, SWEEP, UNFINISHED
from reward_agent.sweep.groups import gather
from reward_agent.sweep.report import write_report
from reward_agent.sweep.rows import Row
from reward_agent.sweep.session import prepare_sweep, run_sweep
from reward_agent.trial import Trained

pytestmark = pytest.mark.needs("rliable")

SEARCH = {"name": "search", "method": "eureka", "llm": "replay:replies.jsonl"}
WORDS = '[words]\npoint = "bead"\ngoal = "mark"\npush = "shift"\n'
ENTRIES = [{"name": "good", "reward": "good.py"}, SEARCH, {"name": "late", "reward": "late.py", "budget": 1_024}]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweeps")


@pytest.fixture(scope="module")
def ran(place: Path) -> dict[str, Any]:
    """A reward that was given, a search, and a reward that fails in every training."""
    write(place, entries=ENTRIES)
    found: dict[str, Any] = answer("sweep.yaml", cwd=place, code=1)
    return found


def runs_of(place: Path) -> dict[str, Path]:
    """Folders of the sweep's runs by label (and seed, after the first)."""
    jobs = json.loads((place / "runs/sweep" / SWEEP).read_text())["jobs"]
    return {f"{job['label']}{job['seed'] or ''}": place / "runs/sweep" / job["folder"] for job in jobs}


def trained(run: Path) -> Trained:
    """The one training from scratch of a run."""
    (path,) = run.glob("final/*/seed_00/eval.json")
    found: Trained = decode(Trained, json.loads(path.read_text())["result"])
    return found


def test_a_row_is_what_its_run_says(ran: dict[str, Any], place: Path) -> None:
    table, folders = rows(ran), runs_of(place)
    assert list(table) == ["good", "search", "late", "no-op", "random"]
    for label in ("good", "search"):
        scores = trained(folders[label]).report["closeness"]
        assert len(set(scores)) == 4
        mean, low, high = confidence_interval(scores, "fitness")
        row = table[label]
        assert (row["mean"], row["low"], row["high"]) == (mean, low, high)
        result = load_result(folders[label])
        assert result and result.metrics["closeness"] == (mean, low, high), "as the run itself is quoted"
        assert (row["steps"], row["units"], row["unit"]) == (result.steps, 4, "episode")
    assert table["good"]["steps"] == 512 and table["search"]["steps"] == 3 * 512
    assert (table["good"]["kind"], table["search"]["kind"]) == ("given", "search")
    assert table["search"]["sees"] == "metric, terms, episode length"
    # as the run has it, with the horizon of its task
    assert {(row["judged"], row["horizon"]) for row in ran["rows"]} == {("minus the mean distance", 60)}
    assert all((row["done"], row["jobs"]) == (1, 1) for row in ran["rows"][:3])
    assert all(row["seconds"] > 0 for row in ran["rows"][:3])


def test_a_search_that_finds_nothing_counts_as_doing_nothing(ran: dict[str, Any]) -> None:
    table = rows(ran)
    (failed,) = ran["failed"]
    assert (failed["reward"], failed["error"]) == ("late", "NoResultError")
    assert "ValueError" in failed["message"]
    assert table["late"]["mean"] == table["no-op"]["mean"]
    assert "1 search found no program: counted as doing nothing" in table["late"]["notes"]


def test_curves_are_what_the_trainings_measured(ran: dict[str, Any], place: Path) -> None:
    folder = place / "runs/sweep"
    with (folder / "curves.csv").open() as file:
        points = list(csv.DictReader(file))
    for label in ("good", "search"):
        outcome = trained(runs_of(place)[label]).outcome
        told = [(int(p["steps"]), float(p["value"])) for p in points if p["reward"] == label]
        assert told == list(dict(zip(outcome.measured_at, outcome.task_score, strict=True)).items())
        assert told[0][0] == 0 and told[-1] == (512, outcome.metrics["closeness"].mean)
        assert told[0][1] != told[-1][1]
    assert {(p["task"], p["metric"], p["seed"], p["training"]) for p in points} == {
        ("pointmass/reach", "closeness", "0", "0")
    }
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert ran["files"] == [f"runs/sweep/{name}" for name in ("table.csv", "table.md", "curves.csv", "curves.png")]


def test_the_files_hold_the_same_table(ran: dict[str, Any], place: Path) -> None:
    with (place / "runs/sweep/table.csv").open() as file:
        read = list(csv.DictReader(file))
    for row, line in zip(ran["rows"], read, strict=True):
        assert {name: "" if value is None else str(value) for name, value in row.items()} == line
    shown = call("sweep.yaml", "--table", cwd=place).stdout
    assert (place / "runs/sweep/table.md").read_text() in shown


def test_what_is_done_is_not_done_again(ran: dict[str, Any], place: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in place.glob("runs/sweep/*/*.json*")}
    again = answer("sweep.yaml", "--retry-failed", cwd=place, code=1)
    assert again == ran, "and a search that came to its end is not drawn anew until it succeeds"
    assert {path: path.stat().st_mtime_ns for path in place.glob("runs/sweep/*/*.json*")} == before


def test_one_process_at_a_time_but_anyone_may_look(ran: dict[str, Any], place: Path) -> None:
    with (place / "runs/sweep/.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused = call("sweep.yaml", "--no-measure", cwd=place, code=1)
        assert "Another process works on the sweep" in refused.stderr
        assert answer("sweep.yaml", "--table", cwd=place)["rows"] == ran["rows"]


def test_a_changed_file_is_told_and_may_add(ran: dict[str, Any], place: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in place.glob("runs/sweep/*/result.json")}
    write(place, entries=ENTRIES, defaults=TINY | {"budget": 1_024})
    refused = call("sweep.yaml", "--no-measure", cwd=place, code=2)
    assert "had 2 jobs that the file no longer asks for" in refused.stderr
    assert "They differ from those in the file now in budget 512 → 1024." in refused.stderr
    named = [{**ENTRIES[0], "name": "renamed", "seeds": [0, 3]}, *ENTRIES[1:]]
    write(place, entries=named, defaults=TINY | {"video": False})
    planned = answer("sweep.yaml", "--dry-run", cwd=place)
    assert [job["state"] for job in planned["jobs"]] == ["done", "done", "failed", "to do"]
    added = answer("sweep.yaml", cwd=place, code=1)
    assert rows(added)["renamed"]["units"] == 2 and rows(added)["search"] == rows(ran)["search"]
    assert "no bootstrap: over 2 runs" in rows(added)["renamed"]["notes"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    write(place, entries=[SEARCH])
    assert "had 3 jobs" in call("sweep.yaml", "--no-measure", cwd=place, code=2).stderr
    left = answer("sweep.yaml", "--drop", cwd=place)
    assert list(rows(left)) == ["search", "no-op", "random"] and len(list(before)) == 2
    assert all(path.exists() for path in before), "what was dropped stays on disk"
    write(place, entries=ENTRIES)
    assert rows(answer("sweep.yaml", cwd=place, code=1)) == rows(ran), "and is there again when it is wanted again"


def test_show_is_not_disturbed_by_a_sweeps_folder(ran: dict[str, Any], place: Path) -> None:
    words = [sys.executable, "-m", "reward_agent", "show"]
    for more in ([], [str(runs_of(place)["search"])]):
        done = subprocess.run([*words, *more], cwd=place, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert "closeness" in done.stdout


def test_a_dry_run_tells_numbers_and_leaves_nothing(tmp_path: Path) -> None:
    search = {"name": "open", "method": "text2reward", "llm": "openai:m", "iterations": 2, "candidates": 2}
    entries = [ENTRIES[0], search | {"prices": [1, 10], "base_url": "http://127.0.0.1:9/v1"}]
    write(tmp_path, entries=entries, seeds=3, defaults=TINY | {"final_seeds": 2}, max_usd=5)
    found = answer("sweep.yaml", "--dry-run", cwd=tmp_path)
    takes = found["estimate"]
    assert (takes["jobs"], takes["trainings"], takes["steps"]) == (6, 3 * 2 + 3 * (4 + 2), 24 * 512)
    # four replies and one repair, by each of three seeds
    assert (takes["requests"], takes["paid"], takes["seconds"]) == (15, 15, None)
    assert takes["tokens"] > 3 * 5 * 1_500 and takes["usd"] > 15 * 1_500 * 10 / 1e6
    assert [job["seed"] for job in found["jobs"]] == [0, 0, 1, 1, 2, 2]
    told = call("sweep.yaml", "--dry-run", cwd=tmp_path).stdout
    assert "sweep: 6 jobs in runs/sweep, 6 to do" in told and "15 of them paid for" in told
    assert "12,288 in 24 trainings, about" in told, "its speed was measured"
    assert "5 US$ over the whole sweep" in told
    assert not (tmp_path / "runs").exists()


def test_a_job_that_breaks_stops_no_other_and_may_be_tried_again(tmp_path: Path) -> None:
    # a task whose metric fails of episodes that are played, not of the idle one it is tried on: the user's mistake
    tiny = Path(sweeps.TASK.partition(":")[0])
    shutil.copy(tiny.with_name("tiny.py"), tmp_path)
    bad = '["no" if episode.action.any() else -1])'
    broken = tiny.read_text().replace("[-1])", bad)
    (tmp_path / "broken.py").write_text(broken.replace("pointmass/reach", "pointmass/broken"))
    tasks = ["broken.py:task", sweeps.TASK]
    write(tmp_path, entries=[{"name": "good", "reward": "good.py", "tasks": tasks}])
    found = answer("sweep.yaml", "--jobs", "1", cwd=tmp_path, code=1)
    (failed,) = found["failed"]
    assert (failed["task"], failed["error"]) == ("pointmass/broken", "WorkerCrashError")
    first, second = (row for row in found["rows"] if row["reward"] == "good")
    assert (first["mean"], first["notes"]) == (None, "1 job failed, left out of the score")
    assert second["task"] == task.id and second["mean"] is not None
    (tmp_path / "broken.py").write_text(broken.replace(bad, "[-1])").replace("pointmass/reach", "pointmass/broken"))
    assert answer("sweep.yaml", cwd=tmp_path, code=1)["failed"] == [failed], "it is left alone unless told"
    again = answer("sweep.yaml", "--retry-failed", cwd=tmp_path)
    assert again["failed"] == [] and all(row["mean"] is not None for row in again["rows"])


def test_a_person_is_waited_for_while_the_others_go_on(tmp_path: Path) -> None:
    asked = {"name": "me", "method": "eureka", "llm": "manual", "iterations": 1, "candidates": 1}
    write(tmp_path, entries=[asked, ENTRIES[0]])
    found = answer("sweep.yaml", cwd=tmp_path, code=4)
    (waiting,) = found["waiting"]
    assert (waiting["reward"], waiting["state"]) == ("me", "waiting") and "prompt.md" in waiting["message"]
    assert rows(found)["good"]["mean"] is not None and rows(found)["me"]["mean"] is None
    assert rows(found)["me"]["waiting"] == 1 and "1 job waiting for a person" in rows(found)["me"]["notes"]
    assert answer("sweep.yaml", "--table", cwd=tmp_path)["waiting"] == [waiting], "whoever looks later is told as well"
    (prompt,) = (tmp_path / "runs/sweep").glob("*/iter_00/cand_00/attempt_00/prompt.md")
    (prompt.parent / "reply.md").write_text(f"```python\n{runs.GOOD}\n```")
    found = answer("sweep.yaml", cwd=tmp_path)
    assert found["waiting"] == [] and rows(found)["me"]["mean"] is not None


def test_a_run_that_a_person_ends_with_resume_is_done(tmp_path: Path) -> None:
    """The prompt's own message says to; what the sweep had kept of its waiting is then of no account."""
    asked = {"name": "me", "method": "eureka", "llm": "manual", "iterations": 1, "candidates": 1}
    write(tmp_path, entries=[asked])
    (waiting,) = answer("sweep.yaml", cwd=tmp_path, code=4)["waiting"]
    run = tmp_path / waiting["folder"]
    (prompt,) = run.glob("iter_00/cand_00/attempt_00/prompt.md")
    (prompt.parent / "reply.md").write_text(f"```python\n{runs.GOOD}\n```")
    done = subprocess.run(
        [sys.executable, "-m", "reward_agent", "resume", str(run)],
        cwd=tmp_path,
        env=sweeps.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (run / UNFINISHED).is_file() and not (run / FAILURE).exists()
    for name in (UNFINISHED, FAILURE):
        if name == FAILURE:
            end = json.loads((run / UNFINISHED).read_text()) | {"state": "failed"}
            (run / FAILURE).write_text(json.dumps(end))
        for found in (answer("sweep.yaml", cwd=tmp_path), answer("sweep.yaml", "--table", cwd=tmp_path)):
            assert found["waiting"] == found["failed"] == []
            row = rows(found)["me"]
            assert [row[what] for what in ("jobs", "done", "failed", "waiting", "unpaid")] == [1, 1, 0, 0, 0]
            assert "not done yet" not in row["notes"] and row["mean"] is not None


class OneByOne:
    """An executor of another kind: in this process, each argument as if it had come from another machine."""

    cores = 1

    def run(
        self, work: Mapping[str, Work], moved: Callable[[str, Any], None], started: Callable[[str], None]
    ) -> Generator[tuple[str, Any], None, None]:
        for key, each in work.items():
            started(key)
            argument = pickle.loads(pickle.dumps(each.argument))
            yield key, each.function(argument, lambda value, key=key: moved(key, value), lambda: False)


def test_any_executor_will_do(tmp_path: Path) -> None:
    told: list[SweepEvent] = []
    sweep = prepare_sweep(write(tmp_path, entries=ENTRIES[:1]), tmp_path)
    run_sweep(sweep, OneByOne(), told.append)
    assert [event.end.state for event in told if isinstance(event, Ended)] == ["done"]
    assert isinstance(told[0], Began) and isinstance(told[-1], Ended)
    assert max(event.standing.steps for event in told if isinstance(event, Moved)) == 512
    found, _ = write_report(sweep.folder, sweep.jobs)
    assert found[0].label == "good" and found[0].done == 1
    assert prepare_sweep(sweep.spec.file, tmp_path).left.todo == ()


def test_what_is_done_stands_in_the_table_though_its_task_and_words_are_gone(tmp_path: Path) -> None:
    words, own = tmp_path / "beads.toml", tmp_path / "own.py"
    words.write_text(WORDS)
    own.write_text(sweeps.CLOSE.replace("metrics=pointmass_task().metrics[::-1]", "id='own/reach'"))
    (tmp_path / "lazy.py").write_text(
        "def compute_reward(state, action, next_state):\n"
        "    cost = -(action**2).sum(-1)\n    return cost, {'cost': cost}\n"
    )
    entries = [{"name": "lazy", "reward": "lazy.py"}, {"name": "me", "method": "eureka", "llm": "manual"}]
    write(tmp_path, tasks=["own.py"], entries=entries, defaults=TINY | {"disguise": "beads.toml"})
    sweep = prepare_sweep(tmp_path / "sweep.yaml", tmp_path)
    run_sweep(sweep, OneByOne())

    def table() -> tuple[list[Row], Row]:
        """What is of the run that is done, and the row of the other."""
        rows, files = write_report(sweep.folder, sweep.jobs)
        assert len(files) == 4
        return [row for row in rows if row.label != "me"], next(row for row in rows if row.label == "me")

    done, waits = table()
    assert (done[0].done, done[0].judged.kind, waits.waiting) == (1, "success", 1)
    words.write_text(WORDS + 'wall = "fence"\n')
    assert table()[0] == done
    words.unlink()
    assert table()[0] == done
    assert (table()[1].waiting, table()[1].judged.metric) == (1, "success")
    own.unlink()
    assert table()[0] == done
    assert (table()[1].waiting, table()[1].judged.metric) == (1, "")
    assert gather(sweep.folder, sweep.jobs)[sweep.jobs[0].task, "lazy"].each[0].disguised
