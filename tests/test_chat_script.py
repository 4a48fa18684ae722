"""`reward-agent chat` as a script meets it: lines through a pipe, exit codes, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import Loopback
from runs_for_tests import BROKEN, GOOD, TASK, recording
from terminals import LOOK, piped, replies
from test_cli_runs import command, environment

from reward_agent.chat.replayed import with_corrections
from reward_agent.cli import main
from reward_agent.llm.recordings import find_recording, read_recording
from reward_agent.messages import Key
from reward_agent.recorded import recorded_method

FAILS_LATE = GOOD.replace("    return", "    assert len(action) < 300, 'more rows than the probe gives'\n    return")


def test_a_script_without_a_terminal(tmp_path: Path) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    said = "push it \\\nto the goal\n/look\ndo less\n/diff\n/undo\n/export out.py\n/save kept\n"
    done = piped(said, "chat", TASK, "--llm", llm, *LOOK, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [turn["undone"] for turn in told["turns"]] == [False, True]
    assert told["instruction"] == "push it \nto the goal" and told["turns"][0]["by"] == "training"
    assert told["turns"][0]["faults"][0]["stage"] == "check" and set(told["turns"][0]["metrics"]) == {
        "success",
        "closeness",
    }
    assert "\x1b" not in done.stderr and "you> do less" in done.stderr
    exported = tmp_path / "out.py"
    ran = subprocess.run(
        [sys.executable, "-c", "import out; print(callable(out.compute_reward), out.FIELDS)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0 and "True" in ran.stdout, ran.stderr
    assert (tmp_path / "kept/reward.py").read_text().count("near = ") and exported.exists()
    shown = piped("", "show", told["run"], cwd=tmp_path)
    assert shown.returncode == 0 and "check fault" in shown.stdout
    refused = piped("", "export", told["run"], "-o", "x.py", cwd=tmp_path)
    assert refused.returncode == 2 and "is a chat" in refused.stderr
    again = piped("/reward\n", "resume", told["run"], cwd=tmp_path)
    assert again.returncode == 0 and "near = np.exp" in again.stdout and "> push it" in again.stdout


def test_a_script_is_told_by_the_exit_code(tmp_path: Path) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    done = piped("/raward\n/train abc\n/cost\n", "chat", TASK, "--llm", llm, *LOOK, cwd=tmp_path)
    assert done.returncode == 2 and "0 replies" in done.stdout, "what comes after is done, and mends nothing"
    assert "Did you mean '/reward'?" in done.stdout and "Traceback" not in done.stderr
    taken = tmp_path / "taken"
    taken.write_text("no folder")
    said = "/go\n/export taken/reward.py\n/raward\n/cost\n"
    done = piped(said, "chat", TASK, "--llm", llm, *LOOK, "--look", "none", cwd=tmp_path)
    assert done.returncode == 1 and "Did you mean '/reward'?" in done.stdout, "the first failure's, of the disk"
    refused = piped("", "chat", TASK, "--llm", llm, "--look", "trainin", cwd=tmp_path)
    assert refused.returncode == 2 and "Did you mean 'training'?" in refused.stderr


def test_a_script_is_told_where_its_last_turn_came_to_nothing(tmp_path: Path) -> None:
    faulty = {Key(0, 0, attempt): BROKEN for attempt in range(4)}
    llm = recording(tmp_path / "replies.jsonl", faulty | {Key(0, 1, 0): GOOD, Key(1, 0, 0): FAILS_LATE})
    words = ("chat", TASK, "--llm", llm, *LOOK, "--look", "none", "--json")
    failed = piped("push it\n/cost\n", *words, "--out", "failed", cwd=tmp_path)
    told = json.loads(failed.stdout)
    assert failed.returncode == 1 and len(told["turns"][0]["faults"]) == 4 and "No reward came of it" in failed.stderr
    idle = piped("/cost\n", "chat", "--resume", told["folder"], cwd=tmp_path)
    assert idle.returncode == 0, "no turn of this script's came to nothing"
    first = {Key(0, 0, 0): GOOD} | {Key(1, 0, attempt): BROKEN for attempt in range(4)}
    llm_good = recording(tmp_path / "good.jsonl", first)
    earlier = ("chat", TASK, "--llm", llm_good, *LOOK, "--look", "none", "--json", "--out", "earlier")
    before = piped("push it\nharder\n", *earlier, cwd=tmp_path)
    assert before.returncode == 1
    looked = piped("/look\n", "chat", "--resume", json.loads(before.stdout)["folder"], cwd=tmp_path)
    assert looked.returncode == 0, "it looked at the reward in force; the faulty turn was another script's"
    mended = piped("push it\n/undo\npush it\n", *words, "--out", "mended", cwd=tmp_path)
    assert mended.returncode == 0, mended.stderr
    folder = json.loads(mended.stdout)["folder"]
    at_work = piped("harder\n/look\n", "chat", "--resume", folder, cwd=tmp_path)
    assert at_work.returncode == 1 and "AssertionError" in at_work.stdout, "it failed in the training that is its look"
    taken_back = piped("/undo\n", "chat", "--resume", folder, cwd=tmp_path)
    assert taken_back.returncode == 0, taken_back.stderr


def test_options_go_where_they_mean(tmp_path: Path) -> None:
    words = ("chat", "quadruped/lift-paw", "--llm", "replay:quadruped/lift-paw/l2r", "--json")
    given = ("--look", "none", "--set", "samples=4", "--set", "learning_rate=1e-3", "--optimiser", "sac")
    done = piped("/cost\n", *words, *given, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    kept = json.loads((tmp_path / json.loads(done.stdout)["folder"] / "run.json").read_text())
    assert kept["chat"]["planner"] == {"samples": 4} and kept["config"]["settings"] == {"learning_rate": 1e-3}
    assert kept["config"]["method"] == "l2r" and kept["config"]["optimiser"] == "sac"
    refused = piped("", *words, "--optimiser", "mpc", "--set", "samples=4", cwd=tmp_path)
    assert refused.returncode == 2 and "mpc trains nothing" in refused.stderr


def test_without_a_task_one_is_asked_for(tmp_path: Path) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    done = piped(f"{TASK}\n/go\n/cost\n", "chat", "--llm", llm, *LOOK, "--look", "none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "mujoco/hopper-forward" in done.stdout and "2 replies" in done.stdout
    none = piped("", "chat", "--llm", llm, cwd=tmp_path)
    assert none.returncode == 2 and "Name a task" in none.stderr


def test_a_model_behind_a_server_that_fails_leaves_the_session(tmp_path: Path) -> None:
    with Loopback() as server:
        url = server.openai_url
    said = "push it\n/cost\n"
    words = ("chat", TASK, "--llm", "openai:m", "--base-url", url, *LOOK)
    done = subprocess.run(
        command(*words),
        cwd=tmp_path,
        env=environment() | {"OPENAI_API_KEY": "k"},
        input=said,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "could not be reached" in done.stdout and "0 replies" in done.stdout, done.stdout + done.stderr


@pytest.mark.needs("view")
def test_a_view_that_cannot_be_opened_stops_nothing(tmp_path: Path) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    done = piped("/go\n", "chat", TASK, "--llm", llm, *LOOK, "--look", "none", "--view", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Passed check and probe." in done.stdout
    assert "pointmass/reach cannot be watched live, for its world (pointmass) gives no MuJoCo model" in done.stdout
    assert "Watch it at" not in done.stdout


def test_a_recording_says_how_far_it_goes(tmp_path: Path) -> None:
    words = ("chat", "quadruped/sit-down", "--llm", "replay:quadruped/sit-down/l2r", "--look", "none")
    done = piped("/go\nand now turn left\n", *words, cwd=tmp_path)
    assert (
        "l2r with replay:quadruped/sit-down/l2r\n" in done.stdout
        and "whatever you say: 1 turn of words." in done.stdout
    )
    (folder,) = (tmp_path / "runs").iterdir()
    assert done.returncode == 1
    assert "This recording, quadruped/sit-down/l2r, has 1 turn of words, and this is turn 2." in done.stdout
    assert "quadruped/lift-paw-higher/l2r (2 turns), quadruped/spin-with-lifted-paws/l2r (3 turns)." in done.stdout
    assert f"chat --resume runs/{folder.name} --llm manual`" in done.stdout
    assert "iteration" not in done.stdout and "/recordings/" not in done.stdout
    for name in with_corrections("l2r"):
        assert recorded_method(read_recording(find_recording(name))) == "l2r", "what is offered is what is replayed"
    again = piped("/go\n", "chat", "--resume", str(folder), "--llm", "manual", cwd=tmp_path)
    assert again.returncode == 4 and "give " in again.stderr, "its command goes on with the same words"
    (prompt,) = folder.glob("iter_01/*/*/*prompt.md")
    assert "and now turn left" in prompt.read_text()
    tries = piped("/go\n" + "/undo\n/go\n" * 3, *words, cwd=tmp_path)
    assert "holds 3 tries of turn 1, and no reply to this one." in tries.stdout


@pytest.mark.parametrize("words", [("--llm", "none"), ("--llm", "manual", "--method", "given")])
def test_a_chat_in_which_nobody_answers_is_refused_with_what_looks_at_a_reward(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "mine.py").write_text(GOOD)
    refused = piped("", "chat", TASK, "--init", "mine.py", *words, cwd=tmp_path)
    assert refused.returncode == 2 and "nobody would" in refused.stderr and "--iterations" not in refused.stderr
    assert f"chat {TASK} --init FILE --llm manual`" in refused.stderr, "the task as it was named"
    assert f"eval FILE --task {TASK}`" in refused.stderr
    look = ("--look-budget", "2048", "--set", "num_envs=16", "--set", "rollout=32")
    looked = piped("/look\n", "chat", TASK, "--init", "mine.py", "--llm", "manual", *look, cwd=tmp_path)
    assert looked.returncode == 0 and "a short training of 2,048 steps" in looked.stdout, looked.stderr
    again = piped("", "chat", "--resume", "last", "--llm", "none", cwd=tmp_path)
    assert again.returncode == 2 and f"chat {TASK} --init FILE" in again.stderr
    told = " ".join(piped("", "chat", "--help", cwd=tmp_path).stdout.split())
    assert "given" not in told.partition("--method NAME ")[2].partition("--llm")[0]
    assert "none" not in told.partition("--llm PROVIDER:MODEL who")[2].partition("--base-url")[0]


@pytest.mark.parametrize("words", [(TASK, "--llm", "manual"), ("--resume", "last")])
def test_a_view_whose_packages_are_missing_is_refused_before_anything_begins(
    tmp_path: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("viser", "mjviser"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["chat", *words, "--view"]) == 3
    told = capsys.readouterr().err
    assert "shown live here: viser and mjviser not installed: pip install 'reward-agent[view]'" in told
    assert not (tmp_path / "runs").exists()


def test_what_a_command_cannot_take_is_refused(tmp_path: Path) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    taken = tmp_path / "taken"
    taken.write_text("no folder")
    said = "/go\n/undo 3\n/reward x\n/go now\n/video bad.txt\n/save taken/kept\n/export taken/reward.py\n/cost\n"
    done = piped(said, "chat", TASK, "--llm", llm, *LOOK, "--look", "none", cwd=tmp_path)
    assert done.returncode == 2 and "2 replies" in done.stdout, "nothing was taken back, nobody was asked again"
    for name, given in (("/undo", "3"), ("/reward", "x"), ("/go", "now")):
        assert f"`{name}` takes nothing after it, and '{given}' was given" in done.stdout
    assert "`/video bad.mp4`" in done.stdout and not (tmp_path / "bad.txt").exists()
    assert "taken/kept cannot be written (not a directory). Name one in a folder that you can" in done.stdout
    assert "taken/reward.py cannot be written (" in done.stdout and "Errno" not in done.stdout + done.stderr
    assert ".tmp" not in done.stdout
