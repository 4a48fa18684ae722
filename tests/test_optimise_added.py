"""An optimiser is added by one file and its name: settings, presets and policy are its own, the rest serves it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from optimisation import NearSource
from pointmass import pointmass_task

from reward_agent.cli import main
from reward_agent.errors import UsageError
from reward_agent.optimise import find_optimiser
from reward_agent.optimise.presets import TASK_CLASSES, Preset, choose
from reward_agent.plugins import METHODS, OPTIMISERS, PROVIDERS
from reward_agent.scoring import SeedPlan, no_op, roll_out


@pytest.fixture
def a2c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution that declares `tests/a2c.py`."""
    facts = tmp_path / "site" / "a2c-1.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: a2c\nVersion: 1\n")
    (facts / "entry_points.txt").write_text(f"[{OPTIMISERS.group}]\na2c = a2c:optimise\n")
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


@pytest.mark.usefixtures("a2c")
@pytest.mark.parametrize("command", ["run", "eval"])
def test_help_names_it(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "a2c, ppo or sac (ppo)" in re.sub(r"\s+", " ", capsys.readouterr().out)


def test_names_are_those_that_can_be_found() -> None:
    from reward_agent.llm import providers
    from reward_agent.methods import find_method

    assert OPTIMISERS.names() == ("ppo", "sac")
    assert PROVIDERS.names() == tuple(providers()) == ("anthropic", "litellm", "manual", "openai", "replay")
    assert METHODS.names() == ("eureka", "text2reward")
    assert all(find_method(name) for name in METHODS.names())
    assert replace(METHODS, group="no.such.group", package="reward_agent.nothing").names() == ()


@pytest.mark.parametrize("name", ["ppo", "sac"])
def test_a_shipped_optimiser_has_a_preset_for_every_class_of_tasks(name: str) -> None:
    from reward_agent.optimise import ppo, sac

    presets = {"ppo": ppo.PRESETS, "sac": sac.PRESETS}[name]
    assert presets.keys() == TASK_CLASSES.keys()
    assert all(preset.origin for preset in presets.values())
