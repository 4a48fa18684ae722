"""The world of MiniHack: its levels as they are on the screen, to the last turn, and a player by hand who wins them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from reward_agent.conformance import conform
from reward_agent.envs.episodes import Episodes
from reward_agent.envs.minihack import tasks
from reward_agent.envs.minihack.game import DEAD, KEYS, WON, Game, Seen, begin, make_native, step
from reward_agent.envs.minihack.glyphs import KINDS, NUMBER, kinds
from reward_agent.envs.minihack.row import MiniHackRow
from reward_agent.envs.minihack.scenes import SCENES
from reward_agent.envs.minihack.scripted import Player
from reward_agent.envs.minihack.world import LEGEND, MiniHack
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.program import Program
from reward_agent.sources.cell import CellSource
from reward_agent.task import Episode, OnScreen, Task, TextWorld

pytestmark = pytest.mark.needs("minihack")
ROOM = "minihack/keyroom-s5"


def turns(env: str, seed: int, most: int = 400) -> Iterator[tuple[int, Seen, MiniHackRow]]:
    """The player's actions, and what each led to; the row plays the same."""
    world = MiniHack(env)
    row = MiniHackRow(env, None, world.schema())
    row.reset(seed)
    player = Player(world.schema().action.names, np.random.default_rng(seed))
    player.begin()
    try:
        for _ in range(most):
            action = player(row.seen)
            end = row.step(np.array([action]))
            yield action, row.seen, row
            if end.terminated:
                return
    finally:
        row.close()


@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.id)
def test_it_keeps_the_contract(task: Task) -> None:
    report = conform(task)
    assert report.ok, report


@pytest.mark.parametrize("env", ["KeyRoom-S5", "KeyRoom-Fixed-S5", "KeyRoom-S15", "MultiRoom-N2", "MultiRoom-N4"])
def test_the_player_by_hand_comes_to_the_stairs(env: str) -> None:
    for seed in range(5):
        *_, (_, seen, _) = turns(env, seed)
        assert seen.won and not seen.dead


def test_fields_tell_of_key_door_and_stairs_as_they_are_reached() -> None:
    schema = MiniHack("KeyRoom-S5").schema()
    names = schema.action.names
    for seed in range(8):
        before, doors, keys = None, 0, 0
        for action, seen, row in turns("KeyRoom-S5", seed):
            now = schema.view(row.state())
            if before is not None:
                picked = bool(now.inventory.key and not before.inventory.key)
                opened = before.closed_door.count > now.closed_door.count
                assert picked == (names[action] == "pickup" and bool(now.message.picks_up))
                assert not opened or (names[action] == "apply" and before.inventory.key and now.open_door.exists)
                keys, doors = keys + picked, doors + opened
                if seen.won:
                    assert (now.agent.position == before.stairs_down.position).all() and now.outcome.success
            before = now
        assert (keys, doors) == (1, 1)


def test_a_locked_door_stops_whoever_has_no_key() -> None:
    schema = MiniHack("KeyRoom-S5").schema()
    names, told = schema.action.names, []
    row = MiniHackRow("KeyRoom-S5", None, schema)
    for seed in range(20):
        row.reset(seed)
        random = np.random.default_rng(seed)
        for _ in range(60):  # walks about, and against whatever door is beside it
            doors = np.argwhere(row.seen.kinds == NUMBER["closed_door"])
            beside = [d for d in doors.tolist() if abs(d[0] - row.seen.at[0]) + abs(d[1] - row.seen.at[1]) == 1]
            if beside:
                down, right = beside[0][0] - row.seen.at[0], beside[0][1] - row.seen.at[1]
                move = {(-1, 0): "north", (1, 0): "south", (0, 1): "east", (0, -1): "west"}[down, right]
                row.step(np.array([names.index(move)]))
                state = schema.view(row.state())
                told.append((bool(state.message.locked), bool(state.closed_door.exists)))
                break
            row.step(random.integers(8, size=1))
    row.close()
    assert len(told) > 5 and set(told) == {(True, True)}


def test_what_is_behind_a_wall_is_not_on_the_map() -> None:
    for seed in range(5):
        played = [(seen.kinds.copy(), seen.won) for _, seen, _ in turns("KeyRoom-S5", seed)]
        opened = next(t for t, (kinds, _) in enumerate(played) if (kinds == NUMBER["open_door"]).any())
        assert not any((kinds == NUMBER["stairs_down"]).any() for kinds, _ in played[:opened])
        assert (played[-2][0] == NUMBER["stairs_down"]).any()


def test_a_screen_is_what_a_person_sees() -> None:
    task = find_task(ROOM)
    assert isinstance(task.world, TextWorld)
    episodes = task.world.make(2, task.world.schema().select(["agent.position"]))
    assert isinstance(episodes, OnScreen)
    episodes.reset(np.ones(2, bool), np.array([0, 1]))
    legend = task.world.legend()
    assert legend is LEGEND
    for row in (0, 1):
        screen = episodes.screen(row)
        crop, full = screen.crop.split("\n"), screen.full.split("\n")
        assert len(crop) == 9 and {len(line) for line in crop} == {9} and crop[4][4] == "@"
        assert full[0].strip() and full[-1].strip() and screen.full.count("@") == 1
        assert set(screen.full) - {"\n"} <= set(legend)
        assert "welcome to NetHack" in screen.message and any("lock pick" in line for line in screen.inventory)
    episodes.close()


