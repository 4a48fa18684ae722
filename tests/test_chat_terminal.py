"""`reward-agent chat` as a person and as a script meet it: a real terminal, real keys, real processes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from loopback import Loopback, hang
from runs_for_tests import BROKEN, GOOD, TASK, TIMID, recording
from test_cli_runs import command, environment

from reward_agent.cli import main
from reward_agent.cli.chatting.lines import _history, state_file
from reward_agent.messages import Key
from reward_agent.program import read_program
from reward_agent.sittings import config_of
from reward_agent.store import read_manifest, read_steps

CALM = TIMID + "\n# calmer\n"
FAILS_LATE = GOOD.replace("    return", "    assert len(action) < 300, 'more rows than the probe gives'\n    return")
LOOK = ("--look-budget", "2048", "--set", "num_envs=16", "--set", "rollout=32", "--method", "text2reward")


def replies(path: Path) -> str:
    """Two rounds, the second in two branches, the first with a repair."""
    asked = {Key(0, 0, 0): BROKEN, Key(0, 0, 1): GOOD, Key(1, 0, 0): TIMID, Key(1, 1, 0): CALM}
    return recording(path, asked)


class Terminal:
    """The command in a terminal of its own."""

    def __init__(self, place: Path, *words: str, keys: dict[str, str] | None = None) -> None:
        more = {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "XDG_STATE_HOME": str(place / "state")}
        self.child = pexpect.spawn(
            "env",
            ["--default-signal=INT", *command("chat", *words)],
            cwd=str(place),
            env=environment() | more | (keys or {}),
            dimensions=(50, 200),
            timeout=60,
            encoding="utf-8",
        )
        self.child.delaybeforesend = 0.2
        self.greeting = self.ready()

    def ready(self) -> str:
        """Wait until it asks; what was shown before."""
        self.child.expect(r"\x1b\[\?2004h")  # a prompt begins by asking for pasted text to be marked
        before = plain(self.child.before)
        self.child.expect("you>")
        return before

    def say(self, line: str) -> str:
        """Type a line; what was shown until it asks again."""
        self.child.send(line + "\r")
        self.child.expect(r"\x1b\[\?2004l")
        return self.ready()

    def quit(self, line: str = "/quit\r") -> str:
        self.child.send(line)
        self.child.expect(pexpect.EOF)
        self.child.close()
        return plain(self.child.before)


def plain(text: Any) -> str:
    """Without what colours and moves."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r", "", str(text))


@pytest.fixture
def opened() -> Iterator[list[Terminal]]:
    found: list[Terminal] = []
    yield found
    for terminal in found:
        terminal.child.close(force=True)


def test_a_whole_session_at_a_terminal(tmp_path: Path, opened: list[Terminal]) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    chat = Terminal(tmp_path, TASK, "--llm", llm, *LOOK)
    opened.append(chat)
    shown = chat.say("push it to the goal, and rest there")
    assert "Faulty: check fault, line 2" in shown and "Passed check and probe." in shown
    assert "def compute_reward" in shown and "a short training of 2,048 steps" in shown and "near" in shown
    assert "Do nothing at all" in chat.say("do less")
    told = chat.say("/diff")
    assert "-    near = np.exp" in told and "+    rest = -(action" in told
    assert "Taken back: “do less”. 1 turn is left." in chat.say("/undo")
    assert "effort = -0.01" in chat.say("/reward")
    assert "# calmer" in chat.say("rest more")
    assert "Did you mean '/reward'?" in chat.say("/rewrad")
    assert "success" in chat.say("/score") and "4 replies" in chat.say("/cost")

    chat.child.send("/train 1e7\r")
    chat.child.expect("of 10,000,000 steps")
    chat.child.sendintr()
    assert "goes on from its last checkpoint" in chat.ready()
    shown = chat.say("/export mine.py")
    assert "mine.py needs nothing of this package" in shown
    assert "# calmer" in (tmp_path / "mine.py").read_text()
    assert "rest there" in (tmp_path / "mine.py").read_text()

    chat.child.send("half a line")
    chat.child.sendintr()
    assert "Ctrl-C again" in chat.ready()
    assert "list the commands" in chat.say("/help"), "a word between two Ctrl-C takes the first one back"
    chat.child.sendintr()
    chat.ready()
    chat.child.sendintr()
    chat.child.expect(pexpect.EOF)
    chat.child.close()
    assert chat.child.exitstatus == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert f"resume runs/{folder.name}` goes on from here" in plain(chat.child.before)

    chat = Terminal(tmp_path, "--resume", "last")
    opened.append(chat)
    before = chat.greeting
    assert "> push it to the goal, and rest there" in before and "> rest more" in before and "do less" not in before
    assert "# calmer" in chat.say("/reward")
    exported = chat.say("/export again.py")
    assert "again.py needs" in exported
    assert read_program(tmp_path / "again.py") == read_program(tmp_path / "mine.py")
    chat.quit("\x04")
    assert chat.child.exitstatus == 0
    typed = (folder / "history").read_text()
    assert "+rest more" in typed and "+rest more" in (tmp_path / "state/reward-agent/history").read_text()


