"""The state of a `gymnasium` world as source that needs nothing of this package, for exported rewards."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import gymnasium
from gymnasium import spaces

from reward_agent.envs.gymnasium import mujoco_reading, state
from reward_agent.envs.gymnasium.making import Env, Factory, close, make, name_of
from reward_agent.envs.gymnasium.mujoco_state import FromModel
from reward_agent.envs.gymnasium.state import FromFunction, FromObservation, Source, Together
from reward_agent.errors import UsageError

if TYPE_CHECKING:
    from reward_agent.envs.gymnasium.world import GymnasiumWorld

READER = '''class StateReader(gymnasium.Wrapper):
    """An environment that also tells its state, by `read(environment without wrappers, observation)`."""

    def __init__(self, env, read):
        super().__init__(env)
        self._read = read

    def reset(self, **options):
        self._observation, info = self.env.reset(**options)
        return self._observation, info

    def step(self, action):
        self._observation, *rest = self.env.step(action)
        return (self._observation, *rest)

    def begin(self):
        return self._read(self.env.unwrapped, self._observation)

    advance = begin'''


def source(world: GymnasiumWorld, paths: Sequence[str]) -> str:
    """See `export.Standalone`.

    Raises:
        UsageError: the state comes from a source that cannot be written down.
    """
    env = make(world.factory)
    try:
        parts = _Parts(env, tuple(paths))
        parts.add(world.surveyed.source)
        flat = isinstance(env.observation_space, spaces.Box) and len(env.observation_space.shape) == 1
    finally:
        close(env)
    made, given = _made(world.factory)
    takes = [*given, *(["state"] if parts.wants_function else []), *([] if given else ["**options"])]
    doc = ["The environment and what reads its state"]
    doc += [f"`env` is one as {name_of(world.factory)} makes"] if given else ["`options` go to `gymnasium.make`"]
    doc += [f"`state(env, observation)` is the task's own function `{parts.function}`"] if parts.wants_function else []
    lines = [
        *parts.before,
        READER,
        "",
        "",
        f"def base_env({', '.join(takes)}):",
        f'    """{"; ".join(doc)}."""',
        *([f"    env = {made}"] if made else []),
        *(["    model, data = env.unwrapped.model, other_data(env.unwrapped.model)"] if parts.models else []),
        "",
        "    def read(inner, observation):",
        *[f"        {line}" for line in (*parts.lines, "return values")],
        "",
        "    reader = StateReader(env, read)",
        f"    return {'reader' if flat else 'gymnasium.wrappers.FlattenObservation(reader)'}, reader",
    ]
    return "\n".join(["import gymnasium", *(["import mujoco"] if parts.models else []), "", *lines])


class _Parts:
    """What reads each field, gathered over the sources of a state."""

    def __init__(self, env: Env, paths: Sequence[str]) -> None:
        self.before: list[str] = []
        """Definitions."""
        self.lines: list[str] = ["values = {}"]
        """Of `read`."""
        self.models = self.wants_function = False
        self.function = ""
        self._env, self._left = env, [*paths]

    def add(self, source: Source) -> None:
        """What this source reads of the fields that are left."""
        if isinstance(source, Together):
            for inner in source.sources:
                self.add(inner)
        elif isinstance(source, FromModel):
            self._of_model(source)
        elif isinstance(source, FromObservation):
            self._of_observation(source)
        elif isinstance(source, FromFunction) and self._left:
            self._of_function(source)
        elif self._left:
            raise UsageError(f"{', '.join(self._left)} cannot be exported: {type(source).__name__} has no text.")

    def _of_model(self, source: FromModel) -> None:
        table = source.table(self._env.unwrapped, self._left)
        if table:
            entries = [f"    {path!r}: {entry!r}," for path, entry in table.items()]
            text = inspect.getsource(mujoco_reading)
            self.before += ["TABLE = {  # how and where each quantity is read", *entries, "}", "", ""]
            self.before += [text[text.index("MOTION, CONTACT") :].strip(), "", ""]
            self.lines.append("values |= read_model(model, inner.data, data, TABLE)")
            self.models = True
            self._take(table)

    def _of_observation(self, source: FromObservation) -> None:
        routes = source.routes(self._env.observation_space)
        found = {path: routes[path] for path in self._left if path in routes}
        for path, route in found.items():
            self.lines.append(f"values[{path!r}] = observation{''.join(f'[{key!r}]' for key in route)}")
        self._take(found)

    def _of_function(self, source: FromFunction) -> None:
        self.before += [inspect.getsource(state._flat).replace("_flat", "flat").strip(), "", ""]
        self.lines.append("values |= dict(flat(state(inner, observation)))")
        self.wants_function, self.function = True, getattr(source.function, "__name__", "state")
        self._left = []

    def _take(self, found: Any) -> None:
        self._left = [path for path in self._left if path not in found]


def _made(factory: Factory) -> tuple[str, tuple[str, ...]]:
    """How the file makes the environment, or the parameter that it is to be given by."""
    options: dict[str, Any] = {}
    if isinstance(factory, partial) and factory.func is gymnasium.make and len(factory.args) == 1:
        options = {**factory.keywords}
        factory = factory.args[0]
    options.pop("max_episode_steps", None)
    if not isinstance(factory, str) or not _is_literal(options):
        return "", ("env",)
    given = f"**{{**{options!r}, **options}}" if options else "**options"
    return f"gymnasium.make({factory!r}, max_episode_steps=HORIZON, {given})", ()


def _is_literal(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False
