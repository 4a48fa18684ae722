"""One MiniHack game: begun from a seed, stepped by action numbers, and what is on its screen after each."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.minihack.glyphs import NUMBER, kinds

Squares = list[tuple[int, int]]
KEYS = ("glyphs", "chars", "message", "inv_strs", "blstats")
"""Of NetHack's observations, what is read here."""
_READ_THERE = ("program_state", "internal", "inv_letters")
"""And what NLE and MiniHack read of them themselves."""
NEVER = 10**9
"""Steps after which the game ends by itself: the horizon is the task's."""
WON, DEAD = "TASK_SUCCESSFUL", "DEATH"


@dataclass(frozen=True)
class Seen:
    """What is on the screen at one instant."""

    kinds: NDArray[np.int8]
    """`(21, 79)`: what each square of the map is, as the agent knows it (`glyphs.KINDS`)."""
    characters: NDArray[np.uint8]
    """`(21, 79)`, as NetHack draws them."""
    at: tuple[int, int]
    """Row and column of the agent."""
    message: str
    inventory: tuple[str, ...]
    won: bool
    dead: bool
    _found: dict[int, Squares] = field(default_factory=dict)

    def squares(self, kind: int) -> Squares:
        """Rows and columns of that kind, by rows, without the agent's own: it is drawn there itself."""
        if kind not in self._found:
            width = self.kinds.shape[1]
            wanted, own = bytes([kind]), self.at[0] * width + self.at[1]
            # a search in bytes costs less than any pass of NumPy over a map, which holds few of a kind
            places, at = [], self._packed.find(wanted)
            while at >= 0:
                if at != own:
                    places.append(divmod(at, width))
                at = self._packed.find(wanted, at + 1)
            self._found[kind] = places
        return self._found[kind]

    @cached_property
    def _packed(self) -> bytes:
        return self.kinds.tobytes()


@dataclass
class Game:
    """A game of one of MiniHack's environments.

    Args:
        env: as `KeyRoom-S5`.
        level: seed of the level, where all episodes have the same; None draws it from the episode's.
    """

    env: str
    level: int | None = None

    def __post_init__(self) -> None:
        self._now: Seen | None = None
        self.native = make_native(self.env, KEYS)
        _lighten(self.native)

    @property
    def actions(self) -> tuple[str, ...]:
        return action_names(self.native)

    def reset(self, seed: int) -> Seen:
        """Begin an episode."""
        self._now = _seen(begin(self.native, seed, self.level), won=False, dead=False)
        return self._now

    def step(self, action: int) -> Seen:
        """Do one action. A death leaves the map as it was before: NetHack clears it."""
        before = self._now
        assert before is not None, "reset comes first"
        observation, _, end = step(self.native, action)
        if end == DEAD:
            self._now = replace(before, message=_text(observation["message"].tobytes()), dead=True)
        else:
            self._now = _seen(observation, won=end == WON, dead=False)
        return self._now

    def close(self) -> None:
        self.native.close()


def make_native(env: str, keys: tuple[str, ...]) -> Any:
    """MiniHack's own environment, which gives these observations and never ends for its length."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what MiniHack imports
        made: Any = gymnasium.make(
            f"minihack:MiniHack-{env}-v0", disable_env_checker=True, observation_keys=keys
        ).unwrapped
    made._max_episode_steps = NEVER
    quit_game = made._quit_game

    def keep_and_quit(observation: Any, done: bool) -> None:
        made.last_seen = {key: value.copy() for key, value in made._get_observation(observation).items()}
        quit_game(observation, done)

    # leaving the game draws over the arrays that it hands out
    made._quit_game = keep_and_quit
    return made


class _Uncopied(tuple[Any, ...]):
    """Observations by number; whoever goes through all of them to copy them finds none."""

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def _lighten(native: Any) -> None:
    """Leave out of NetHack's observations what nobody reads: MiniHack has each square put into words at each step, and
    every observation copied twice."""
    assert native.reward_manager is None, "which reads what it likes"
    nethack = native.nethack
    read = {name: array for name, array in nethack._obs_buffers.items() if name in {*KEYS, *_READ_THERE}}
    nethack._pynethack.set_buffers(**read)
    nethack._obs = _Uncopied(read.get(name, np.zeros(0)) for name in nethack._obs_buffers)
    # it compares with the copy, and rewards are not read here
    native._reward_fn = lambda *_: 0.0

    def in_words(column: int, row: int, observation: Any = None) -> str:
        """As far as MiniHack's own `apply` asks: whether a square is a closed door."""
        glyphs = (observation or native.last_observation)[native._glyph_index]
        return "closed door" if kinds()[glyphs[row, column]] == NUMBER["closed_door"] else ""

    native.get_screen_description = in_words


def begin(native: Any, seed: int, level: int | None) -> Mapping[str, Any]:
    """Its observation at the beginning of the episode that these seeds alone decide."""
    from nle.env import NLE

    if hasattr(native, "minigrid_env"):
        native.minigrid_env.reset(seed=seed if level is None else level)
    # MiniHack's own `seed` takes no seed of the level in some environments
    NLE.seed(native, seed, seed, False, seed if level is None else level)
    observation: Mapping[str, Any] = native.reset()[0]
    return observation


def step(native: Any, action: int) -> tuple[Mapping[str, Any], float, str]:
    """Its observation after an action, at the end of an episode as well; its reward; and how the episode stands."""
    native.last_seen = None
    observation, reward, _, _, told = native.step(action)
    return native.last_seen or observation, float(reward), told["end_status"].name


def action_names(native: Any) -> tuple[str, ...]:
    """By number, in words."""
    return tuple(_COMPASS.get(action.name, action.name.lower()) for action in native.actions)


_COMPASS = {
    "N": "north",
    "E": "east",
    "S": "south",
    "W": "west",
    "NE": "northeast",
    "SE": "southeast",
    "SW": "southwest",
    "NW": "northwest",
}


def _seen(observation: Mapping[str, Any], *, won: bool, dead: bool) -> Seen:
    column, row = (int(number) for number in observation["blstats"][:2])
    found = kinds().take(observation["glyphs"])
    return Seen(
        kinds=found,
        characters=observation["chars"].copy(),
        at=(row, column),
        message=_text(observation["message"].tobytes()),
        inventory=_inventory(observation["inv_strs"].tobytes(), observation["inv_strs"].shape[1]),
        won=won,
        dead=dead,
    )


@lru_cache(maxsize=1024)
def _inventory(letters: bytes, width: int) -> tuple[str, ...]:
    lines = (_text(letters[at : at + width]) for at in range(0, len(letters), width))
    return tuple(line for line in lines if line)


def _text(letters: bytes) -> str:
    return letters.split(b"\0", 1)[0].decode("latin-1")
