"""What a policy sees and does in any environment: flat observations, and actions with bounds or with numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from reward_agent.errors import UsageError
from reward_agent.schema import ActionSpec, Array

Space = spaces.Space[Any]

Route = tuple[str | int | slice, ...]
"""Keys that lead to a part of an observation, the last perhaps to a few of its numbers."""

LEAVES = (spaces.Box, spaces.Discrete, spaces.MultiBinary, spaces.MultiDiscrete)


def flat_space(space: Space, name: str) -> spaces.Box:
    """The box of flat observations `(O,)`.

    Raises:
        UsageError: observations are images, texts, graphs or sequences.
    """
    for route, leaf in leaves(space):
        where = f" ({'.'.join(map(str, route))})" if route else ""
        what = f"{name}'s observations{where} are"
        if not isinstance(leaf, LEAVES):
            raise UsageError(
                f"{what} of the space {type(leaf).__name__}, whose length may vary; a policy here sees always as many "
                "numbers. Wrap the environment so that it gives those (`gymnasium.wrappers.TransformObservation`)."
            )
        shape = leaf.shape or ()
        if len(shape) > 2 or (len(shape) == 2 and leaf.dtype == np.uint8):
            raise UsageError(
                f"{what} images or the like, of shape {shape}: policies here are small networks over flat "
                "observations. Let the environment give numbers instead, by an option of its own or by a wrapper "
                "(`gymnasium.wrappers.TransformObservation`)."
            )
    flat = spaces.flatten_space(space)
    assert isinstance(flat, spaces.Box)
    return spaces.Box(flat.low.astype(np.float64), flat.high.astype(np.float64), dtype=np.float64)


def flatten(space: Space, observation: Any) -> Array:
    """An observation laid flat, `(O,)`."""
    flat: Array = np.asarray(spaces.flatten(space, observation), np.float64)
    return flat


def leaves(space: Space, route: Route = ()) -> Iterator[tuple[Route, Space]]:
    """The simple spaces that a nested one is made of, and the keys that lead to each; () to one alone."""
    if isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            yield from leaves(inner, (*route, key))
    elif isinstance(space, spaces.Tuple):
        for index, inner in enumerate(space.spaces):
            yield from leaves(inner, (*route, index))
    else:
        yield route, space


def action_spec(space: Space, name: str, names: Sequence[str], bounds: tuple[float, float] | None) -> ActionSpec:
    """What rewards and policies call the actions.

    Args:
        space: the environment's.
        name: the environment's, for messages.
        names: one a column, or one a number of a discrete space; made up where there are none.
        bounds: of an action space that has none, or to keep to a part of it.

    Raises:
        UsageError: actions of another kind, without bounds, or not as many as there are names.
    """
    if isinstance(space, spaces.Discrete):
        return ActionSpec(_named(names, int(space.n), name, "numbers"), discrete=True)
    if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        raise UsageError(
            f"{name}'s actions are several discrete choices at once ({space}), which no optimiser here takes. Wrap the "
            "environment so that one number stands for a combination (`Discrete`), or a number between -1 and 1 for "
            "each choice (`Box`): `gymnasium.wrappers.TransformAction`."
        )
    if not isinstance(space, spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        raise UsageError(
            f"{name}'s actions are {space}; here they are numbers between bounds (`Box` of floats) or one of a few "
            "(`Discrete`). Wrap the environment by `gymnasium.wrappers.TransformAction`."
        )
    low, high = (np.asarray(bound, np.float64).ravel() for bound in (space.low, space.high))
    if bounds is not None:
        low, high = np.maximum(low, bounds[0]), np.minimum(high, bounds[1])
        if (low >= high).any():
            raise UsageError(f"`action_bounds={bounds}` leave nothing of {name}'s actions, {space}.")
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise UsageError(
            f"{name}'s actions have no bounds ({space}), but exploration and the policy's output need some. Say which "
            "make sense, as `action_bounds=(-1.0, 1.0)`, or give the environment's action space bounds."
        )
    return ActionSpec(_named(names, len(low), name, "columns"), low=tuple(low.tolist()), high=tuple(high.tolist()))


def applied_as(space: Space, spec: ActionSpec) -> Callable[[Array], Any]:
    """How an action of ours, `(A,)`, is handed to the environment."""
    if isinstance(space, spaces.Discrete):
        start = int(space.start)
        return lambda action: start + int(action[0])
    assert isinstance(space, spaces.Box)
    low, high, dtype, shape = space.low, space.high, space.dtype, space.shape
    # ours are clipped as doubles: in its own type a bound may lie a hair further out than the environment allows
    return lambda action: np.clip(action.reshape(shape).astype(dtype), low, high)


def row_action_space(spec: ActionSpec) -> spaces.Box | spaces.Discrete:
    """The action space that a row has: flat."""
    if spec.discrete:
        return spaces.Discrete(len(spec.names))
    return spaces.Box(np.array(spec.low, np.float32), np.array(spec.high, np.float32), dtype=np.float32)


def _named(names: Sequence[str], count: int, name: str, what: str) -> tuple[str, ...]:
    if names and len(names) != count:
        raise UsageError(f"`actions` names {len(names)} {what} of {name}'s actions, which have {count}.")
    return tuple(names) or tuple(f"action_{index}" for index in range(count))
