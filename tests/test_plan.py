"""The speed that a plan goes by is that of learning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pointmass
import pytest

from reward_agent import plan
from reward_agent.optimise import Progress
from reward_agent.program import Program
from reward_agent.trial import TrialSpec


def test_the_speed_is_that_of_learning_not_of_random_actions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Progress] = []
    run_trial = plan.run_trial

    def watched(spec: TrialSpec, progress: Callable[[Progress], None], stop: Callable[[], bool]) -> object:
        def told(at: Progress) -> None:
            seen.append(at)
            progress(at)

        return run_trial(spec, told, stop)

    monkeypatch.setattr(plan, "run_trial", watched)
    monkeypatch.setattr(plan, "MEASURING_SECONDS", 0.3)
    settings = {"num_envs": 4, "gradient_steps": 4, "batch_size": 64, "hidden": (32, 32), "boundary": 40}
    spec = TrialSpec(
        task=f"{pointmass.__file__}:task",
        program=Program(pointmass.EXPERT),
        budget=1_000_000_000,
        seed=0,
        folder=tmp_path / "late",
        optimiser="sac",
        settings={**settings, "buffer_size": 20_000, "learning_starts": 6_000},
    )
    rate = plan.measure(spec, lambda _: None, lambda: False)
    assert isinstance(rate, float)
    assert not seen[0].learning and seen[-1].learning
    assert rate < 0.5 * seen[-1].steps_per_second, "the training as a whole, random steps included, was faster"
