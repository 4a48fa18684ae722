"""Whole runs from the command line, on a tiny world with recorded replies: run, show, play, export, resume, eval."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from loopback import Loopback, say
from pointmass import task
from runs_for_tests import GOOD, TASK, two_rounds

from reward_agent.config import RunConfig
from reward_agent.optimise.policy import load_policy
from reward_agent.scoring import SeedPlan, roll_out

SMALL = ("--budget", "8192", "--final-seeds", "2", "--yes")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "reward_agent", *words]


def environment() -> dict[str, str]:
    """Without any key, so that no test ever asks a model."""
    return {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}


def call(*words: str, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(*words), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def answer(*words: str, cwd: Path, code: int = 0) -> Any:
    return json.loads(call(*words, "--json", cwd=cwd, code=code).stdout)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def ran(place: Path) -> Any:
    """A run of two rounds, as `--json` tells it, with what else it said; rounds are those of the recording."""
    llm = two_rounds(place / "recording.jsonl")
    done = call("run", TASK, "--llm", llm, *SMALL, "--json", cwd=place)
    (place / "told.txt").write_text(done.stderr)
    return json.loads(done.stdout)


def test_run_leaves_the_best_reward_and_policy(ran: dict[str, Any], place: Path) -> None:
    best = place / ran["best"]
    assert {"reward.py", "policy.safetensors", "policy.json"} <= {path.name for path in best.iterdir()}
    assert set(ran["metrics"]) == {"success", "closeness"}
    assert set(ran["floors"]) == {"no-op", "random"}
    assert ran["trainings"] == 2
    assert ran["unsafe"] is False


def test_show_tells_rounds_faults_and_scores(ran: dict[str, Any], place: Path) -> None:
    shown = answer("show", "last", cwd=place)
    assert shown["run"] == ran["run"]
    assert shown["finished"] is True
    assert [len(each["candidates"]) for each in shown["rounds"]] == [2, 2]
    faulty = shown["rounds"][0]["candidates"][1]
    assert [attempt["ok"] for attempt in faulty["attempts"]] == [False, True]
    assert faulty["attempts"][0]["faults"][0]["stage"] == "check"
    assert all(row["metrics"] for each in shown["rounds"] for row in each["candidates"])
    assert shown["spent"]["replies"] == 5
    text = call("show", ran["run"], cwd=place).stdout
    assert "check fault, line 2" in text
    assert "this reward" in text
    assert [row["run"] for row in answer("show", cwd=place)] == [ran["run"]]


def test_play_scores_the_kept_policy(ran: dict[str, Any], place: Path) -> None:
    played = answer("play", ran["run"], "--episodes", "12", cwd=place)
    assert played["episodes"] == 12
    again = answer("play", ran["run"], "--episodes", "12", cwd=place)
    assert again == played
    assert -2.0 < played["metrics"]["closeness"]["mean"] < 0.0
    policy, reported = load_policy(place / ran["best"]), RunConfig("").report_episodes
    fresh = roll_out(task, policy, SeedPlan.report_seeds(0, reported + 12)[reported:])["closeness"].mean()
    assert played["metrics"]["closeness"]["mean"] == fresh, "not on the episodes that the result is quoted from"


def test_play_renders_a_clip(ran: dict[str, Any], place: Path) -> None:
    call("play", ran["run"], "--video", "clip.mp4", cwd=place)
    assert (place / "clip.mp4").read_bytes()[4:8] == b"ftyp"
    refused = call("play", ran["run"], "--video", "clip.mp4", "--seed", "-1", cwd=place, code=2)
    assert "'-1' is not a whole number" in refused.stderr


def test_export_writes_one_file(ran: dict[str, Any], place: Path) -> None:
    assert answer("export", "last", "-o", "mine.py", cwd=place) == {"file": "mine.py"}
    text = (place / "mine.py").read_text()
    assert ran["run"] in text
    assert "def compute_reward(" in text
    assert "reward_agent" not in text.partition('"""\n')[2]


def test_export_replaces_no_file_unless_told(ran: dict[str, Any], place: Path) -> None:
    (place / "reward.py").write_text("# my own\n")
    refused = call("export", "last", cwd=place, code=2)
    assert "reward.py is there already" in refused.stderr and "--force" in refused.stderr
    assert (place / "reward.py").read_text() == "# my own\n"
    call("export", "last", "--force", cwd=place)
    assert "def compute_reward(" in (place / "reward.py").read_text()


def test_resume_of_a_finished_run_gives_the_same(ran: dict[str, Any], place: Path) -> None:
    assert answer("resume", ran["run"], cwd=place) == ran


