"""How one reward differs from another, term by term."""

from __future__ import annotations

from pathlib import Path

import pytest

from reward_agent.program import Program
from reward_agent.term_changes import definitions, term_changes

BEFORE = """
import numpy as np

def compute_reward(state, action, next_state):
    speed = next_state.torso.linear_velocity[:, 0]
    upright = np.exp(-speed)
    terms = {"forward": speed, "upright": 0.5 * upright, "effort": -1e-3 * (action**2).sum(-1)}
    return sum(terms.values()), terms
"""


def changed(*pairs: tuple[str, str]) -> Program:
    source = BEFORE
    for old, new in pairs:
        assert old in source
        source = source.replace(old, new)
    return Program(source)


def test_a_term_is_told_with_all_that_it_is_made_by() -> None:
    found = definitions(BEFORE)
    assert found is not None
    assert found["forward"].splitlines() == ["speed = next_state.torso.linear_velocity[:, 0]", "speed"]
    assert len(found["upright"].splitlines()) == 3
    assert found["effort"] == "-0.001 * (action ** 2).sum(-1)"


def test_only_what_is_defined_otherwise_is_told() -> None:
    changes = term_changes(Program(BEFORE), changed(("-1e-3", "-2e-3"), ('"upright": 0.5 * upright, ', "")))
    assert len(changes) == 2
    assert changes[0].startswith("`effort` was") and "-0.002" in changes[0]
    assert changes[1].startswith("`upright` was dropped")


def test_a_change_of_what_terms_share_is_one_of_each() -> None:
    changes = term_changes(Program(BEFORE), changed(("[:, 0]", "[:, 1]")))
    assert [change.split("`")[1] for change in changes] == ["forward", "upright"]


def test_text_that_means_the_same_is_no_change() -> None:
    assert term_changes(Program(BEFORE), changed(("0.5 * upright", "0.50*(upright)"))) == []


@pytest.mark.parametrize(
    "body",
    [
        "    terms = {}\n    terms['near'] = state.x\n    return sum(terms.values()), terms",
        "    return state.x, {'near': state.x}",
        "    terms: dict = {'near': state.x}\n    total = sum(terms.values())\n    return total, terms",
    ],
)
def test_the_ways_of_writing_terms(body: str) -> None:
    found = definitions(f"def compute_reward(state, action, next_state):\n{body}\n")
    assert found is not None and list(found) == ["near"] and found["near"].endswith("state.x")


def test_terms_that_cannot_be_told_apart_are_compared_line_by_line() -> None:
    old = "def compute_reward(s, a, n):\n    terms = make(s)\n    return sum(terms.values()), terms\n"
    (only,) = term_changes(Program(old), Program(old.replace("make", "create")))
    assert "-    terms = make(s)" in only and "+    terms = create(s)" in only


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import numpy as np\n", "import numpy as np\nSCALE = 5.0\n"),
        ("    terms = {", "    speed[speed < 0.5] = 0\n    terms = {"),
        ("    return sum", "    terms.update(more=speed)\n    return sum"),
        ("    return sum", "    terms['forward'] *= 9\n    return sum"),
        ("    return sum", "    terms |= {'more': speed}\n    return sum"),
    ],
)
def test_what_changes_beside_the_definitions_of_terms_is_never_told_as_no_change(before: str, after: str) -> None:
    assert "+" in "".join(term_changes(Program(BEFORE), changed((before, after))))


def test_a_docstring_is_no_change() -> None:
    told = changed(("    speed =", '    """Run."""\n    speed ='))
    assert term_changes(Program(BEFORE), told) == []


def test_every_shipped_expert_has_terms_that_can_be_told() -> None:
    experts = sorted((Path(__file__).parent.parent / "envs").glob("mujoco/experts/*.py"))
    told = [path.name for path in experts if "def compute_reward" in path.read_text() and definitions(path.read_text())]
    assert len(told) > 10
