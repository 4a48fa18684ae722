"""The scripted policy solves every task, in the fewest steps, from wherever it finds things."""

from __future__ import annotations

import numpy as np
import pytest
from minigrid_play import CORRIDOR, DOOR_KEY, ENVS, drawn

from reward_agent.envs.minigrid.cells import (
    ACTIONS,
    BALL,
    BOX,
    DROP,
    EMPTY,
    FORWARD,
    GOAL,
    KEY,
    LEFT,
    PICKUP,
    RIGHT,
    TOGGLE,
)
from reward_agent.envs.minigrid.level import after, lengths
from reward_agent.envs.minigrid.names import HORIZONS
from reward_agent.envs.minigrid.native import Native
from reward_agent.envs.minigrid.scripted import Scripted, plan


@pytest.mark.needs("minigrid")
@pytest.mark.parametrize("env", ENVS)
def test_it_solves_every_grid(env: str) -> None:
    for seed in range(100, 108):
        native, scripted = Native(env), Scripted()
        native.reset(seed)
        planned = plan(native.level)
        assert planned is not None
        taken = []
        while not native.level.success and len(taken) < HORIZONS[env]:
            action = scripted.next(native.level)
            assert action is not None
            taken.append(action)
            assert native.step(action) == native.level.success
        assert tuple(taken) == planned
        assert len(taken) <= 40


@pytest.mark.needs("minigrid")
@pytest.mark.parametrize("env", [DOOR_KEY, CORRIDOR])
def test_it_plans_anew_after_others_acted(env: str) -> None:
    native, scripted, rng = Native(env), Scripted(), np.random.default_rng(0)
    native.reset(0)
    wandered = 0
    while not native.level.success and wandered < 200:
        planned = scripted.next(native.level)
        assert planned is not None
        action = planned if rng.random() < 0.5 else int(rng.integers(6))
        wandered += action != planned
        native.step(action)
    assert native.level.success and wandered


def test_its_way_is_the_shortest() -> None:
    room = drawn("#######", "#>..L.#", "#k..#G#", "#######")
    # turn, pick up, turn back, two steps, unlock, two steps, turn, step
    planned = plan(room)
    assert planned is not None
    assert [ACTIONS[action] for action in planned] == [
        "right", "pickup", "left", "forward", "forward", "toggle", "forward", "forward", "right", "forward",
    ]  # fmt: skip


def test_it_puts_the_key_down_before_it_picks_up_another_thing() -> None:
    room = drawn("#######", "#k>.L.#", "#...#o#", "#######", target=BALL)
    planned = plan(room)
    assert planned is not None
    kinds = [action for action in planned if action in (PICKUP, DROP, TOGGLE)]
    assert kinds == [PICKUP, TOGGLE, DROP, PICKUP]


def test_it_walks_around_lava_and_knows_when_nothing_leads_there() -> None:
    around = drawn("######", "#>~G.#", "#.~..#", "#....#", "######")
    level = around
    for action in plan(around) or ():
        level = after(level, action)
        assert level.cells[level.at] != 9
    assert level.success
    assert plan(drawn("######", "#>~G.#", "#.~..#", "#.~..#", "######")) is None
    assert plan(drawn("#####", "#>..#", "#####", target=BOX)) is None
    assert Scripted().next(drawn("#####", "#>..#", "#####", target=BOX)) is None


def test_lengths_of_ways() -> None:
    room = drawn("########", "#>..+.k#", "#.#.#L##", "#.#.#.G#", "########")
    key, goal = room.holding(KEY)[0], room.holding(GOAL)[0]
    # five columns, and one more for the shut door
    assert room.path_length(key) == 5 + 1
    # through the door and the lock, each with one more
    assert room.path_length(goal) == 4 + 1 + 2 + 1 + 1
    assert room._replace(carrying=KEY).path_length(goal) == room.path_length(goal)
    assert room.path_length(room.lock) == 4 + 1 + 1
    assert room.path_length(room.at) == 0 == lengths(room)[room.at]
    in_the_way = drawn("#####", "#>kG#", "#####")
    assert in_the_way.path_length(in_the_way.holding(GOAL)[0]) == 2 + 1
    around = drawn("#####", "#>~G#", "#...#", "#####")
    assert around.path_length(around.holding(GOAL)[0]) == 4
    closed = drawn("#####", "#>~G#", "#.#.#", "#####")
    assert closed.path_length(closed.holding(GOAL)[0]) == closed.no_path == 20


def test_rules() -> None:
    beside = drawn("#####", "#>k.#", "#####")
    assert after(beside, FORWARD) == beside, "nothing is walked into"
    held = after(beside, PICKUP)
    assert (held.carrying, held.holding(KEY)) == (KEY, [])
    assert after(held, DROP) == beside
    assert after(after(held, FORWARD), DROP).holding(KEY) == [beside.at + 2]
    assert after(held, PICKUP) == held
    locked = drawn("#####", "#>L.#", "#####")
    assert after(locked, TOGGLE) == locked
    opened = after(locked._replace(carrying=KEY), TOGGLE)
    assert opened.cells[opened.front] == 4 and opened.carrying == KEY
    shut = after(opened._replace(carrying=EMPTY), TOGGLE)
    assert after(shut, TOGGLE).cells[opened.front] == 4, "it is unlocked for good"
    assert after(after(beside, LEFT), RIGHT) == beside
    assert after(drawn("#####", "#>~.#", "#####"), FORWARD).at == beside.at + 1
