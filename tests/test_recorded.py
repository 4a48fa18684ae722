"""A run that replays a session takes from it what was left open, and is never told as another method's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reward_agent.agent import prepare
from reward_agent.chat import ChatSettings, start
from reward_agent.chat.settings import ROUNDS
from reward_agent.config import RunConfig
from reward_agent.envs.registry import find_task, recordings
from reward_agent.errors import UsageError
from reward_agent.left_open import OPEN as EVERYTHING_OPEN
from reward_agent.llm.recordings import find_recording, read_recording
from reward_agent.recorded import OPEN, recorded_method, settle

HOPPER = "mujoco/hopper-forward"


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def recording_of(config: RunConfig) -> str:
    assert config.llm is not None
    return recorded_method(read_recording(find_recording(config.llm.removeprefix("replay:"))))


def test_without_a_key_the_shipped_session_is_replayed_as_it_was_recorded() -> None:
    settled = settle(RunConfig(task=HOPPER), find_task(HOPPER), OPEN)
    assert recording_of(settled) == settled.method == "eureka"
    assert (settled.iterations, settled.candidates) == (3, 2)


def test_a_named_method_is_replayed_from_a_session_of_its_own() -> None:
    settled = settle(RunConfig(task=HOPPER, method="text2reward"), find_task(HOPPER), ("iterations", "candidates"))
    assert recording_of(settled) == settled.method == "text2reward"
    assert settled.candidates == 1


SEVERAL = "quadruped/spin"
"""Ships sessions of three methods, in the order of whose names a baseline comes first."""


def test_of_several_methods_the_one_that_a_run_would_take_is_replayed() -> None:
    task = find_task(SEVERAL)
    assert next(iter(recordings(SEVERAL))) == "code_as_policies"
    settled = settle(RunConfig(task=SEVERAL), task, OPEN)
    assert recording_of(settled) == settled.method == "l2r", "none is of eureka: the one that suits the task"
    for method in ("l2r_coder", "code_as_policies"):
        settled = settle(RunConfig(task=SEVERAL, method=method), task, OPEN)
        assert recording_of(settled) == settled.method == method
    assert prepare(RunConfig(task=SEVERAL), left_open=EVERYTHING_OPEN).config.method == "l2r"


@pytest.mark.parametrize("task", [SEVERAL, HOPPER])
def test_a_chat_without_a_key_replays_the_method_it_would_take_with_one(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RunConfig(task, iterations=ROUNDS, candidates=1, jobs=1)
    looks = ChatSettings(look="none")
    with start(config, looks, root=tmp_path, name="without", left_open=["method"]) as session:
        without = session.method.name
        assert recording_of(session.config) == without
    monkeypatch.setenv("ANTHROPIC_API_KEY", "unused")
    with start(replace(config, llm="anthropic:m"), looks, root=tmp_path, name="with", left_open=["method"]) as session:
        assert session.method.name == without


def test_a_method_that_ships_nowhere_gives_way_where_it_was_left_open() -> None:
    found = find_task("mujoco/hopper-front-flip")
    assert list(recordings(found.id)) == ["text2reward"]
    assert settle(RunConfig(task=found.id), found, OPEN).method == "text2reward"
    with pytest.raises(UsageError, match="recorded with another method than eureka"):
        settle(RunConfig(task=found.id), found, ("iterations",))


def test_what_was_chosen_stays() -> None:
    settled = settle(RunConfig(task=HOPPER, iterations=1), find_task(HOPPER), ("method", "candidates"))
    assert settled.iterations == 1


def test_another_methods_replies_are_refused() -> None:
    config = RunConfig(task=HOPPER, method="text2reward", llm=f"replay:{HOPPER}/eureka")
    with pytest.raises(UsageError, match=r"recorded with the method eureka.*--method eureka"):
        settle(config, find_task(HOPPER))
    assert settle(config, find_task(HOPPER), ("method",)).method == "eureka"


def test_a_copied_card_with_another_instruction_is_not_given_the_shipped_session() -> None:
    copy = replace(find_task(HOPPER), instruction="hop slowly")
    with pytest.raises(UsageError, match="ships no recorded session"):
        settle(RunConfig(task="mine/slow.py"), copy, OPEN)


def test_a_wrong_method_is_told_as_such() -> None:
    with pytest.raises(UsageError, match=r"no method named 'eurekka'.*eureka"):
        settle(RunConfig(task=HOPPER, method="eurekka"), find_task(HOPPER))


def test_the_run_keeps_the_whole_name_of_its_task() -> None:
    assert settle(RunConfig(task="hopper-forward"), find_task("hopper-forward"), OPEN).task == HOPPER


def test_no_model_to_ask_is_told_with_what_mends_it() -> None:
    with pytest.raises(UsageError, match=r"ships no recorded session.*--llm manual"):
        settle(RunConfig(task="mujoco/pusher-push"), find_task("mujoco/pusher-push"), OPEN)
