"""Runs that stop and go on: budgets, prices, what a resume is told, replays, a person's replies, Ctrl-C."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import runs_for_tests as runs
from loopback import Loopback
from runs_for_tests import SMALL, Scripted

from reward_agent import agent
from reward_agent.cli import main
from reward_agent.config import with_whole_paths
from reward_agent.errors import InterruptedRunError, UsageError, WaitingForPersonError
from reward_agent.events import (
    Event,
    Noted,
    Started,
    TrainingProgress,
)
from reward_agent.llm import BudgetError, LLMError, Spent
from reward_agent.messages import Key, Usage
from reward_agent.result import load_result
from reward_agent.sittings import config_of, weakest
from reward_agent.store import read_manifest, read_steps


def test_a_used_up_budget_ends_the_search_cleanly(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL | {"iterations": 3}, max_usd=0.6)
    model, told = Scripted(runs.GOOD, runs.TIMID, runs.GOOD), []
    result = agent.synthesize(config, llm=model, events=told.append, root=tmp_path, name="one")
    assert len(model.asked) == 2 and result.spent.usd == 1.0
    assert "used up" in result.reason and any(isinstance(event, Noted) for event in told)
    larger = agent.resume(tmp_path / "one", llm=model, changes={"max_usd": 10.0})
    assert len(model.asked) == 3 and larger.reason == "All 3 rounds are done."


def test_no_budget_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BudgetError):
        agent.synthesize(runs.config("x", **SMALL, max_usd=0.0), llm=Scripted(), root=tmp_path, name="one")


def test_a_failed_request_keeps_the_replies_that_came(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL | {"candidates": 2})
    with pytest.raises(LLMError, match="no luck"):
        agent.synthesize(config, llm=Scripted(runs.GOOD, LLMError("no luck")), root=tmp_path, name="one")
    assert sum(key.stage == "reply" for key in read_steps(tmp_path / "one")) == 1
    model = Scripted(runs.TIMID)
    assert agent.resume(tmp_path / "one", llm=model).trainings == 1
    assert len(model.asked) == 1


def test_what_a_resumed_run_is_told_holds_from_then_on(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    with pytest.raises(WaitingForPersonError):
        agent.synthesize(runs.config("manual", **SMALL, max_usd=3.0), root=tmp_path, name="one")
    name = runs.recording(tmp_path / "replies.jsonl", {Key(0, 0, 0): runs.GOOD})

    def die(event: Event) -> None:
        if isinstance(event, Started):
            raise KeyboardInterrupt

    for changes in ({"llm": name, "max_usd": None}, {"max_tokens": 500, "prices": (1.0, 10.0)}, {"max_tokens": 500}):
        with pytest.raises(KeyboardInterrupt):
            agent.resume(folder, changes=changes, events=die)
    with pytest.raises(UsageError, match="base URL holds a key"):
        agent.resume(folder, changes={"base_url": "http://me:pass1234word@host/v1"})
    told = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    assert [line["value"] for line in told if line["stage"] == "changes"] == [
        {"llm": name, "max_usd": None},
        {"llm": name, "max_usd": None, "max_tokens": 500, "prices": [1.0, 10.0]},
    ]
    result = agent.resume(folder)
    assert result.llm == name and result.model == "tester"
    config = config_of(read_manifest(folder), read_steps(folder))
    assert (config.max_usd, config.max_tokens, config.prices) == (None, 500, (1.0, 10.0))


def test_a_larger_budget_lasts(tmp_path: Path) -> None:
    with pytest.raises(BudgetError):
        agent.synthesize(runs.config("x", **SMALL, max_usd=0.0), llm=Scripted(), root=tmp_path, name="one")
    with pytest.raises(LLMError, match="no luck"):
        agent.resume(tmp_path / "one", llm=Scripted(LLMError("no luck")), changes={"max_usd": 0.6})
    assert agent.resume(tmp_path / "one", llm=Scripted(runs.GOOD)).spent.usd == 0.5


def test_a_request_without_a_reply_counts_when_resumed_as_well(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL, max_tokens=1_000)
    for _ in range(2):
        empty = Scripted(LLMError("no text", usage=Usage(100, 400, 2.0)))
        with pytest.raises(LLMError, match="no text"):
            if (tmp_path / "one").exists():
                agent.resume(tmp_path / "one", llm=empty)
            else:
                agent.synthesize(config, llm=empty, root=tmp_path, name="one")
    with pytest.raises(BudgetError, match="1,000 of 1,000 tokens"):
        agent.resume(tmp_path / "one", llm=Scripted())
    result = agent.resume(tmp_path / "one", llm=Scripted(runs.GOOD), changes={"max_tokens": None})
    assert result.spent == Spent(1, 100 + 200 + 0, 50 + 800, 4.5)


def test_money_without_a_price_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with Loopback() as server:
        config = runs.config("openai:m", **SMALL, max_usd=5.0, base_url=server.openai_url)
        with pytest.raises(UsageError, match=r"No price is known for openai:m.*--prices"):
            agent.synthesize(config, root=tmp_path, name="one")
        assert not server.requests
    assert not list(tmp_path.iterdir())


def test_prices_given_later_count_what_was_asked_before(tmp_path: Path) -> None:
    empty = Scripted(LLMError("no text", usage=Usage(100, 400)))
    with pytest.raises(LLMError, match="no text"):
        agent.synthesize(runs.config("x", **SMALL), llm=empty, root=tmp_path, name="one")
    with pytest.raises(BudgetError, match=r"No price is known for 1 replies so far \(500 tokens.*--prices IN OUT"):
        agent.resume(tmp_path / "one", llm=Scripted(), changes={"max_usd": 5.0})
    changes = {"max_usd": 5.0, "prices": (1.0, 10.0)}
    result = agent.resume(tmp_path / "one", llm=Scripted(runs.GOOD), changes=changes)
    assert result.spent.usd == pytest.approx(0.5 + 100e-6 + 4000e-6) and result.spent.unpriced == 0


def test_a_replayed_run_costs_nothing(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL, max_usd=0.6)
    paid = agent.synthesize(config, llm=Scripted(runs.GOOD), root=tmp_path, name="one")
    assert paid.spent.usd == 0.5
    again = replace(config, llm=f"replay:{tmp_path / 'one'}", max_usd=0.4)
    assert agent.synthesize(again, root=tmp_path, name="two").spent == Spent(replies=1)
    (tmp_path / "two/result.json").unlink()
    assert agent.resume(tmp_path / "two").spent == Spent(replies=1)


def test_a_prompt_on_disk_is_the_one_that_was_answered(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL)
    with pytest.raises(LLMError):
        agent.synthesize(config, llm=Scripted(LLMError("no luck")), root=tmp_path, name="one")
    file = tmp_path / "one/iter_00/cand_00/attempt_00/messages.json"
    file.write_text(file.read_text().replace("user", "tester"))  # as if by older templates
    model = Scripted(runs.GOOD)
    agent.resume(tmp_path / "one", llm=model)
    assert json.loads(file.read_text()) == [{"role": m.role, "text": m.text} for m in model.asked[0][1]]


def test_a_resumed_run_tells_that_the_sandbox_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = runs.config("x", **SMALL)
    with pytest.raises(LLMError):
        agent.synthesize(config, llm=Scripted(LLMError("no luck")), root=tmp_path, name="one")
    first = read_manifest(tmp_path / "one").sandbox
    told: list[Event] = []

    def sit(layers: tuple[str, ...]) -> list[str]:
        monkeypatch.setattr(agent, "_layers", lambda unsafe: layers)
        told.clear()
        with pytest.raises(LLMError):
            agent.resume(tmp_path / "one", llm=Scripted(LLMError("no luck")), events=told.append)
        (started,) = (event for event in told if isinstance(event, Started))
        assert started.layers == layers
        return [event.text for event in told if isinstance(event, Noted) and "sandbox changed" in event.text]

    assert sit(first) == []
    (said,) = sit(first[1:])
    assert f"without {first[0]}," in said
    assert sit(first[1:]) == []
    (said,) = sit(first)
    assert f"with {first[0]}," in said
    folder = tmp_path / "one"
    steps = read_steps(folder)
    assert [steps[Key(0, 0, index, "layers")] for index in (0, 1)] == [list(first[1:]), list(first)]
    result = agent.resume(folder, llm=Scripted(runs.GOOD))
    assert result.sandbox == first[1:], "the weakest of them"
    assert load_result(folder) == result
    assert f"at its weakest of: {', '.join(first[1:])}." in " ".join(result.reward.read_text().split())
    assert main(["show", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    later = [f"sandbox after a resume: {', '.join(layers)}" for layers in (first[1:], first)]
    assert lines[2:5] == [f"sandbox: {', '.join(first)}", *later]


def test_the_weakest_sandbox_is_what_every_sitting_had() -> None:
    full, alone = ("bubblewrap", "landlock 6", "seccomp"), ("landlock 3", "seccomp", "watchdog")
    assert weakest((full,)) == full
    assert weakest((full, alone)) == weakest((alone, full)) == ("landlock 3", "seccomp")
    assert weakest((full, ("unsafe",))) == ()


def test_a_replay_goes_on_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    name = runs.recording(Path("replies.jsonl"), {Key(0, 0, 0): runs.GOOD})
    assert name == "replay:replies.jsonl"

    def stop(event: Event) -> None:
        if isinstance(event, Started):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        agent.synthesize(runs.config(name, **SMALL), events=stop, root=tmp_path, name="one")
    monkeypatch.chdir(elsewhere)
    assert agent.resume(tmp_path / "one").llm == f"replay:{tmp_path / 'replies.jsonl'}"
    shipped = with_whole_paths(runs.config("replay:mujoco/hopper-forward"))
    assert shipped.llm == "replay:mujoco/hopper-forward", "a name, not a file"


def test_waiting_for_a_person_leaves_a_run_to_resume(tmp_path: Path) -> None:
    config = runs.config("manual:someone", **SMALL)
    with pytest.raises(WaitingForPersonError) as waiting:
        agent.synthesize(config, root=tmp_path, name="one")
    attempt = tmp_path / "one/iter_00/cand_00/attempt_00"
    assert str(attempt / "reply.md") in str(waiting.value)
    (attempt / "reply.md").write_text(f"```python\n{runs.GOOD}\n```")
    assert agent.resume(tmp_path / "one").model == "someone"


def test_ctrl_c_saves_and_tells_how_to_go_on(tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, TrainingProgress):
            raise KeyboardInterrupt

    config = runs.config("x", **SMALL | {"budget": 16_384})
    with pytest.raises(InterruptedRunError, match=f"resume {tmp_path / 'one'}` goes on"):
        agent.synthesize(config, llm=Scripted(runs.GOOD), events=interrupt, root=tmp_path, name="one")
    assert (tmp_path / "one/iter_00/cand_00/training/training.safetensors").exists()
    steps: list[int] = []
    agent.resume(
        tmp_path / "one",
        llm=Scripted(),
        events=lambda e: steps.append(e.steps) if isinstance(e, TrainingProgress) else None,
    )
    assert steps[0] > 512, "the training went on from its checkpoint"
