"""A run that replays a session takes from it what was left open, and is never told as another method's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reward_agent.config import RunConfig
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
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
