"""What counts as done by the hand, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from metric_episodes import episode

from reward_agent.envs.dexterous import metrics
from reward_agent.envs.dexterous.names import TIPS
from reward_agent.envs.dexterous.scenes import APPLE, BOX, DRAWER_RANGE, FAUCET_RANGE
from reward_agent.task import Metric

DT = 0.04
STATES = 101
"""Four seconds."""
HALF = np.sqrt(0.5)
LID_UP, LID_DOWN, LID_ASIDE = (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (HALF, HALF, 0.0, 0.0)
APPLE_AT = (0.25, 0.0, APPLE)


def body(place: tuple[float, ...], turn: tuple[float, ...] = LID_UP) -> SimpleNamespace:
    return SimpleNamespace(
        position=np.tile(place, (STATES, 1)),
        orientation=np.tile(turn, (STATES, 1)),
        linear_velocity=np.zeros((STATES, 3)),
    )


def table(turn: tuple[float, ...] = LID_UP, height: float = BOX[2]) -> SimpleNamespace:
    """Box and apple at rest 25 cm apart, the hand's points half a metre over the box."""
    hand = {name: SimpleNamespace(position=np.tile((0.0, 0.0, 0.5 + height), (STATES, 1))) for name in ("palm", *TIPS)}
    return SimpleNamespace(box=body((0.0, 0.0, height), turn), apple=body(APPLE_AT), **hand)


def scores(pair: tuple[Metric, Metric], state: Any) -> tuple[float, float]:
    made = episode(state, STATES - 1, DT)
    success, fitness = (metric.score(made) for metric in pair)
    assert np.isfinite(fitness)
    assert success in (0.0, 1.0)
    return success, fitness


Change = Callable[[SimpleNamespace], None]


def accepts(pair: tuple[Metric, Metric], state: SimpleNamespace, change: Change) -> bool:
    change(state)
    return scores(pair, state)[0] == 1.0


# touch


def _touching(state: SimpleNamespace, *, away: float = 0.007, states: slice = slice(50, 56)) -> None:
    state.thumb_tip.position[states] = (BOX[0] + away, 0.0, 0.05)


def test_a_fingertip_on_a_side_of_the_box_touches_it() -> None:
    state = table()
    _touching(state)
    success, nearness = scores(metrics.touched(), state)
    assert success == 1.0
    assert nearness == pytest.approx(-0.007)


def test_the_side_of_a_turned_box_is_where_the_box_has_it() -> None:
    eighth = (np.cos(np.pi / 8), 0.0, 0.0, np.sin(np.pi / 8))
    at = (BOX[0] + 0.009, 0.0, BOX[2])
    state, turned = table(), table(eighth)
    for each in (state, turned):
        each.ring_fingertip.position[:] = at
    assert scores(metrics.touched(), state)[0] == 1.0
    assert scores(metrics.touched(), turned)[1] == pytest.approx(BOX[0] - at[0] * HALF)  # deep inside at 45 degrees
    for each in (state, turned):
        each.ring_fingertip.position[:] = (at[0] * HALF, at[0] * HALF, BOX[2])
    assert scores(metrics.touched(), turned)[1] == pytest.approx(-0.009)


def test_the_apple_is_touched_round_about() -> None:
    state = table()
    state.little_fingertip.position[10:30] = np.add(APPLE_AT, (0.0, 0.0, APPLE + 0.008))
    assert scores(metrics.touched("apple"), state)[1] == pytest.approx(-0.008)
    assert scores(metrics.touched("box"), state)[0] == 0.0


def _two_fingers_by_turns(state: SimpleNamespace) -> None:
    _touching(state, states=slice(50, 53))
    state.first_fingertip.position[53:56] = (BOX[0] + 0.007, 0.0, 0.05)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: None,
        lambda state: _touching(state, states=slice(50, 55)),  # 0.16 s
        lambda state: _touching(state, away=0.0101),
        _two_fingers_by_turns,
        lambda state: state.palm.position.__setitem__(slice(None), (0.04, 0.0, 0.05)),  # no fingertip
    ],
    ids=["far", "brief", "near", "by turns", "the palm"],
)
def test_what_is_no_touch(change: Change) -> None:
    assert not accepts(metrics.touched(), table(), change)


# lift


