"""The command line as a user meets it: real commands in real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

import pytest

from reward_agent.cli import commands, main
from reward_agent.cli.answer import plain
from reward_agent.cli.options import positive

GOOD = '''
import numpy as np


def compute_reward(state, action, next_state):
    """Move along +x."""
    forward = next_state.torso.linear_velocity[:, 0]
    return forward, {"forward": forward}
'''
HEAVY = {"torch", "mujoco", "stable_baselines3", "litellm", "openai", "anthropic"}


def reward_agent(*words: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reward_agent", *words]
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=300)


def answer(*words: str, cwd: Path, code: int = 0, stdin: str = "") -> Any:
    """The one JSON value on standard output."""
    done = reward_agent(*words, "--json", cwd=cwd, stdin=stdin)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("words", [["--help"], ["tasks", "--json"], ["run", "--help"]])
def test_nothing_heavy_is_imported_to_list_things(words: list[str]) -> None:
    code = (
        "import sys; from reward_agent.cli import main\n"
        f"try: main({words!r})\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout
    assert not HEAVY & {name.split(".")[0] for name in done.stderr.split()}


def test_help_lists_every_command_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listing = capsys.readouterr().out
    known = {"chat", "run", "resume", "tasks", "show", "check", "eval", "play", "export", "doctor", "compare", "sweep"}
    known |= {"rank", "report", "serve"}
    assert known == set(commands())
    for name, line in commands().items():
        assert f"  {name}" in listing
        assert line in listing


def test_a_mistyped_command_or_option_gets_the_closest(tmp_path: Path) -> None:
    done = reward_agent("chekc", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean check?" in done.stderr
    done = reward_agent("tasks", "--jsn", cwd=tmp_path)
    assert done.returncode == 2
    assert "--json" in done.stderr
    done = reward_agent("check", "reward.py", "--task", "mujoco/hoper-forward", cwd=tmp_path)
    assert done.returncode == 2
    assert "mujoco/hopper-forward" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in reward_agent("check", "x.py", "--task", "no/such", "--debug", cwd=tmp_path).stderr


def test_no_command_is_wrong_usage(tmp_path: Path) -> None:
    done = reward_agent(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "commands:" in done.stderr


def test_an_error_under_json_is_one_json_value(tmp_path: Path) -> None:
    value = answer("check", "missing.py", "--task", "mujoco/hopper-forward", cwd=tmp_path, code=2)
    assert "missing.py" in value["error"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import numpy as np\n\ntask = np.no_such_thing\n", "own.py, line 3: AttributeError: module 'numpy' has no"),
        ("x = 1\ndef task(:\n", "own.py, line 2: SyntaxError: invalid syntax"),
        ("import no_such_package\n", "own.py, line 1: ModuleNotFoundError: No module named 'no_such_package'. Install"),
        ("import helper\n", "helper.py, line 2: SyntaxError"),
        ("raise SystemExit(3)\n", "own.py, line 1: SystemExit: 3"),
    ],
)
def test_a_mistake_in_a_task_of_ones_own_is_told_with_its_line(source: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(source)
    (tmp_path / "helper.py").write_text("\n1 +\n")
    (tmp_path / "reward.py").write_text(GOOD)
    done = reward_agent("check", "reward.py", "--task", "own.py:task", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert told in json.loads(done.stdout)["error"]
    assert told in done.stderr and "Traceback" not in done.stderr


def test_what_nobody_expected_is_one_json_value_and_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from reward_agent import Metric, Task\n"
        "metric = Metric('far', 'fitness', 'how far', (), lambda episode: 0.0)\n"
        "task = Task('own/go', 'go', world=None, horizon=10, metrics=(metric,), budget=10)\n"
    )
    (tmp_path / "reward.py").write_text(GOOD)
    done = reward_agent("check", "reward.py", "--task", "own.py", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"].startswith("AttributeError: 'NoneType' object has no attribute")
    assert "Traceback" in done.stderr and "AttributeError" in done.stderr.splitlines()[-1]


def test_the_fields_of_a_task_in_a_file(tmp_path: Path, repository: Path) -> None:
    own = f"{repository / 'examples' / 'own_task.py'}:task"
    (told,) = json.loads(reward_agent("tasks", own, "--fields", "--json", cwd=tmp_path).stdout)
    assert told["id"] == "mine/park-the-cart"
    assert "class Hinge:" in told["fields"]


def test_tasks(tmp_path: Path) -> None:
    rows = answer("tasks", cwd=tmp_path)
    assert {"id", "world", "instruction", "metrics", "ready", "recordings"} <= set(rows[0])
    by_id = {row["id"]: row for row in rows}
    hopper = by_id["mujoco/hopper-forward"]
    assert hopper["world"] == "mujoco"
    assert hopper["ready"] is True
    assert hopper["metrics"][0]["kind"] in ("success", "fitness")
    assert isinstance(hopper["recordings"], list)
    assert [row["id"] for row in answer("tasks", "flip", cwd=tmp_path)] == [name for name in by_id if "flip" in name]


def test_check_of_a_good_and_a_faulty_reward(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    verdict = answer("check", "good.py", "--task", "mujoco/hopper-forward", cwd=tmp_path)
    assert verdict == {"ok": True, "faults": [], "warnings": verdict["warnings"], "portable": True}
    faulty = GOOD.replace("linear_velocity", "linear_velocty")
    verdict = answer("check", "-", "--task", "mujoco/hopper-forward", cwd=tmp_path, code=1, stdin=faulty)
    assert verdict["ok"] is False
    assert verdict["faults"][0]["stage"] == "check"
    assert verdict["faults"][0]["line"] == 7
    assert "linear_velocity" in verdict["faults"][0]["message"]


def test_check_reads_a_models_reply(tmp_path: Path) -> None:
    (tmp_path / "reply.md").write_text(f"Here it is.\n\n```python\n{GOOD.strip()}\n```\nGood luck!\n")
    assert answer("check", "reply.md", "--task", "mujoco/hopper-forward", cwd=tmp_path)["ok"] is True


def test_check_tells_a_person_where(tmp_path: Path) -> None:
    (tmp_path / "reward.py").write_text(GOOD.replace("def compute_reward", "def reward"))
    done = reward_agent("check", "reward.py", "--task", "mujoco/hopper-forward", cwd=tmp_path)
    assert done.returncode == 1
    assert "reward.py:" in done.stdout
    assert "not fit for training" in done.stdout


def test_doctor(tmp_path: Path) -> None:
    value = answer("doctor", cwd=tmp_path)
    assert value["ok"] is True
    findings = {finding["name"]: finding for finding in value["findings"]}
    assert findings["cell"]["works"] is True
    assert {"python", "sandbox", "rendering", "live view", "page", "optimisers", "worlds", "models"} == {
        f["area"] for f in value["findings"]
    }
    assert all(f["works"] or f["fix"] or f["detail"] for f in value["findings"])


def test_doctor_calls_nothing_ok_that_does_not_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("viser", "mjviser"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    (line,) = (line for line in told.splitlines() if line.startswith("live view"))
    assert line.split()[2] == "--" and "viser and mjviser not installed" in line
    assert told.count("viser and mjviser") == told.count("pip install 'reward-agent[view]'") == 1


def test_doctor_shows_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-must-not-be-shown")
    done = reward_agent("doctor", "--all", cwd=tmp_path)
    assert "OPENAI_API_KEY" in done.stdout
    assert "must-not-be-shown" not in done.stdout + done.stderr


def test_counts_are_read_as_people_write_them() -> None:
    assert [positive(text) for text in ("20", "1_000", "1e6")] == [20, 1000, 1_000_000]
    for wrong in ("0", "-3", "1.5", "many", "nan", "inf"):
        with pytest.raises(ArgumentTypeError, match="whole number"):
            positive(wrong)


def test_json_is_strict() -> None:
    value = plain({"a": float("nan"), "b": (1, 2.5), "c": Path("x"), "d": [float("inf"), None, True]})
    assert value == {"a": None, "b": [1, 2.5], "c": "x", "d": [None, None, True]}
    json.dumps(value, allow_nan=False)
