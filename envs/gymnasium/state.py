"""Where a state comes from: a function of the user's, the observation itself, or several of such together."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gymnasium import spaces

from reward_agent.envs.gymnasium.making import Env
from reward_agent.envs.gymnasium.spaces import Route, Space, leaves
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
    """Parts of the observation.

    Args:
        columns: names for the numbers of a flat observation; without them it is one field, `observation.values`.
        parts: the keys that lead to each field; all parts of a nested observation, by their own names, unless given.
    """

    columns: tuple[str, ...] = ()
    parts: Mapping[str, Route] | None = None

    def describe(self, env: Env) -> Docs:
        docs: dict[str, Entity | str] = {OBSERVATION: "what the policy observes"}
        if VALUES in self.routes(env.observation_space):
            docs[VALUES] = "the numbers that the policy observes, in its order"
        return docs

    def bind(self, env: Env, paths: Collection[str] | None) -> Read:
        found = self.routes(env.observation_space)
        routes = {path: route for path, route in found.items() if paths is None or path in paths}
        return lambda observation: {path: part(observation, route) for path, route in routes.items()}

    def routes(self, space: Space) -> dict[str, Route]:
        """How to come to each field.

        Raises:
            UsageError: there are not as many columns as names.
        """
        if not self.columns:
            return dict(self.parts or {_own_path(route): route for route, _ in leaves(space)})
        width = space.shape[0] if isinstance(space, spaces.Box) and space.shape and len(space.shape) == 1 else None
        if width != len(self.columns):
            raise UsageError(
                f"`columns` names {len(self.columns)} columns of the observation, which is {space}. It is for flat "
                "observations and names each number; for others, give `state`."
            )
        paths = [name if "." in name else f"{OBSERVATION}.{name}" for name in self.columns]
        return {path: (index,) for index, path in enumerate(paths)}


@dataclass(frozen=True)
class Together:
    """Several sources; no path is in two of them."""

    sources: Sequence[Source]

    def describe(self, env: Env) -> Docs:
        return {path: doc for source in self.sources for path, doc in source.describe(env).items()}

    def bind(self, env: Env, paths: Collection[str] | None) -> Read:
        reads = [source.bind(env, paths) for source in self.sources]
        return lambda observation: {path: value for read in reads for path, value in read(observation).items()}


def part(observation: Any, route: Route) -> Any:
    """What the keys lead to."""
    for key in route:
        observation = observation[key]
    return observation


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


def _own_path(route: Route) -> str:
    """A part of an observation as a field's path: under `observation`, each key a name."""
    keys = [key if isinstance(key, str) else f"item_{key}" for key in route] or ["values"]
    return ".".join((OBSERVATION, *map(attribute, keys)))
