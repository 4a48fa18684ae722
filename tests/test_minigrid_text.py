"""MiniGrid's screens: a view that looks up from the agent, the whole grid, and words for what is carried."""

from __future__ import annotations

import numpy as np
import pytest
from minigrid_play import ENVS, LAVA, PICKUP, drawn, plays

from reward_agent.envs.minigrid.cells import KEY
from reward_agent.envs.minigrid.cells import PICKUP as PICK_UP
from reward_agent.envs.minigrid.native import Native
from reward_agent.envs.minigrid.row import MiniGridRow
from reward_agent.envs.minigrid.text import CHARACTERS, screen
from reward_agent.envs.minigrid.world import MiniGrid
from reward_agent.task import OnScreen, TextWorld

ROOM = (
    "#########",
    "#...#...#",
    "#.>.L..G#",
    "#..k#.~.#",
    "#########",
)


def test_the_view_is_turned_and_what_is_behind_walls_and_shut_doors_is_unseen() -> None:
    shown = screen(drawn(*ROOM), ())
    # it faces right: ahead of it, and above in the view, are the floor and the locked door
    assert shown.crop.split("\n") == [
        "???????",
        "???????",
        "???????",
        "???????",
        "?##L##?",
        "?#..k#?",
        "?#.^.#?",
    ]
    assert shown.full.split("\n") == list(ROOM)
    assert shown.message == ""


def test_an_open_door_is_looked_through() -> None:
    shown = screen(drawn(*(row.replace("L", "/") for row in ROOM)), ())
    assert shown.crop.split("\n") == [
        "?#####?",
        "?#.G.#?",
        "?#..~#?",
        "?#...#?",
        "?##/##?",
        "?#..k#?",
        "?#.^.#?",
    ]


@pytest.mark.parametrize("facing", ">v<^")
def test_whatever_way_it_faces_it_looks_up(facing: str) -> None:
    shown = screen(drawn("#####", "#...#", f"#.{facing}.#", "#...#", "#####"), ())
    assert shown.crop.split("\n")[4:] == ["?#####?", "?#...#?", "?#.^.#?"]
    assert shown.full.split("\n")[2] == f"#.{facing}.#"


@pytest.mark.needs("minigrid")
@pytest.mark.parametrize("env", ENVS)
def test_every_character_is_in_the_legend(env: str) -> None:
    world = MiniGrid(env)
    assert isinstance(world, TextWorld)
    legend = world.legend()
    assert len(set(legend.values())) == len(legend)
    assert all(len(mark) == 1 for mark in legend)
    used: set[str] = set()
    for seed, taken in plays(env):
        batch = world.make(1, world.schema().select([]))
        assert isinstance(batch, OnScreen)
        batch.reset(np.ones(1, bool), np.array([seed]))
        for action in taken:
            shown = batch.screen(0)
            assert [len(line) for line in shown.crop.split("\n")] == [7] * 7
            assert shown.crop[-4] == "^" and "?" not in shown.full
            assert sum(shown.full.count(mark) for mark in ">v<^") == 1
            used |= set(shown.crop + shown.full) - {"\n"}
            batch.step(np.array([[float(action)]]))
    assert used <= set(legend)
    # a door that was locked is open or shut afterwards; whether one was shut is up to the noise
    assert set(legend) - used <= {"+", "<"}


@pytest.mark.needs("minigrid")
def test_a_legend_names_what_the_task_has() -> None:
    lava, box = MiniGrid(LAVA).legend(), MiniGrid(PICKUP).legend()
    assert {"~", "G"} <= set(lava) and not set("k+/LBo") & set(lava)
    assert {"k", "+", "/", "L", "B"} <= set(box) and not set("~Go") & set(box)
    assert [box[mark] for mark in "/+L"] == ["open door", "closed door", "locked door"]
    marks = [mark for mark, _ in CHARACTERS.values()]
    assert len({*marks, *">v<^"}) == len(marks) + 4


@pytest.mark.needs("minigrid")
def test_the_inventory_is_in_words() -> None:
    for seed, taken in plays(PICKUP)[:1]:
        row = MiniGridRow(PICKUP, MiniGrid(PICKUP).schema().select([]))
        row.reset(seed)
        native = Native(PICKUP)
        native.reset(seed)
        (colour,) = {thing.color for thing in native.env.grid.grid if thing and thing.type == "key"}
        assert row.screen().inventory == ()
        for action in taken:
            row.step(np.array([float(action)]))
            if action == PICK_UP and row.level.carrying == KEY:
                assert row.screen().inventory == (f"{colour} key",)
                assert "k" not in row.screen().full
                return
    pytest.fail("the key was never picked up")
