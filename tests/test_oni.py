"""ONI in whole runs: a model, here a real server, judges the agent's own transitions beside the training."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import corridor
import pytest
from corridor import truth
from loopback import Loopback, Request, Step, fail, say
from runs_for_tests import config
from sweeps_for_tests import answer, rows, write
from terminals import piped
from test_cli_runs import SMALL, call, command, environment
from waiting import until

from reward_agent.agent import synthesize
from reward_agent.chronicle import read_chronicle
from reward_agent.crediting.distilling import LABELS, REPLIES, answers_in
from reward_agent.errors import UsageError
from reward_agent.events import Event, Events, Noted, ignore
from reward_agent.export import export_run
from reward_agent.program import DESCRIBED
from reward_agent.report.command import again
from reward_agent.result import Result
from reward_agent.subgoals import Subgoal, as_lines, parse_subgoals
from reward_agent.task import Screen

CORRIDOR = f"{corridor.__file__}:task"
SEEN = re.compile(
    r"Before:\n```\n(?P<before>.*?)\n```.*?After:\n```\n(?P<after>.*?)\n```(?:\nMessage: (?P<message>.*?)\n)?",
    re.DOTALL,
)
QUICK = {"num_envs": 8, "rollout": 64, "batch_size": 256, "epochs": 4, "hidden": [16, 16], "checkpoint_seconds": 0.0}


def sees_well(request: Request) -> Step:
    said = {}
    for number, found in enumerate(SEEN.finditer(request.prompt + "\n"), 1):
        before, after = (Screen(found[part], found[part], "", ()) for part in ("before", "after"))
        said[str(number)] = truth(before, after._replace(message=found["message"]))
    return say(json.dumps(said["1"] if len(said) == 1 else said))


@pytest.fixture
def server(model_keys: None) -> Loopback:
    with Loopback() as server:
        server.answer = sees_well
        yield server


def run(server: Loopback, root: Path, told: Events = ignore, **changes: object) -> Result:
    made = {"method": "oni", "task": CORRIDOR, "base_url": server.openai_url, "budget": 40_960, "settings": QUICK}
    wanted = config("openai:m", **{**made, "final_seeds": 1, **changes})
    return synthesize(wanted, root=root, name="one", events=told)


def of_training(result: Result) -> Path:
    (labels,) = result.folder.rglob(LABELS)
    return labels.parent


def test_a_whole_run_is_paid_by_what_a_model_saw(server: Loopback, tmp_path: Path) -> None:
    result = run(server, tmp_path, shaping={"weight": 0.5})
    assert result.program.entry == DESCRIBED and result.reward.name == "subgoals.txt"
    assert result.reward.read_text() == as_lines(corridor.task.subgoals)
    assert parse_subgoals(result.reward.read_text(), "it") == corridor.task.subgoals
    labels = [json.loads(line) for line in (of_training(result) / LABELS).read_text().splitlines()]
    for label in labels:
        before, after = (Screen(**label[part]) for part in ("before", "after"))
        assert label["reached"] == truth(before, after)
    assert len(labels) > 16 and any(label["reached"]["has_key"] for label in labels)
    outcome = read_chronicle(result.folder)
    replies = answers_in(of_training(result))
    assert result.spent.replies == len(replies) == len(server.requests) and result.spent.tokens == 120 * len(replies)
    with pytest.raises(UsageError, match="by no code that could be exported"):
        export_run(result.folder, tmp_path / "mine.py")
    told = again(outcome).command
    assert "--method oni" in told and "--llm openai:m" in told and "--init" not in told


def test_subgoals_of_ones_own_and_a_budget(server: Loopback, tmp_path: Path) -> None:
    own = (Subgoal("at_door", "the agent came to the door"),)
    server.answer = lambda request: say(
        json.dumps(
            {
                number: {"at_door": reached["at_door"]}
                for number, reached in json.loads("".join(sees_well(request).pieces)).items()
            }
        )
    )
    result = run(server, tmp_path, subgoals=own, max_tokens=300)
    assert (result.folder / "subgoals.txt").read_text() == "at_door: the agent came to the door\n"
    assert "--subgoals" in again(read_chronicle(result.folder)).command
    assert 1 <= len(server.requests) <= 4, "120 tokens a request, and a few under way when it is used up"


def test_a_model_that_is_dead_from_the_start_ends_no_training(server: Loopback, tmp_path: Path) -> None:
    server.answer = lambda request: fail(401, "no such key")
    told: list[Event] = []
    result = run(server, tmp_path, told.append, budget=2048)
    assert any(isinstance(each, Noted) and "judged no transition" in each.text for each in told)
    assert result.trainings == 1 and not result.failed and (of_training(result) / LABELS).read_text() == ""


def test_a_run_that_is_killed_goes_on_with_its_labels(server: Loopback, tmp_path: Path) -> None:
    keys = {"OPENAI_API_KEY": "k"}
    words = ("--method", "oni", "--llm", "openai:m", "--base-url", server.openai_url, "--budget", "61440", "--yes")
    settings = [f"--set={name}={json.dumps(value).strip('[]')}" for name, value in QUICK.items()]
    process = subprocess.Popen(
        command("run", CORRIDOR, *words, "--final-seeds", "1", *settings),
        cwd=tmp_path,
        env=environment() | keys,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    until(
        lambda: (
            process.poll() is not None or (any(tmp_path.rglob("training.safetensors")) and answers_there(tmp_path) > 0)
        )
    )
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (folder,) = (path.parent for path in tmp_path.rglob("run.json"))
    before = answers_there(tmp_path)
    assert before > 0 and not (folder / "result.json").exists(), "it ended before it was killed"
    asked = [request.prompt for request in server.requests]
    done = subprocess.run(command("resume", str(folder)), env=environment() | keys, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (replies,) = folder.rglob(REPLIES)
    assert len(replies.read_text().splitlines()) >= before
    later = [request.prompt for request in server.requests[len(asked) :]]
    assert not set(later) & set(asked[:before]), "nothing that was answered is asked again"


def answers_there(place: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in place.rglob(REPLIES))


@pytest.mark.needs("minigrid")
def test_from_the_command_line(tmp_path: Path) -> None:
    words = ("--method", "oni", "--subgoals", "card", "--llm", "manual", "--budget", "2048", "--final-seeds", "1")
    done = call("run", "minigrid/doorkey-5x5", *words, "--yes", cwd=tmp_path)
    assert "manual: it judges transitions while the trainings go on" in done.stdout
    assert "the subgoals that were given, judged by manual" in done.stdout
    assert "manual judged no transition" in done.stdout and "best/subgoals.txt" in done.stdout
    prompt = next(tmp_path.rglob("*.prompt.md")).read_text()
    assert "`open_door`: the agent unlocked" in prompt and "middle of the last row" in prompt
    assert "could be exported" in call("export", "last", cwd=tmp_path, code=2).stderr
    assert "subgoals that were given" in call("show", "last", cwd=tmp_path).stdout
    call("report", "last", cwd=tmp_path)


def test_what_it_cannot_do_is_said(server: Loopback, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no screens of characters"):
        run(server, tmp_path, task="mujoco/hopper-forward", subgoals=(Subgoal("hop", "it hops"),))
    with pytest.raises(UsageError, match="gives none: name a file"):
        run(server, tmp_path, task="mujoco/hopper-forward")
    with pytest.raises(UsageError, match="--optimiser ppo"):
        run(server, tmp_path, optimiser="mpc", settings={})
    rounds = call(
        "run", CORRIDOR, "--method", "oni", "--llm", "openai:m", "--iterations", "2", *SMALL, cwd=tmp_path, code=2
    )
    assert "has no rounds" in rounds.stderr
    chat = piped("go\n", "chat", CORRIDOR, "--method", "oni", "--llm", "manual", cwd=tmp_path)
    assert chat.returncode == 2 and "somebody answers what you say" in chat.stderr


@pytest.mark.needs("rliable")
def test_in_a_sweep(tmp_path: Path) -> None:
    (tmp_path / "steps.txt").write_text("at_door: the agent came to the door\n")
    entry = {"name": "judged", "method": "oni", "llm": "manual", "subgoals": "steps.txt", "shaping": {"weight": 0.2}}
    write(tmp_path, entries=[entry], tasks=[CORRIDOR])
    told = answer("sweep.yaml", cwd=tmp_path)
    assert "judged" in rows(told), told
    for manifest in tmp_path.rglob("run.json"):
        config = json.loads(manifest.read_text())["config"]
        assert config["subgoals"] == [{"name": "at_door", "doc": "the agent came to the door"}]
    (prompt, *_) = tmp_path.rglob("*.prompt.md")
    assert "`at_door`: the agent came to the door" in prompt.read_text(), "whoever has the time may judge"
    write(tmp_path, entries=[entry | {"subgoals": "step.txt"}], tasks=[CORRIDOR])
    assert "Did you mean steps.txt" in call("sweep", "sweep.yaml", cwd=tmp_path, code=2).stderr