def test_a_run_that_is_not_there_gets_the_closest(ran: dict[str, Any], place: Path) -> None:
    done = call("resume", ran["run"][:-1], cwd=place, code=2)
    assert ran["run"] in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "kill"])
def test_ctrl_c_and_kill_save_and_tell_how_to_go_on(tmp_path: Path, stop: signal.Signals) -> None:
    llm = two_rounds(tmp_path / "recording.jsonl")
    words = command("run", TASK, "--llm", llm, "--budget", "200000", "--final-seeds", "1", "--yes")
    # a shell's background job has SIGINT ignored, and so would everything it starts
    with subprocess.Popen(
        ["env", "--default-signal=INT", *words],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as run:
        deadline = time.monotonic() + 120
        assert run.stdout is not None
        for text in iter(run.stdout.readline, b""):
            if b"steps at" in text or time.monotonic() > deadline:
                break
        run.send_signal(stop)
        _, error = run.communicate(timeout=120)
    assert run.returncode == 130, error.decode()
    (folder,) = (tmp_path / "runs").iterdir()
    assert f"python -m reward_agent resume runs/{folder.name}" in error.decode()
    assert "Traceback" not in error.decode()
    assert answer("show", "last", cwd=tmp_path)["finished"] is False


def test_with_no_model_and_no_recording_it_says_what_to_do(tmp_path: Path) -> None:
    done = call("run", TASK, cwd=tmp_path, code=2)
    assert "--llm manual" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_missing_key_is_a_missing_component(tmp_path: Path) -> None:
    done = call("run", TASK, "--llm", "anthropic:some-model", cwd=tmp_path, code=3)
    assert "ANTHROPIC_API_KEY" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_budget_in_money_needs_prices_and_can_be_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Loopback() as server:
        server.answer = lambda request: say(f"```python\n{GOOD}\n```", tokens=(1_000, 100))
        words = ("run", TASK, "--llm", "openai:m", "--base-url", server.openai_url, "--money-budget", "0", "--yes")
        words += ("--iterations", "1", "--candidates", "1", "--budget", "512", "--final-seeds", "1")
        refused = call(*words, cwd=tmp_path, code=2)
        assert "No price is known for openai:m" in refused.stderr and "--prices IN OUT" in refused.stderr
        assert not (tmp_path / "runs").exists()
        assert "used up: $0.0000" in call(*words, "--prices", "2", "10", cwd=tmp_path, code=1).stderr
        assert not server.requests
        result = answer("resume", "last", "--money-budget", "none", cwd=tmp_path)
    assert result["spent"]["usd"] == pytest.approx(0.003)


def test_manual_waits_with_its_own_exit_code(tmp_path: Path) -> None:
    done = call("run", TASK, "--llm", "manual", "--budget", "4096", "--yes", cwd=tmp_path, code=4)
    (prompt, *_) = (tmp_path / "runs").glob("*/iter_00/cand_00/attempt_00/prompt.md")
    assert "push the point to the goal" in prompt.read_text()
    assert "python -m reward_agent resume" in done.stderr


def test_the_plan_comes_first_and_lines_follow(ran: dict[str, Any], place: Path) -> None:
    plan, _, rest = (place / "told.txt").read_text().partition(" starts: ")
    assert "pointmass/reach by eureka, 2 rounds of 2" in plan
    assert "6: 4 in the search; at the end 2 trainings from scratch of the best reward" in plan
    assert "49,152 (8,192 each)" in plan
    assert "nothing is paid" in plan
    assert "check fault, line 2" in rest
    assert "final training 1: success" in rest


def test_eval_trains_and_scores_with_floors(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(GOOD)
    words = ("--task", TASK, "--budget", "16384", "--seeds", "2", "--episodes", "10", "--out", "kept")
    found = answer("eval", "mine.py", *words, cwd=tmp_path)
    assert found["ok"] is True
    interval = found["metrics"]["closeness"]
    assert interval["low"] <= interval["mean"] <= interval["high"]
    assert interval["mean"] > found["floors"]["no-op"]["closeness"]["mean"]
    assert (found["trainings"], len(set(found["seeds"]))) == (2, 2)
    assert all(rate > 0 for rate in found["steps_per_second"])
    assert all((tmp_path / folder / "policy.safetensors").is_file() for folder in found["policies"])


def test_eval_of_a_faulty_reward_trains_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(GOOD.replace("goal.position", "goal.place"))
    found = answer("eval", "bad.py", "--task", TASK, cwd=tmp_path, code=1)
    assert found["ok"] is False
    assert found["faults"][0]["stage"] == "check"
    assert "goal.place" in (tmp_path / "bad.py").read_text().splitlines()[found["faults"][0]["line"] - 1]
