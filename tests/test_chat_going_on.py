"""A chat that was left, and is gone on with."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from runs_for_tests import TASK
from terminals import LOOK, piped, replies

from reward_agent.cli import main
from reward_agent.sittings import config_of
from reward_agent.store import read_manifest, read_steps


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


def test_a_chat_that_is_not_there_is_told_the_latest(
    left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, age in enumerate((40, 10, 50, 20, 30, 60)):
        other = shutil.copytree(left, tmp_path / "runs" / f"other-{number}")
        for path in (*other.rglob("*"), other):
            os.utime(path, (1e9 - age, 1e9 - age))
    assert main(["chat", "--resume", "zzz"]) == 2
    told = capsys.readouterr().err
    assert "`reward-agent chat TASK` starts one" in told and "The latest: other-1, other-3, other-4." in told