def carry(state: SimpleNamespace, thing: str, height: float, states: slice, beside: float = 0.05) -> None:
    moved = getattr(state, thing)
    moved.position[states, :2] = (beside, 0.0)
    moved.position[states, 2] = height
    state.palm.position[states] = (0.0, 0.0, height)


def test_a_box_held_up_is_lifted() -> None:
    state = table()
    carry(state, "box", 0.53, slice(40, 54))
    success, height = scores(metrics.lifted("box"), state)
    assert success == 1.0
    assert height == pytest.approx(0.53)


def test_two_objects_must_be_up_at_once() -> None:
    both, by_turns = table(), table()
    for thing, beside in (("box", -0.05), ("apple", 0.06)):
        carry(both, thing, 0.52, slice(40, 70), beside)
    carry(by_turns, "box", 0.52, slice(20, 40))
    carry(by_turns, "apple", 0.52, slice(50, 70))
    assert scores(metrics.lifted("box", "apple"), both) == (1.0, pytest.approx(0.52))
    assert scores(metrics.lifted("box", "apple"), by_turns) == (0.0, 0.0)
    assert scores(metrics.lifted("box"), by_turns)[0] == scores(metrics.lifted("apple"), by_turns)[0] == 1.0


def _thrown(state: SimpleNamespace) -> None:
    """Half a second and more over 0.5 m, in flight, the hand by its side."""
    time = np.arange(STATES) * DT
    flight = slice(40, 60)
    rate = 3.9 - 9.81 * (time[flight] - time[40])
    state.box.position[flight, 2] = 0.55 + 3.9 * (time[flight] - time[40]) - 9.81 / 2 * (time[flight] - time[40]) ** 2
    state.box.linear_velocity[flight, 2] = rate
    state.palm.position[flight] = state.box.position[flight]


def _out_of_hand(state: SimpleNamespace) -> None:
    carry(state, "box", 0.6, slice(40, 60), beside=0.13)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: carry(state, "box", 0.44, slice(40, 80)),
        lambda state: carry(state, "box", 0.6, slice(40, 53)),  # 0.48 s
        lambda state: carry(state, "apple", 0.6, slice(40, 80)),
        _thrown,
        _out_of_hand,
    ],
    ids=["low", "brief", "the apple", "thrown", "out of hand"],
)
def test_what_is_no_lift(change: Change) -> None:
    assert not accepts(metrics.lifted("box"), table(), change)


# move


def bring(state: SimpleNamespace, gap: float, since: int = 80) -> None:
    state.apple.position[since:] = (BOX[0] + APPLE + gap, 0.0, APPLE)


def test_an_apple_beside_the_box_was_moved_to_it() -> None:
    state = table()
    bring(state, 0.02)
    success, nearness = scores(metrics.moved(), state)
    assert success == 1.0
    assert nearness == pytest.approx(-0.02)


def _box_to_apple(state: SimpleNamespace) -> None:
    state.box.position[80:, 0] = APPLE_AT[0] - APPLE - BOX[0] - 0.01


def _on_the_box(state: SimpleNamespace) -> None:
    bring(state, 0.0)
    state.apple.position[80:] = (0.0, 0.0, 2 * BOX[2] + APPLE)


def _rolling_by(state: SimpleNamespace) -> None:
    bring(state, 0.01)
    state.apple.linear_velocity[80:, 1] = 0.31


def _taken_away_again(state: SimpleNamespace) -> None:
    bring(state, 0.01)
    state.apple.position[-1] = APPLE_AT


@pytest.mark.parametrize(
    "change",
    [
        lambda state: bring(state, 0.031),
        lambda state: bring(state, 0.01, since=STATES - 13),
        _box_to_apple,
        _on_the_box,
        _rolling_by,
        _taken_away_again,
    ],
    ids=["too far", "too late", "the box moved", "on top", "rolling", "taken away"],
)
def test_what_is_no_move(change: Change) -> None:
    state = table()
    assert not accepts(metrics.moved(), state, change)


def test_an_apple_that_does_not_count_is_worse_than_any_that_does() -> None:
    on_top, beside = table(), table()
    _on_the_box(on_top)
    bring(beside, 0.1)
    assert scores(metrics.moved(), on_top)[1] < scores(metrics.moved(), beside)[1]


# upright and flip


def stand(state: SimpleNamespace, turn: tuple[float, ...], since: int = 80, height: float = BOX[2]) -> None:
    state.box.orientation[since:] = turn
    state.box.position[since:, 2] = height