def test_screens_of_workers_are_the_same() -> None:
    world = MiniHack("KeyRoom-S5")
    fields = world.schema().select(["agent.position"])
    shown = []
    for threads in (1, 2):
        batch = world.make(3, fields, threads=threads)
        batch.reset(np.ones(3, bool), np.arange(3))
        for action in (0, 1, 4):
            batch.step(np.full((3, 1), float(action)))
        shown.append([batch.screen(row) for row in range(3)])
        batch.close()
    assert shown[0] == shown[1]


@pytest.mark.parametrize("env", ["KeyRoom-S5", "KeyRoom-S15"])
def test_a_policy_observes_its_surroundings_square_by_square(env: str) -> None:
    crop = SCENES[env].crop
    for _, seen, row in turns(env, 0):
        observation = row._observation()
        assert row.observation_space.contains(observation.astype(np.float32))
        kinds = observation[: crop**2 * len(KINDS)].reshape(crop, crop, len(KINDS))
        assert (kinds.sum(-1) == 1).all()
        half = crop // 2
        for down, right in ((0, 1), (-1, 0), (2, -2)):
            there = seen.kinds[seen.at[0] + down, seen.at[1] + right]
            assert kinds[half + down, half + right].argmax() == there


def test_success_is_minihacks_own_and_speed_counts_the_turns_left() -> None:
    task = find_task(ROOM)
    success, stages, speed = task.metrics
    states = [row.state() for _, _, row in turns("KeyRoom-S5", 3)]
    schema = task.world.schema()
    view = schema.view(np.array([states[0], *states]))
    episode = Episode(view, np.zeros((len(states), 1)), True, schema.constants_view(), 1.0)
    assert success.score(episode) == 1.0 and speed.score(episode) == pytest.approx(1 - len(states) / 200)
    lost = Episode(schema.view(np.array(states[:4])), np.zeros((3, 1)), False, schema.constants_view(), 1.0)
    assert success.score(lost) == speed.score(lost) == 0.0 and stages.score(lost) < stages.score(episode) == 1.0


def test_a_death_ends_the_episode_on_the_map_that_it_happened_on() -> None:
    game, random = Game("Corridor-R2"), np.random.default_rng(0)
    before = game.reset(3)
    for _ in range(20_000):
        seen = game.step(int(random.integers(len(game.actions))))
        if seen.dead:
            assert not seen.won and (seen.kinds == before.kinds).all() and seen.at == before.at
            break
        before = game.reset(int(random.integers(100))) if seen.won else seen
    else:
        pytest.fail("nobody died")
    game.close()


def test_the_expert_reward_prefers_the_player_to_chance() -> None:
    task = find_task(ROOM)
    assert task.expert is not None
    source = CellSource(Program(task.expert.read_text()), task)
    totals = {}
    for who in ("player", "chance"):
        player, random = Player(task.world.schema().action.names, np.random.default_rng(0)), np.random.default_rng(0)
        total = 0.0
        for seed in range(3):
            episodes = Episodes(task, 1, source.fields)
            row = MiniHackRow("KeyRoom-S5", None, task.world.schema())
            row.reset(seed)
            player.begin()
            episodes.reset(np.ones(1, bool), np.array([seed]))
            for _ in range(40):
                action = np.array([[player(row.seen) if who == "player" else random.integers(10)]])
                before = episodes.states.copy()
                row.step(action[0])
                step = episodes.step(action)
                total += source(
                    before[None], action[None].astype(float), step.states[None], np.zeros((1, 1), bool)
                ).total.item()
                if step.terminated.any():
                    break
            row.close()
            episodes.close()
        totals[who] = total
    source.close()
    assert totals["player"] > 3 * 1.5 > totals["chance"]


def test_an_environment_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="Did you mean 'KeyRoom-S5'"):
        MiniHack("KeyRooms-S5")


@pytest.mark.parametrize("env", ["KeyRoom-S5", "KeyRoom-Fixed-S5", "MultiRoom-N2", "River"])
def test_a_game_is_minihacks_own(env: str) -> None:
    """Which is stepped here with all its observations; ours leaves out what nobody reads."""
    game, native = Game(env), make_native(env, KEYS)
    random = np.random.default_rng(0)
    player, said = Player(game.actions, random), set()
    for seed in range(4):
        player.begin()
        seen, observation = game.reset(seed), begin(native, seed, None)
        for _ in range(60):
            np.testing.assert_array_equal(seen.characters, observation["chars"])
            np.testing.assert_array_equal(seen.kinds, kinds()[observation["glyphs"]])
            assert seen.message.encode("latin-1") == observation["message"].tobytes().split(b"\0")[0]
            action = player(seen) if random.random() < 0.8 else int(random.integers(len(game.actions)))
            seen = game.step(action)
            observation, reward, end = step(native, action)
            said.add(game.actions[action])
            assert (seen.won, seen.dead) == (end == WON, end == DEAD)
            if seen.won or seen.dead:
                assert (reward > 0) == seen.won
                break
    assert seen.won or env == "River"
    assert "apply" in said or not env.startswith("KeyRoom")
    game.close()
    native.close()
