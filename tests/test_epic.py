"""EPIC by its definition: blind to shaping, scale and shift, and right where theory gives a number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from reward_agent.epic import Distance, Draws, Reward, canonical, pearson
from reward_agent.schema import Array

DISCOUNT = 0.9


class Case:
    """Transitions whose states, actions and next states are drawn apart, and rewards of them."""

    def __init__(self, rows: int = 4_000, draws: int = 128) -> None:
        generator = np.random.default_rng(0)
        self.state, self.next_state = generator.normal(size=(2, rows, 2))
        self.action = generator.uniform(-1, 1, (rows, 1))
        self.draws = Draws.of(self.state, self.action, draws, generator)

    def distance(self, first: Reward, second: Reward, discount: float = DISCOUNT) -> Distance:
        forms = (canonical(r, self.state, self.action, self.next_state, self.draws, discount) for r in (first, second))
        return pearson(*forms, np.random.default_rng(1))

    def direct(self, first: Reward, second: Reward) -> Distance:
        values = (reward(self.state, self.action, self.next_state) for reward in (first, second))
        return pearson(*values, np.random.default_rng(1))


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


def goal(state: Array, action: Array, next_state: Array) -> Array:
    """Not additive in what it reads, so that nothing cancels by luck."""
    return np.exp(-np.abs(next_state[:, 0])) * (1.0 + 0.3 * action[:, 0]) - 0.1 * state[:, 1] * next_state[:, 0]


def other(state: Array, action: Array, next_state: Array) -> Array:
    return np.sin(3.0 * next_state[:, 1]) + 0.2 * state[:, 0]


def shaped(reward: Reward, potential: Callable[[Array], Array], discount: float) -> Reward:
    return lambda s, a, t: reward(s, a, t) + discount * potential(t) - potential(s)


def hill(state: Array) -> Array:
    return 5.0 * state[:, 0] ** 2 + state[:, 1]


def test_the_canonical_form_is_that_of_the_definition() -> None:
    small = Case(rows=3, draws=4)
    found = canonical(goal, small.state, small.action, small.next_state, small.draws, DISCOUNT)
    drawn = list(zip(small.draws.state, small.draws.action, small.draws.next_state, strict=True))

    def one(s: Array, a: Array, t: Array) -> float:
        return float(goal(s[None], a[None], t[None])[0])

    for row in range(3):
        s, a, t = small.state[row], small.action[row], small.next_state[row]
        expected = one(s, a, t) + DISCOUNT * np.mean([one(t, b, u) for _, b, u in drawn])
        expected -= np.mean([one(s, b, u) for _, b, u in drawn]) + DISCOUNT * np.mean([one(*each) for each in drawn])
        assert found[row] == pytest.approx(expected, abs=1e-12)


def test_many_rows_go_in_parts(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = canonical(goal, case.state[:100], case.action[:100], case.next_state[:100], case.draws, DISCOUNT)
    monkeypatch.setattr("reward_agent.epic.ROWS", 300)
    parts = canonical(goal, case.state[:100], case.action[:100], case.next_state[:100], case.draws, DISCOUNT)
    np.testing.assert_allclose(parts, whole, atol=1e-12)


def test_shaping_scale_and_shift_are_no_distance(case: Case) -> None:
    for same in (
        goal,
        lambda s, a, t: 1e4 * goal(s, a, t) - 7.0,
        shaped(goal, hill, DISCOUNT),
        lambda s, a, t: 0.01 * shaped(goal, hill, DISCOUNT)(s, a, t) + 3.0,
    ):
        assert case.distance(goal, same).value < 1e-6
    # rewards as they are do tell shaping, and so does shaping by another discount
    assert case.direct(goal, shaped(goal, hill, DISCOUNT)).value > 0.5
    assert case.distance(goal, shaped(goal, hill, 0.5)).value > 0.2


def test_unrelated_and_opposite_rewards(case: Case) -> None:
    found = case.distance(goal, other)
    assert found.value == pytest.approx(1 / np.sqrt(2), abs=0.03)
    assert found.low < found.value < found.high < found.low + 0.1
    assert case.distance(goal, lambda s, a, t: -2.0 * goal(s, a, t)).value == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("noise", [0.1, 1.0, 10.0])
def test_noise_puts_rewards_as_far_apart_as_it_must(case: Case, noise: float) -> None:
    # of what the next state and the action give apart, the canonical form is the same but for a constant
    def near(s: Array, a: Array, t: Array) -> Array:
        return t[:, 0]

    def noisy(s: Array, a: Array, t: Array) -> Array:
        return t[:, 0] + noise * a[:, 0]

    correlation = 1 / np.sqrt(1 + noise**2 / 3)  # of variances 1 and a third
    found = case.distance(near, noisy)
    assert found.value == pytest.approx(np.sqrt((1 - correlation) / 2), abs=0.01)
    assert found.low - 0.01 < np.sqrt((1 - correlation) / 2) < found.high + 0.01


def test_it_is_a_pseudometric(case: Case) -> None:
    def mixed(weight: float) -> Reward:
        return lambda s, a, t: weight * goal(s, a, t) + (1 - weight) * other(s, a, t)

    rewards = [mixed(weight) for weight in (-0.5, 0.0, 0.3, 0.9)]
    table = np.array([[case.distance(a, b).value for b in rewards] for a in rewards])
    np.testing.assert_allclose(table, table.T, atol=1e-9)
    for i, j, k in np.ndindex(4, 4, 4):
        assert table[i, k] <= table[i, j] + table[j, k] + 1e-9


def test_a_constant_reward_has_no_distance(case: Case) -> None:
    assert np.isnan(case.distance(goal, lambda s, a, t: np.full(len(s), 3.0)).value)
    # nothing but shaping is as good as constant
    assert np.isnan(case.distance(goal, shaped(lambda s, a, t: np.zeros(len(s)), hill, DISCOUNT)).value)