def tilted(turn: tuple[float, ...], angle: float) -> tuple[float, ...]:
    """Further about x."""
    w, x = np.cos(angle / 2), np.sin(angle / 2)
    return (w * turn[0] - x * turn[1], w * turn[1] + x * turn[0], 0.0, 0.0)


def test_a_box_set_on_its_foot_is_upright() -> None:
    state = table(LID_ASIDE, BOX[0])
    stand(state, tilted(LID_UP, 0.1))
    assert scores(metrics.upright(), state) == (1.0, pytest.approx(np.cos(0.1)))


def test_a_box_set_on_its_lid_is_flipped() -> None:
    state = table()
    stand(state, tilted(LID_DOWN, 0.1))
    assert scores(metrics.flipped(), state) == (1.0, pytest.approx(np.cos(0.1)))


def test_a_box_that_the_hand_keeps_turned_counts_as_well() -> None:
    state = table()
    stand(state, LID_DOWN, height=0.2)
    state.box.linear_velocity[80:, 0] = 0.2  # a hand that holds it is never quite still
    assert scores(metrics.flipped(), state)[0] == 1.0


def _moving(state: SimpleNamespace, turn: tuple[float, ...]) -> None:
    stand(state, turn)
    state.box.linear_velocity[-1, 0] = 0.31


@pytest.mark.parametrize("way", ["upright", "flip"])
@pytest.mark.parametrize(
    "change",
    [
        lambda state, turn: None,
        lambda state, turn: stand(state, tilted(turn, 0.35)),
        lambda state, turn: stand(state, turn, since=STATES - 13),
        lambda state, turn: stand(state, tilted(turn, np.pi)),
        _moving,
    ],
    ids=["as it was", "tilted", "too late", "the other way up", "moving"],
)
def test_what_does_not_stand(way: str, change: Callable[[SimpleNamespace, tuple[float, ...]], None]) -> None:
    if way == "upright":
        pair, state, turn = metrics.upright(), table(LID_ASIDE, BOX[0]), LID_UP
    else:
        pair, state, turn = metrics.flipped(), table(), LID_DOWN
    change(state, turn)
    assert scores(pair, state)[0] == 0.0


def test_a_box_that_stood_so_from_the_start_does_not_count() -> None:
    assert scores(metrics.upright(), table())[0] == 0.0
    assert scores(metrics.flipped(), table(LID_DOWN))[0] == 0.0
    lying = table(LID_ASIDE, BOX[0])
    stand(lying, LID_DOWN)
    assert scores(metrics.flipped(), lying)[0] == 0.0  # it never stood upright


# faucet and drawer


@pytest.mark.parametrize(
    ("pair", "joint", "quantity", "whole"),
    [
        (metrics.turned_on(), "faucet", "angle", FAUCET_RANGE[1]),
        (metrics.opened(), "drawer", "position", DRAWER_RANGE[1]),
    ],
    ids=["faucet", "drawer"],
)
def test_a_faucet_and_a_drawer_are_open_at_the_end(
    pair: tuple[Metric, Metric], joint: str, quantity: str, whole: float
) -> None:
    def opened(share: float, states: slice) -> tuple[float, float]:
        values = np.zeros(STATES)
        values[states] = share * whole
        return scores(pair, SimpleNamespace(joints=SimpleNamespace(**{joint: SimpleNamespace(**{quantity: values})})))

    assert opened(0.8, slice(60, None)) == (1.0, pytest.approx(0.8))
    assert opened(0.74, slice(60, None)) == (0.0, pytest.approx(0.74))
    assert opened(0.8, slice(STATES - 13, None)) == (0.0, 0.0)  # 0.48 s
    assert opened(0.8, slice(20, STATES - 1)) == (0.0, 0.0)  # shut again


def test_an_episode_of_an_instant_is_no_success() -> None:
    state = table()
    carry(state, "box", 0.6, slice(None))
    _touching(state, states=slice(None))
    for part in vars(state).values():
        for name, values in vars(part).items():
            setattr(part, name, values[:3])
    made = episode(state, 2, DT)
    for pair in (metrics.touched(), metrics.lifted("box")):
        success, fitness = (metric.score(made) for metric in pair)
        assert success == 0.0
        assert np.isfinite(fitness)