def test_ctrl_c_during_a_look_keeps_the_reward(tmp_path: Path, opened: list[Terminal]) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    chat = Terminal(tmp_path, TASK, "--llm", llm, *LOOK, "--look-budget", "1e7")
    opened.append(chat)
    chat.child.send("push it\r")
    chat.child.expect("of 10,000,000 steps")
    chat.child.sendintr()
    assert "Not looked at: stopped." in chat.ready()
    assert "near = np.exp" in chat.say("/reward")
    assert "`reward-agent" in chat.quit() or "resume runs/" in plain(chat.child.before)


def test_a_line_may_have_several(tmp_path: Path, opened: list[Terminal]) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    chat = Terminal(tmp_path, TASK, "--llm", llm, *LOOK, "--look", "none")
    opened.append(chat)
    chat.child.send("first\\\rsecond\x1b\rthird\r")
    chat.child.expect("Passed")
    chat.ready()
    chat.quit()
    (folder,) = (tmp_path / "runs").iterdir()
    (line, *_) = (folder / "journal.jsonl").read_text().splitlines()
    assert json.loads(line)["value"]["text"] == "first\nsecond\nthird"


def test_a_command_is_completed(tmp_path: Path, opened: list[Terminal]) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    chat = Terminal(tmp_path, TASK, "--llm", llm, *LOOK, "--look", "none")
    opened.append(chat)
    chat.child.send("/co\t")
    chat.child.expect("/cost")
    chat.child.send("\r")
    assert "0 replies" in chat.ready()
    chat.quit()


