"""An optimiser is added by one file and its name: settings, presets and policy are its own, the rest serves it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optimisation import NearSource
from pointmass import EXPERT, pointmass_task
from test_trial import TASK, go_on

from reward_agent.cli import main
from reward_agent.errors import UsageError
from reward_agent.optimise import Optimised, Progress, find_optimiser
from reward_agent.optimise.presets import TASK_CLASSES, Preset, choose
from reward_agent.plugins import JUDGES, METHODS, OPTIMISERS, PROVIDERS
from reward_agent.program import Program
from reward_agent.scoring import SeedPlan, no_op, roll_out
from reward_agent.trial import Trained, TrialSpec, run_trial

FORGETFUL = f"forgetful = {__name__}:without_checkpoints"


def without_checkpoints(*args: Any, checkpoint: Path | None = None, **options: Any) -> Optimised:
    """An optimiser that cannot go on from where it was."""
    from a2c import optimise

    return optimise(*args, **options)


@pytest.fixture
def a2c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution that declares `tests/a2c.py`."""
    facts = tmp_path / "site" / "a2c-1.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: a2c\nVersion: 1\n")
    (facts / "entry_points.txt").write_text(f"[{OPTIMISERS.group}]\na2c = a2c:optimise\n{FORGETFUL}\n")
    monkeypatch.syspath_prepend(facts.parent)


@pytest.mark.usefixtures("a2c")
def test_it_trains_and_goes_on_bit_for_bit(tmp_path: Path) -> None:
    optimise, task = find_optimiser("a2c"), pointmass_task()
    done = optimise(task, NearSource(), 20_000, 0)
    seeds = SeedPlan.select_seeds(0, 20)
    scores = roll_out(task, done.policy, seeds)
    assert scores["closeness"].mean() > roll_out(task, no_op(task), seeds)["closeness"].mean() + 0.3
    answers = iter([False] * 70 + [True])
    part = optimise(task, NearSource(), 20_000, 0, checkpoint=tmp_path / "kept", stop=lambda: next(answers))
    rest = optimise(task, NearSource(), 20_000, 0, checkpoint=tmp_path / "kept")
    assert part.steps < rest.steps == done.steps
    for one, other in zip(rest.policy.weights, done.policy.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("a2c")
def test_one_without_checkpoints_trains_once_and_is_measured_on_the_way(tmp_path: Path) -> None:
    seeds = tuple(int(seed) for seed in SeedPlan.select_seeds(0, 8))
    spec = TrialSpec(
        task=TASK,
        program=Program(EXPERT),
        budget=6_400,
        seed=0,
        folder=tmp_path / "whole",
        optimiser="forgetful",
        measured_at=(1_000, 3_200),
        select_seeds=seeds,
    )
    told: list[Progress] = []
    result = run_trial(spec, told.append, go_on)
    assert isinstance(result, Trained)
    assert [at.steps for at in told] == [128 * (i + 1) for i in range(50)]
    assert result.outcome.steps == 6_400
    # measured at the first boundary that is not before the point: as far as a training of just so many steps
    part = run_trial(replace(spec, folder=tmp_path / "part", budget=1_024, measured_at=()), told.append, go_on)
    assert isinstance(part, Trained)
    assert len(result.outcome.task_score) == 3
    assert result.outcome.task_score[0] == pytest.approx(part.outcome.task_score[-1])


@pytest.mark.usefixtures("a2c")
def test_its_settings_and_presets_are_its_own() -> None:
    from a2c import PRESETS, A2CSettings

    assert choose(PRESETS, "swim", {"rollout": 4}) == A2CSettings(discount=0.9999, rollout=4)
    assert choose(PRESETS, "locomotion") == A2CSettings(), "a class it has no preset for"
    own = {**PRESETS, "grasping": Preset(A2CSettings(rollout=3), "")}
    assert choose(own, "grasping").rollout == 3
    with pytest.raises(UsageError, match="Did you mean 'locomotion'"):
        choose(PRESETS, "locomoton")
    with pytest.raises(UsageError, match="no setting named 'clip_range'"):
        find_optimiser("a2c")(pointmass_task(), NearSource(), 1, 0, settings={"clip_range": 0.2})
    with pytest.raises(UsageError, match="'rollout' must be at least 1, not 0"):
        choose(PRESETS, "swim", {"rollout": 0})


@pytest.mark.usefixtures("a2c")
@pytest.mark.parametrize("command", ["run", "eval"])
def test_help_names_it(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "a2c, forgetful, mpc, ppo, recurrent_ppo or sac (the task's own; mostly ppo)" in re.sub(
        r"\s+", " ", capsys.readouterr().out
    )


def test_names_are_those_that_can_be_found() -> None:
    from reward_agent.llm import providers
    from reward_agent.methods import find_method

    assert OPTIMISERS.names() == ("mpc", "ppo", "recurrent_ppo", "sac")
    assert PROVIDERS.names() == tuple(providers()) == ("anthropic", "litellm", "manual", "none", "openai", "replay")
    assert METHODS.names() == (
        "calm",
        "code_as_policies",
        "eureka",
        "given",
        "icpl",
        "l2r",
        "l2r_coder",
        "oni",
        "text2reward",
    )
    assert JUDGES.names() == ("factors", "metric", "page", "terminal", "vlm")
    assert all(find_method(name) for name in METHODS.names())
    assert replace(METHODS, group="no.such.group", package="reward_agent.nothing").names() == ()


@pytest.mark.parametrize("name", ["ppo", "sac"])
def test_a_shipped_optimiser_has_a_preset_for_every_class_of_tasks(name: str) -> None:
    from reward_agent.optimise import ppo, sac

    presets = {"ppo": ppo.PRESETS, "sac": sac.PRESETS}[name]
    assert presets.keys() >= TASK_CLASSES.keys()
    assert all(preset.origin for preset in presets.values())
    if name == "sac":
        unmeasured = [presets[task_class] for task_class in TASK_CLASSES.keys() - {"tabletop"}]
        assert all("not tuned for this class" in preset.origin for preset in unmeasured)
