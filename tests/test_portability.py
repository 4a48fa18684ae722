"""Which programs keep to the Python Array API."""

from __future__ import annotations

import pytest
from checked import report, term

from reward_agent.portability import STANDARD


@pytest.mark.parametrize(
    ("expression", "portable"),
    [
        ("np.exp(-np.sum(action**2, axis=-1))", True),
        ("(action**2).sum(-1)", True),
        ("gaussian(norm(action))", True),
        ("np.linalg.vector_norm(action, axis=-1)", True),
        ("np.linalg.norm(action, axis=-1)", False),
        ("action.mean(-1)", False),
        ("action.copy()[:, 0]", False),
        ("np.einsum('ij,ij->i', action, action)", False),
        ("action[:, [0, 1]][:, 0]", False),
    ],
)
def test_portable(expression: str, portable: bool) -> None:
    found = term(expression)
    assert found.faults == ()
    assert found.portable is portable
    assert bool(found.unportable) is not portable


def test_in_place_writes_are_not_portable() -> None:
    found = report("x = action[:, 0] + 0.0\nx[x < 0] = 0.0\nreturn x, {'x': x}")
    assert (found.faults, found.portable) == ((), False)
    assert found.unportable == ("an in-place write (line 4)",)


def test_the_standard_names_are_those_of_the_standard() -> None:
    strict = pytest.importorskip("array_api_strict")
    for name in STANDARD:
        place = strict.linalg if name.startswith("linalg.") else strict
        assert hasattr(place, name.removeprefix("linalg.")), name