def piped(text: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), cwd=cwd, env=environment(), input=text, capture_output=True, text=True, timeout=300
    )


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


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a session that was left."""
    place = tmp_path_factory.mktemp("left")
    llm = replies(place / "replies.jsonl")
    done = piped("/cost\n", "chat", TASK, "--llm", llm, *LOOK, "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    return place / str(json.loads(done.stdout)["folder"])


@pytest.mark.parametrize(
    "words",
    [
        (TASK,),
        ("--method", "eureka"),
        ("--temperature", "0"),
        ("--prompts", "."),
        ("--init", "mine.py"),
        ("--look", "planner", "--carry-on", "--set", "samples=8"),
        ("--look-budget", "1e6"),
        ("--look-seconds", "2"),
        ("--optimiser", "sac", "--preset", "default", "--budget", "1e6"),
        ("--seed", "0", "--out", "runs"),
        ("--unsafe",),
    ],
)
def test_what_a_chat_keeps_is_refused_where_it_goes_on(
    left: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (left / "journal.jsonl").read_text()
    assert main(["chat", *words, "--resume", str(left)]) == 2
    told = capsys.readouterr().err
    given = ["TASK" if word == TASK else word for word in words if word.startswith("--") or word == TASK]
    assert f"keeps its task and all that it was begun with: leave out {', '.join(given)}. It can" in told
    assert "--llm, --base-url, --prices, --token-budget, --money-budget" in told
    assert (left / "journal.jsonl").read_text() == before


@pytest.mark.parametrize("words", [("--jobs", "4"), ("--words", "file"), ("--yes",)])
def test_what_is_of_searches_alone_is_refused_of_a_chat(
    left: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["resume", str(left), *words]) == 2
    assert f"This is a chat, which hears your own words and trains when you say so: leave out {words[0]}." in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("how", [("resume",), ("chat", "--resume")])
def test_who_is_asked_and_for_how_long_can_be_told_where_a_chat_goes_on(
    left: Path, tmp_path: Path, how: tuple[str, ...]
) -> None:
    folder = shutil.copytree(left, tmp_path / "again")
    llm = replies(tmp_path / "others.jsonl")
    given = ("--llm", llm, "--token-budget", "7", "--prices", "1", "2")
    done = piped("push it\n", *how, str(folder), *given, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["llm"] == llm and told["turns"][-1]["words"] == "push it"
    assert config_of(read_manifest(folder), read_steps(folder)).max_tokens == 7


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


def test_a_history_that_cannot_be_read_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "history").write_text("\n# then\n+do less\n")
    state_file().mkdir(parents=True)  # no more to be read than a file of somebody else's, whoever runs this
    assert list(_history(tmp_path).load_history_strings()) == ["do less"]


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


def test_ctrl_c_while_the_model_writes(tmp_path: Path, opened: list[Terminal]) -> None:
    with Loopback() as server:
        server.script(hang())
        words = ("--llm", "openai:m", "--base-url", server.openai_url, "--look", "none", "--method", "text2reward")
        chat = Terminal(tmp_path, TASK, *words, keys={"OPENAI_API_KEY": "k"})
        opened.append(chat)
        chat.child.send("push it\r")
        chat.child.expect("the model writes")
        chat.child.sendintr()
        assert "`/go` tries again" in chat.ready()
        assert "0 replies" in chat.say("/cost")
        chat.quit()
        assert chat.child.exitstatus == 0


def test_a_view_that_cannot_be_opened_stops_nothing(tmp_path: Path) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    done = piped("/go\n", "chat", TASK, "--llm", llm, *LOOK, "--look", "none", "--view", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ("Passed check and probe." in done.stdout and "/video" in done.stdout) or "live" in done.stdout


def test_a_person_who_is_the_model_is_told_which_file_to_answer(tmp_path: Path, opened: list[Terminal]) -> None:
    chat = Terminal(tmp_path, TASK, "--llm", "manual", "--look", "none", "--method", "text2reward")
    opened.append(chat)
    chat.child.send("push it\r")
    chat.child.expect("it goes on as soon as the file is there.")
    told = plain(chat.child.before)
    chat.child.expect("waiting for the answer .Ctrl-C stops it")
    found = re.search(r"give (\S+prompt\.md) to a model .* save the whole answer as (\S+reply\.md):", told)
    assert found is not None, told
    assert "push it" in Path(found[1]).read_text()
    chat.child.sendintr()
    stopped = told + chat.ready()
    assert "`/go` tries again" in stopped and "the model writes" not in stopped
    chat.child.send("/go\r")
    chat.child.expect("as soon as the file is there")
    Path(found[2]).write_text(f"```python\n{GOOD}\n```\n")
    chat.child.expect("Passed check and probe.")
    assert "the model writes" not in chat.ready()
    assert "near = np.exp" in chat.say("/reward")
    chat.quit()


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
    assert "quadruped/lift-paw-higher (2 turns), quadruped/spin-with-lifted-paws (3 turns)." in done.stdout
    assert f"chat --resume runs/{folder.name} --llm manual`" in done.stdout
    assert "iteration" not in done.stdout and "/recordings/" not in done.stdout
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
    assert "--init FILE --llm manual" in refused.stderr
    look = ("--look-budget", "2048", "--set", "num_envs=16", "--set", "rollout=32")
    looked = piped("/look\n", "chat", TASK, "--init", "mine.py", "--llm", "manual", *look, cwd=tmp_path)
    assert looked.returncode == 0 and "a short training of 2,048 steps" in looked.stdout, looked.stderr
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


def test_a_chat_that_is_not_there_is_told_the_latest(
    left: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(left.parent.parent)
    for number in range(5):
        shutil.copytree(left, left.parent / f"other-{number}")
    assert main(["chat", "--resume", "zzz"]) == 2
    told = capsys.readouterr().err
    assert "`reward-agent chat TASK` starts one" in told and "The latest: " in told
    assert sum(folder.name in told for folder in left.parent.iterdir()) == 3
