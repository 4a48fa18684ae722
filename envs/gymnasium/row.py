"""One `gymnasium.Env` as a row of a batch (`envs.rows.Row`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.gymnasium.making import Env, Factory, close, make, make_drawing, name_of
from reward_agent.envs.gymnasium.spaces import applied_as, flat_space, flatten, row_action_space
from reward_agent.envs.gymnasium.state import Source
from reward_agent.envs.gymnasium.survey import fold
from reward_agent.envs.rows import RowStep
from reward_agent.errors import MissingComponentError, RewardAgentError, raised
from reward_agent.schema import ActionSpec, Array, StateSchema


@dataclass(frozen=True)
class Recipe:
    """All that a row is made of."""

    factory: Factory
    source: Source
    action: ActionSpec
    small_seeds: bool
    """Seeds are folded to 31 bits, for the environment takes no large ones."""


class EnvRow:
    """An environment with the fields that were asked for.

    Rewards and `info` are dropped here: what a program reads comes from the environment and its observation alone.

    Raises:
        RewardAgentError: the environment or the state function fails, with the place; or it gives what is no number.
    """

    def __init__(self, recipe: Recipe, fields: StateSchema) -> None:
        self._recipe, self._fields, self._name = recipe, fields, name_of(recipe.factory)
        self._columns = [(field, field.path, fields.columns[field.path]) for field in fields.fields]
        self._hold(make(recipe.factory))
        self.observation_space = flat_space(self._space, self._name)
        self.action_space = row_action_space(recipe.action)
        self._seed: int | None = None
        self._actions: list[Array] = []
        self._observation: Any = None

    def reset(self, seed: int) -> Array:
        """See `Row.reset`."""
        self._seed, self._actions = seed, []
        return self._begin()

    def step(self, action: Array) -> RowStep:
        """See `Row.step`."""
        self._actions.append(np.array(action, np.float64))
        return self._advance(action)

    def state(self) -> Array:
        """See `Row.state`."""
        packed = np.empty(self._fields.width)
        if not self._columns:
            return packed
        try:
            values = self._read(self._observation)
            for field, path, columns in self._columns:
                value = np.asarray(values[path])
                if value.shape != field.shape:
                    raise ValueError(f"{path!r} has the shape {value.shape}, not {field.shape} as at first")
                packed[columns] = value.ravel()
                if field.kind != "float" and not (packed[columns] == np.floor(packed[columns])).all():
                    raise ValueError(f"{path!r} is {value}, but was a whole number at first: make it a float there too")
        except Exception as error:
            self._fail("the state cannot be read", error)
        if np.isnan(packed).any():
            bad = next(path for _, path, columns in self._columns if np.isnan(packed[columns]).any())
            self._fail(f"the field {bad!r} is nan")
        return packed

    def render(self) -> NDArray[np.uint8]:
        """An image, of even height and width. What draws is made when the first is wanted: no training pays for it.

        Raises:
            MissingComponentError: the environment gives no images, or what draws them is not installed.
        """
        if self._env.render_mode != "rgb_array":
            self._draw()
        try:
            image = np.asarray(self._env.render())
        except Exception as error:
            raise MissingComponentError(
                f"The environment {self._name} cannot be drawn here: {raised(error)}."
            ) from error
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise MissingComponentError(
                f"{self._name} draws {image.dtype} of shape {image.shape}, not an image (H, W, 3) of uint8."
            )
        height, width = (size // 2 * 2 for size in image.shape[:2])  # as films want it
        return image[:height, :width]

    def close(self) -> None:
        close(self._env)

    def _hold(self, env: Env) -> None:
        self._env, self._space = env, env.observation_space
        self._apply = applied_as(env.action_space, self._recipe.action)
        self._read = self._recipe.source.bind(env, set(self._fields.by_path))

    def _begin(self) -> Array:
        assert self._seed is not None
        seed = fold(self._seed) if self._recipe.small_seeds else self._seed
        try:
            self._observation, _ = self._env.reset(seed=seed)
        except Exception as error:
            self._fail("it cannot be reset", error)
        return self._seen()

    def _advance(self, action: Array) -> RowStep:
        try:
            self._observation, _, terminated, truncated, _ = self._env.step(self._apply(action))
        except Exception as error:
            self._fail("it cannot step", error)
        return RowStep(self._seen(), bool(terminated), bool(truncated))

    def _seen(self) -> Array:
        try:
            seen = flatten(self._space, self._observation)
        except Exception as error:
            self._fail("its observation is not as its observation space says", error)
        if seen.shape != self.observation_space.shape:
            self._fail(f"its observation has {seen.size} numbers, its space {self.observation_space.shape[0]}")
        if not np.isfinite(seen).all():
            self._fail(f"number {int(np.argmin(np.isfinite(seen)))} of its observation is not finite")
        return seen

    def _draw(self) -> None:
        """Go on with an environment that draws, brought to where this one is."""
        drawing = make_drawing(self._recipe.factory)
        close(self._env)
        self._hold(drawing)
        if self._seed is not None:
            self._begin()
            for action in self._actions:
                self._advance(action)

    def _fail(self, what: str, error: BaseException | None = None) -> NoReturn:
        if isinstance(error, RewardAgentError):
            raise error
        where = f"step {len(self._actions)} of the episode with the seed {self._seed}" if self._actions else "the reset"
        told = f": {raised(error)}" if error is not None else ""
        raise RewardAgentError(f"The environment {self._name} failed at {where}; {what}{told}.") from error
