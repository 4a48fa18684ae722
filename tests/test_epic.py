"""EPIC by its definition: blind to shaping, scale and shift, and right where theory gives a number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from reward_agent.epic import Distance, Draws, Origin, Reward, canonical, pearson
from reward_agent.schema import Array

DISCOUNT = 0.9


def alone(rows: int) -> Origin:
    """Each transition of an episode of its own: as if it were drawn apart from the others."""
    return Origin(np.arange(rows), np.zeros(rows, int))


class Case:
    """Transitions whose states, actions and next states are drawn apart, and rewards of them."""

    def __init__(self, rows: int = 4_000, draws: int = 128) -> None:
        generator = np.random.default_rng(0)
        self.state, self.next_state = generator.normal(size=(2, rows, 2))
        self.action = generator.uniform(-1, 1, (rows, 1))
        self.draws = Draws.of(self.state, self.action, draws, generator)
        self.origin = alone(rows)

    def distance(self, first: Reward, second: Reward, discount: float = DISCOUNT) -> Distance:
        forms = (canonical(r, self.state, self.action, self.next_state, self.draws, discount) for r in (first, second))
        return pearson(*forms, self.origin, np.random.default_rng(1))

    def direct(self, first: Reward, second: Reward) -> Distance:
        values = (reward(self.state, self.action, self.next_state) for reward in (first, second))
        return pearson(*values, self.origin, np.random.default_rng(1))


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


EPISODES, STEPS = 16, 64


def episodes(generator: np.random.Generator, correlation: float) -> tuple[Array, Array, Origin]:
    """Two rewards of that correlation, which differ much between episodes and little within one."""
    mix = np.linalg.cholesky(np.array([[1.0, correlation], [correlation, 1.0]]))
    between = np.repeat(generator.normal(size=(EPISODES, 2)) @ mix.T, STEPS, axis=0)
    within = generator.normal(size=(EPISODES * STEPS, 2)) @ mix.T
    first, second = (0.95**0.5 * between + 0.05**0.5 * within).T
    return first, second, Origin(np.repeat(np.arange(EPISODES), STEPS), np.zeros(EPISODES * STEPS, int))


def test_an_interval_holds_the_distance_where_episodes_are_alike_within() -> None:
    generator, tries = np.random.default_rng(0), 100
    truth = np.sqrt((1 - 0.4) / 2)
    held = {"episodes": 0, "transitions": 0}
    widths: dict[str, list[float]] = {name: [] for name in held}
    for _ in range(tries):
        first, second, origin = episodes(generator, 0.4)
        for name, each in (("episodes", origin), ("transitions", alone(len(first)))):
            found = pearson(first, second, each, generator)
            held[name] += found.low <= truth <= found.high
            widths[name].append(found.high - found.low)
    # 16 episodes are few: the bootstrap holds it a little less often than 95 times of 100
    assert held["episodes"] / tries > 0.85 and held["transitions"] / tries < 0.4
    assert np.median(widths["episodes"]) > 4 * np.median(widths["transitions"])


def test_where_transitions_are_apart_it_makes_no_difference_which_are_drawn(case: Case) -> None:
    first, second = (r(case.state, case.action, case.next_state) for r in (goal, other))
    together = Origin(np.repeat(np.arange(100), 40), np.zeros(4_000, int))
    one, many = (pearson(first, second, origin, np.random.default_rng(2)) for origin in (alone(4_000), together))
    assert one.value == many.value
    assert many.high - many.low == pytest.approx(one.high - one.low, rel=0.25)


def test_episodes_are_drawn_from_each_part_as_many_as_it_has() -> None:
    """A difference between the parts is no chance: how much of the coverage each is, is fixed."""
    generator = np.random.default_rng(0)
    part = np.repeat([0, 1], 500)
    first, second = generator.normal(size=(2, 1_000)) * 0.1 + 5.0 * part
    origin = Origin(np.repeat(np.arange(20), 50), part)
    apart = pearson(first, second, origin, generator)
    as_one = pearson(first, second, origin._replace(part=np.zeros(1_000, int)), generator)
    assert apart.high - apart.low < 0.7 * (as_one.high - as_one.low)
    assert apart.low < apart.value == as_one.value < apart.high


def test_an_interval_is_as_the_definition_says() -> None:
    """Drawn by hand: whole episodes are put together and Pearson's correlation is taken of them."""
    first, second, origin = episodes(np.random.default_rng(3), -0.2)
    keep = np.random.default_rng(4).random(len(first)) < 0.5  # of unequal lengths
    first, second, episode = first[keep], second[keep], origin.episode[keep]
    found = pearson(first, second, Origin(episode, np.zeros(len(first), int)), np.random.default_rng(5))
    generator, by_hand = np.random.default_rng(6), []
    rows = [np.flatnonzero(episode == number) for number in range(EPISODES)]
    for _ in range(1_000):
        drawn = np.concatenate([rows[number] for number in generator.integers(EPISODES, size=EPISODES)])
        by_hand.append(np.sqrt((1 - np.corrcoef(first[drawn], second[drawn])[0, 1]) / 2))
    assert found.value == pytest.approx(np.sqrt((1 - np.corrcoef(first, second)[0, 1]) / 2), abs=1e-12)
    assert (found.low, found.high) == pytest.approx(np.quantile(by_hand, (0.025, 0.975)), abs=0.015)


def test_one_episode_has_no_interval(case: Case) -> None:
    rows = len(case.state)
    one = Origin(np.zeros(rows, int), np.zeros(rows, int))
    found = pearson(case.state[:, 0], case.state[:, 0] + case.state[:, 1], one, np.random.default_rng(0))
    assert np.isfinite(found.value) and np.isnan(found.low) and np.isnan(found.high)
