"""One verdict: twenty programs for the hopper, and the shape that `check --json` prints."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pointmass import EXPERT
from pointmass import task as tiny

from reward_agent.envs.registry import find_task
from reward_agent.probe import Battery, record_battery
from reward_agent.program import Program
from reward_agent.vet import Verdict, vet

PROGRAMS = Path(__file__).parent / "programs"
EXPECTED: dict[str, dict[str, dict[str, Any]]] = json.loads((PROGRAMS / "expected.json").read_text())
HOPPER = find_task("mujoco/hopper-forward")


@pytest.fixture(scope="module")
def battery() -> Battery:
    return record_battery(HOPPER)


def judge(kind: str, name: str, battery: Battery) -> Verdict:
    return vet(Program((PROGRAMS / kind / f"{name}.py").read_text()), HOPPER, battery=battery)


def test_the_table_is_whole() -> None:
    for kind, rows in EXPECTED.items():
        assert {path.stem for path in (PROGRAMS / kind).glob("*.py")} == rows.keys()
        assert len(rows) == 10


@pytest.mark.parametrize("name", EXPECTED["good"])
def test_good_programs(name: str, battery: Battery) -> None:
    verdict = judge("good", name, battery)
    assert verdict.faults == ()
    assert verdict.portable is EXPECTED["good"][name]["portable"]
    assert verdict.term_names
    assert verdict.fields


@pytest.mark.parametrize("name", EXPECTED["broken"])
def test_broken_programs(name: str, battery: Battery) -> None:
    verdict = judge("broken", name, battery)
    assert not verdict.ok
    assert verdict.faults[0].stage == EXPECTED["broken"][name]["stage"]
    assert verdict.faults[0].line == EXPECTED["broken"][name]["line"]


def test_json_has_exactly_the_shape_of_the_command() -> None:
    good = vet(Program(EXPERT), tiny).to_json()
    assert good == {"ok": True, "faults": [], "warnings": good["warnings"], "portable": True}
    broken = vet(Program("x = 1"), tiny).to_json()
    assert broken.keys() == good.keys()
    assert broken["ok"] is False
    (fault,) = broken["faults"]
    assert fault == {"stage": "check", "message": fault["message"], "line": None}
    json.dumps(good), json.dumps(broken)


def test_a_verdict_knows_what_training_needs() -> None:
    source = EXPERT.replace("effort = -0.01", "effort = -0.01 * next_state.episode.time")
    verdict = vet(Program(source), tiny)
    assert verdict.reads_time
    assert verdict.term_names == ("near", "effort")
    assert verdict.fields == ("point.position", "goal.position", "episode.time")
    assert "unsafe" not in verdict.layers


def test_hidden_fields_do_not_exist_for_a_reward() -> None:
    verdict = vet(Program(EXPERT.replace("next_state.point.position", "next_state.secret.reached")), tiny)
    assert "`next_state.secret` is not a field" in verdict.faults[0].message
    assert "secret" not in verdict.faults[0].message.replace("`next_state.secret`", "")


def test_a_sum_of_terms_that_do_not_fit_says_what_each_was() -> None:
    source = """
import numpy as np

def compute_reward(state, action, next_state):
    terms = {"near": -np.abs(next_state.point.position), "wide": np.tile(action, (1, 3))}
    return sum(terms.values()), terms
"""
    (fault,) = vet(Program(source), tiny).faults
    assert fault.line == 6 and re.search(
        r"Each term must be \(N,\); here: near \(\d+,\), wide \(\d+, 3\)", fault.message
    )


@pytest.mark.parametrize(
    ("read", "hint"),
    [
        ("parts['point'].positon", "next_state.point has no 'positon'. Did you mean 'position'?"),
        ("np.abs(next_state.point)", "fields: position, velocity, moving"),
    ],
)
def test_the_closest_field_is_named_where_the_check_cannot_follow(read: str, hint: str) -> None:
    source = EXPERT.replace("    near =", f"    parts = {{'point': next_state.point}}\n    seen = {read}\n    near =")
    (fault,) = vet(Program(source), tiny).faults
    assert (fault.stage, fault.line) == ("probe", 8)
    assert hint in fault.message


@pytest.mark.parametrize("name", [name for name, row in EXPECTED["good"].items() if row["portable"]])
def test_portable_programs_give_the_same_on_torch(name: str, battery: Battery) -> None:
    """The same text, with `np` the Array API's view of torch."""
    import array_api_compat.torch as xp
    import torch

    from reward_agent.sandbox.helpers import HELPERS

    source = (PROGRAMS / "good" / f"{name}.py").read_text()
    constants = battery.schema.constants_view()

    def run(namespace: Any, array: Any) -> tuple[Any, dict[str, Any]]:
        space = {**HELPERS, "constants": constants, "np": namespace}
        exec(re.sub(r"^import numpy as np$", "", source, flags=re.MULTILINE), space)

        def convert(view: SimpleNamespace) -> SimpleNamespace:
            return SimpleNamespace(
                **{k: convert(v) if isinstance(v, SimpleNamespace) else array(v) for k, v in vars(view).items()}
            )

        views = [convert(battery.schema.view(packed.copy())) for packed in (battery.state, battery.next_state)]
        return space["compute_reward"](views[0], array(battery.action.copy()), views[1])

    total, terms = run(np, np.asarray)
    other, others = run(xp, torch.asarray)
    np.testing.assert_allclose(other.numpy(), total, rtol=1e-6, atol=1e-6)
    assert others.keys() == terms.keys()
