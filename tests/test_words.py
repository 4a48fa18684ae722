"""Interactive rounds: words at a terminal, in a file, from Python or a recording; the model hears them all."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import runs_for_tests as runs
from loopback import Loopback, say

from reward_agent.agent import resume, synthesize
from reward_agent.cli import main
from reward_agent.errors import UsageError, WaitingForPersonError
from reward_agent.events import Event, Spoke
from reward_agent.feedback import AUTOMATIC
from reward_agent.llm.recordings import write_recording
from reward_agent.messages import Message

PROGRAMS = (runs.TIMID, runs.GOOD, runs.TIMID + "\n# the third")
ROUNDS = {"iterations": 3, "candidates": 1, "budget": 512, "final_seeds": 1, "method": "text2reward", "jobs": 1}


def conversation(messages: tuple[Message, ...]) -> list[str]:
    """What follows the first prompt."""
    assert [message.role for message in messages[:2]] == ["system", "user"]
    return [message.text for message in messages[2:]]


def test_every_round_replays_all_programs_and_all_words(tmp_path: Path) -> None:
    seen: list[tuple[Any, ...]] = []

    def person(task: Any, candidate: Any, outcome: Any, folder: Path) -> str:
        seen.append((task.id, candidate.iteration, sorted(outcome.metrics), (folder / "feedback.md").read_text()))
        return f"Seen {candidate.iteration + 1}: it idles."

    model = runs.Scripted(*PROGRAMS)
    result = synthesize(runs.config("x", **ROUNDS), llm=model, root=tmp_path, name="one", ask_person=person)
    assert [(task, number, metrics) for task, number, metrics, _ in seen] == [
        ("pointmass/reach", number, ["closeness", "success"]) for number in (0, 1)
    ]
    assert all("task_score" in feedback for *_, feedback in seen)
    first, second, third = (messages for _, messages in model.asked)
    assert conversation(first) == []
    program, words = conversation(second)
    assert runs.TIMID in program and "Seen 1: it idles." in words
    assert conversation(third)[0] == program and "Seen 1: it idles." in conversation(third)[1]
    assert runs.GOOD in conversation(third)[2] and "Seen 2: it idles." in conversation(third)[3]
    # a person's words stand alone: neither automatic ones nor any number of the training beside them
    assert AUTOMATIC not in "".join(conversation(third)) and "task_score" not in "".join(conversation(third))
    assert result.variant == "zero-shot, words of a person in 2 rounds"


def test_words_in_a_file_are_waited_for(tmp_path: Path) -> None:
    model = runs.Scripted(*PROGRAMS)
    config = runs.config("x", **ROUNDS, words="file")
    with pytest.raises(WaitingForPersonError, match=r"iteration 0: see how .*feedback\.md.*into .*words\.md") as waits:
        synthesize(config, llm=model, root=tmp_path, name="one")
    assert waits.value.exit_code == 4
    folder = tmp_path / "one" / "iter_00" / "cand_00"
    assert (folder / "feedback.md").exists() and not (folder / "words.md").exists()
    (folder / "words.md").write_text("\n")
    with pytest.raises(WaitingForPersonError):
        resume(tmp_path / "one", llm=model)
    assert len(model.asked) == 1
    (folder / "words.md").write_text("It stands still.\nIt should move.\n")
    with pytest.raises(WaitingForPersonError, match="iteration 1"):
        resume(tmp_path / "one", llm=model)
    assert "It stands still.\nIt should move." in model.asked[1][1][-1].text
    # whoever has seen enough lets it go on
    result = resume(tmp_path / "one", llm=model, changes={"words": "automatic"})
    assert AUTOMATIC in model.asked[2][1][-1].text
    assert result.variant == "zero-shot, words of a person in 1 round, automatic words in 1 round"


def test_a_recorded_session_gives_its_words_again(tmp_path: Path) -> None:
    def person(*_: Any) -> str:
        return "Closer!"

    config = runs.config("x", **ROUNDS)
    synthesize(config, llm=runs.Scripted(*PROGRAMS), root=tmp_path, name="one", ask_person=person)
    kept = write_recording(tmp_path / "one", tmp_path / "text2reward.jsonl")
    told: list[Event] = []
    synthesize(runs.config(f"replay:{kept}", **ROUNDS), root=tmp_path, name="two", events=told.append)
    assert [(e.words, e.whose) for e in told if isinstance(e, Spoke)] == [("Closer!", "person")] * 2
    told.clear()
    synthesize(
        runs.config(f"replay:{kept}", **ROUNDS, words="automatic"), root=tmp_path, name="three", events=told.append
    )
    assert [e.whose for e in told if isinstance(e, Spoke)] == ["nobody"] * 2


def test_a_source_of_words_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="Did you mean 'automatic'"):
        runs.config("x", words="automatik")


@pytest.mark.needs("rendering")
def test_words_are_typed_at_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with Loopback() as server:
        server.answer = lambda request: say(f"```python\n{runs.GOOD}\n```")
        words = ("run", runs.TASK, "--llm", "openai:m", "--base-url", server.openai_url, "--method", "text2reward")
        words += ("--iterations", "2", "--candidates", "1", "--budget", "512", "--final-seeds", "1")
        printed, code = at_terminal(words, tmp_path, ("Start? [Y/n]", "\n"), ("\n> ", "It shakes,\nit overshoots.\n\n"))
        second = server.requests[1].body["messages"]
    assert code == 0, printed
    assert "success" in printed and "term `near`" in printed and "Watch it: " in printed
    assert "It shakes,\nit overshoots." in second[-1]["content"]
    assert "words of a person in 1 round" in printed
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "iter_00/cand_00/video.mp4").exists()
    monkeypatch.chdir(tmp_path)
    assert main(["show", run.name]) == 0


def at_terminal(words: tuple[str, ...], cwd: Path, *exchanges: tuple[str, str]) -> tuple[str, int]:
    """Run a command on a terminal of its own; type the second of each pair where the first is printed."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "reward_agent", *words], cwd=cwd, stdin=its, stdout=its, stderr=its, close_fds=True
    )
    os.close(its)
    waiting, printed, since = list(exchanges), "", 0
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 1.0)[0]:
            continue
        try:
            printed += os.read(ours, 4096).decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # the other end is closed
            break
        if waiting and waiting[0][0] in printed[since:]:
            since = len(printed)
            os.write(ours, waiting.pop(0)[1].encode())
    os.close(ours)
    return printed, process.wait(timeout=30)
