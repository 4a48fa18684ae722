"""Where a state comes from: a function of the user's, the observation itself, or several of such together."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gymnasium import spaces

from reward_agent.envs.gymnasium.making import Env
from reward_agent.envs.gymnasium.spaces import Space, leaf_values
from reward_agent.errors import UsageError
from reward_agent.schema import Entity, Field

StateFunction = Callable[[Any, Any], Mapping[str, Any]]
"""`state(env, observation)`: values by path, `env` without its wrappers."""
Read = Callable[[Any], Mapping[str, Any]]
"""Values by path, given the observation of the instant."""
Docs = Mapping[str, Field | Entity | str]
"""What is known of fields and entities, by path."""

OBSERVATION = "observation"
VALUES = f"{OBSERVATION}.values"


class Source(Protocol):
    """A way of reading a state out of an environment. Reading must not change what is simulated."""

    def describe(self, env: Env) -> Docs:
        """What is known of the fields and entities before any value is seen."""
        ...

    def bind(self, env: Env, paths: Collection[str] | None) -> Read:
        """What reads these fields of this environment (all unless said which); it may read more."""
        ...


@dataclass(frozen=True)
class FromFunction:
    """The user's own function; nested mappings are joined by dots."""

    function: StateFunction

    def describe(self, env: Env) -> Docs:
        return {}

    def bind(self, env: Env, paths: Collection[str] | None) -> Read:
        inner, function = env.unwrapped, self.function

        def read(observation: Any) -> Mapping[str, Any]:
            values = function(inner, observation)
            if not isinstance(values, Mapping):
                raise UsageError(
                    f"`state` must return a dictionary of values by path, as {{'cart.position': …}}, not {values!r:.60}"
                )
            return dict(_flat(values))

        return read


@dataclass(frozen=True)
class FromObservation:
    """The parts of the observation, by its keys.

    Args:
        columns: names for the columns of a flat observation; without them it is one field, `observation.values`.
    """

    columns: tuple[str, ...] = ()

    def describe(self, env: Env) -> Docs:
        docs: dict[str, Entity | str] = {OBSERVATION: "what the policy observes"}
        if not self.columns and not isinstance(env.observation_space, spaces.Dict | spaces.Tuple):
            docs[VALUES] = "the numbers that the policy observes, in its order"
        return docs

    def bind(self, env: Env, paths: Collection[str] | None) -> Read:
        space = env.observation_space
        if self.columns:
            return self._by_column(space)
        names = {path: attribute_path(path) for path, _ in leaf_values(space, _skeleton(space))}
        return lambda observation: {names[path]: value for path, value in leaf_values(space, observation)}

    def _by_column(self, space: Space) -> Read:
        width = space.shape[0] if isinstance(space, spaces.Box) and space.shape and len(space.shape) == 1 else None
        if width != len(self.columns):
            raise UsageError(
                f"`columns` names {len(self.columns)} columns of the observation, which is {space}. It is for flat "
                "observations and names each number; for others, give `state`."
            )
        paths = tuple(name if "." in name else f"{OBSERVATION}.{name}" for name in self.columns)
        return lambda observation: dict(zip(paths, observation, strict=True))


@dataclass(frozen=True)
class Together:
    """Several sources; no path is in two of them."""

    sources: Sequence[Source]

    def describe(self, env: Env) -> Docs:
        return {path: doc for source in self.sources for path, doc in source.describe(env).items()}

    def bind(self, env: Env, paths: Collection[str] | None) -> Read:
        reads = [source.bind(env, paths) for source in self.sources]
        return lambda observation: {path: value for read in reads for path, value in read(observation).items()}


def attribute_path(path: str) -> str:
    """A part of an observation as a field's path: under `observation`, each key a name."""
    keys = path.split(".") if path else ["values"]
    return ".".join((OBSERVATION, *map(attribute, keys)))


def attribute(name: str) -> str:
    """A name as Python's attributes have them: what they cannot have becomes `_`."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_")
    return plain if plain and not plain[0].isdigit() else f"n{plain}"


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _skeleton(space: Space) -> Any:
    """Something with the keys of an observation, and no values."""
    if isinstance(space, spaces.Dict):
        return {key: _skeleton(inner) for key, inner in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return [_skeleton(inner) for inner in space.spaces]
    return None
