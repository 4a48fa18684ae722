"""Which settings a training has: preset and changes by name, told before it starts, and part of what it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pointmass
import pytest
import runs_for_tests as runs
from pointmass import EXPERT, pointmass_task

from reward_agent import agent
from reward_agent.api import evaluate
from reward_agent.checked import read
from reward_agent.cli import main
from reward_agent.cli.results import describe_plan
from reward_agent.codec import encode
from reward_agent.errors import UsageError
from reward_agent.messages import Key
from reward_agent.optimise import ppo
from reward_agent.optimise.choice import choose_training, read_changes
from reward_agent.plan import known_rate, make_plan
from reward_agent.program import Program
from reward_agent.store import read_manifest

TASK = f"{pointmass.__file__}:task"


def test_texts_are_read_as_the_settings_own_types() -> None:
    words = ["learning_rate=1e-3", "epochs=1e1", "hidden=256,128", "normalise_reward=no", " activation = relu "]
    read_values = read(ppo.PPOSettings(), words)
    assert read_values == {
        "learning_rate": 1e-3,
        "epochs": 10,
        "hidden": (256, 128),
        "normalise_reward": False,
        "activation": "relu",
    }
    assert [type(value) for value in read_values.values()] == [float, int, tuple, bool, str]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["learning_rat=1"], "Did you mean 'learning_rate'"),
        (["learning_rate"], "write NAME=VALUE"),
        (["learning_rate=fast"], r"'learning_rate' wants a number \(above 0\), not 'fast'"),
        (["epochs=1.5"], r"'epochs' wants a whole number \(at least 1\), not '1.5'"),
        (["epochs=inf"], "'epochs' wants a whole number"),
        (["hidden=64;64"], r"'hidden' wants whole numbers with commas between \(at least 1\)"),
        (["normalise_reward=maybe"], "'normalise_reward' wants true or false, not 'maybe'"),
        (["discount=1.5"], "'discount' must be at least 0 and at most 1, not 1.5"),
        (["activation=gelu"], "'activation' must be tanh or relu"),
        (["epochs=3", "epochs=4"], "'epochs' is set twice"),
    ],
)
def test_a_text_that_sets_nothing_is_told_why(words: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_changes("ppo", words)


def test_the_preset_is_the_tasks_own_unless_another_is_named() -> None:
    task = replace(pointmass_task(), preset="swim")
    assert choose_training(task, "ppo").settings == ppo.PRESETS["swim"].settings
    chosen = choose_training(task, "ppo", "text2reward-maniskill", {"epochs": 2})
    assert chosen.settings == replace(ppo.PRESETS["text2reward-maniskill"].settings, epochs=2)
    assert str(chosen) == "ppo, preset text2reward-maniskill with epochs=2"
    assert str(choose_training(task, "sac")) == "sac, preset swim"
    with pytest.raises(UsageError, match="Did you mean 'locomotion'"):
        choose_training(task, "ppo", "locomoton")
    with pytest.raises(UsageError, match=r"no preset of ppo named 'text2reward-metaworld'.*add `--optimiser sac`"):
        choose_training(task, "ppo", "text2reward-metaworld")
    with pytest.raises(UsageError, match="Did you mean 'ppo'"):
        choose_training(task, "pppo")


@pytest.fixture
def model(tmp_path: Path) -> str:
    return runs.recording(tmp_path / "replies.jsonl", {Key(0, 0, 0): EXPERT})


def test_plan_and_run_tell_what_is_trained_with(model: str, tmp_path: Path) -> None:
    small = {"iterations": 1, "candidates": 1, "budget": 16_384, "final_seeds": 1}
    config = runs.config(model, preset="locomotion", settings={"hidden": (8, 8)}, **small)
    plan = make_plan(config, task=pointmass_task(), root=tmp_path, measure=False)
    assert "each by    ppo, preset locomotion with hidden=8,8" in describe_plan(plan, config)
    agent.synthesize(config, root=tmp_path, name="one")
    kept = read_manifest(tmp_path / "one").config
    assert (kept["preset"], kept["settings"]) == ("locomotion", {"hidden": [8, 8]})
    assert known_rate(tmp_path, config, pointmass_task())
    for other in ({"preset": "swim"}, {"preset": None}, {"settings": {}}):
        assert known_rate(tmp_path, replace(config, **other), pointmass_task()) is None, other
    own = replace(config, preset=None, settings={})
    agent.synthesize(own, root=tmp_path, name="two")
    assert read_manifest(tmp_path / "two").config["preset"] == "default", "the task's own, by its name"
    assert known_rate(tmp_path, own, pointmass_task()) == known_rate(
        tmp_path, replace(own, preset="default"), pointmass_task()
    )


def test_a_run_is_refused_before_anything_is_made(model: str, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    for wrong, told in (
        ({"preset": "swin"}, "Did you mean 'swim'"),
        ({"settings": {"discount": 2.0}}, "'discount' must be"),
        ({"optimiser": "spo"}, "no optimiser named 'spo'"),
    ):
        with pytest.raises(UsageError, match=told):
            agent.synthesize(runs.config(model, **wrong), root=root)
    assert not root.exists()


def test_another_preset_is_another_evaluation(tmp_path: Path) -> None:
    given: dict[str, Any] = {"budget": 512, "episodes": 2, "folder": tmp_path, "jobs": 1}
    settings = {"num_envs": 8, "rollout": 32, "batch_size": 128, "hidden": (8, 8)}
    found = [
        evaluate(Program(EXPERT), TASK, preset=preset, settings=settings, **given)
        for preset in (None, "default", "locomotion", "swim")
    ]
    folders = [each.policies[0].parent for each in found]
    assert folders[0] == folders[1] and len(set(folders)) == 3
    assert found[2].choice.settings == replace(ppo.PRESETS["locomotion"].settings, **settings)
    kept = json.loads((folders[3] / "seed_00" / "eval.json").read_text())
    assert kept["preset"] == "swim" and kept["settings"] == encode(settings)


def test_the_command_line_takes_preset_and_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "reward.py").write_text(EXPERT)
    words = ["eval", str(tmp_path / "reward.py"), "--task", TASK, "--budget", "512", "--seeds", "1", "--episodes", "2"]
    words += ["--preset", "locomotion", "--set", "num_envs=8", "--set", "hidden=8,8", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["preset"] == "locomotion" and told["settings"] == {"num_envs": 8, "hidden": [8, 8]}
    assert main([*words, "--set", "hiden=8"]) == 2
    assert "Did you mean 'hidden'" in capsys.readouterr().err
    assert main(["run", TASK, "--preset", "locomoton", "--llm", "manual", "--out", str(tmp_path / "runs")]) == 2
    assert "Did you mean 'locomotion'" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
