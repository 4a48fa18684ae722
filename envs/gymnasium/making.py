"""Environments made as their user says: by a Gymnasium id or by a function; and what is wrong when they cannot be."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from typing import Any

import gymnasium
from gymnasium import error as gymnasium_errors

from reward_agent.envs.rendering import environment, working_backend
from reward_agent.errors import MissingComponentError, RewardAgentError, UsageError, raised

Env = gymnasium.Env[Any, Any]
Factory = str | Callable[..., Env]
"""A Gymnasium id, or what gives an environment when it is called without arguments."""

DRAWING = {"render_mode": "rgb_array"}


def name_of(factory: Factory) -> str:
    """What a person would call the environment."""
    if isinstance(factory, str):
        return factory
    given = getattr(factory, "args", ())  # of a functools.partial, as of `gymnasium.make` with an id
    if given and isinstance(given[0], str):
        return given[0]
    inner = getattr(factory, "func", factory)
    return str(getattr(inner, "__name__", type(inner).__name__))


def make(factory: Factory, **options: Any) -> Env:
    """A new environment; `options` as `render_mode` go to what makes it.

    Raises:
        MissingComponentError: it needs a package that is not installed.
        UsageError: there is no such id, or what was made is no environment.
        RewardAgentError: making it failed.
    """
    if isinstance(factory, gymnasium.Env):
        raise UsageError(
            f"Many environments are made of one task, so give what makes them: a function or a class, as "
            f"`{type(factory).__name__}`, not `{type(factory).__name__}(...)`; or the id it is registered by."
        )
    name = name_of(factory)
    try:
        if isinstance(factory, str):
            # its checker warns of what `survey` refuses, at every one of the many that are made
            env = gymnasium.make(factory, disable_env_checker=True, **options)
        else:
            env = factory(**options)
    except ImportError as error:
        raise MissingComponentError(_lacking(name, error)) from error
    except gymnasium_errors.DependencyNotInstalled as error:
        raise MissingComponentError(f"The environment {name} lacks a package. {_line(error)}.") from error
    except gymnasium_errors.UnregisteredEnv as error:
        raise UsageError(
            f"Gymnasium knows no environment {name!r}. {_line(error)}. One that another package registers is named "
            "with that package, as `package:Name-v0`."
        ) from error
    except RewardAgentError:
        raise
    except Exception as error:
        raise RewardAgentError(f"The environment {name} cannot be made: {raised(error)}.") from error
    if not isinstance(env, gymnasium.Env):
        raise UsageError(
            f"{name} gives a {type(env).__module__}.{type(env).__name__}, which is no `gymnasium.Env`. Environments "
            "of the older gym can be wrapped by the package shimmy; of a vector environment, give a single one."
        )
    return env


def make_drawing(factory: Factory) -> Env:
    """An environment that gives images.

    Raises:
        MissingComponentError: it gives none, or what draws them is not installed.
    """
    if "mujoco" in sys.modules and (backend := working_backend()) is not None:
        os.environ.update(environment(backend))  # MuJoCo draws by what these name when the first image is wanted
    options = DRAWING if isinstance(factory, str) or _takes(factory, "render_mode") else {}
    env = make(factory, **options)
    if env.render_mode != DRAWING["render_mode"]:
        close(env)
        raise MissingComponentError(
            f"The environment {name_of(factory)} gives no images. Let what makes it take `render_mode` and hand it on, "
            "with 'rgb_array' among its `metadata['render_modes']`, and `render()` return an array (H, W, 3) of uint8."
        )
    return env


def close(env: Env) -> None:
    """Free what it holds."""
    env.close()  # type: ignore[no-untyped-call]


def limit_of(env: Env) -> int | None:
    """Steps after which a `TimeLimit` wrapper truncates; None where there is none."""
    while isinstance(env, gymnasium.Wrapper):
        if isinstance(env, gymnasium.wrappers.TimeLimit):
            return int(env._max_episode_steps)
        env = env.env
    return None


def _takes(factory: Callable[..., Env], option: str) -> bool:
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return False
    return option in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _lacking(name: str, error: ImportError) -> str:
    package = (error.name or "").partition(".")[0]
    fix = f" Install the package that has {package!r}, often: pip install {package}" if package else ""
    return f"The environment {name} lacks a package: {_line(error)}.{fix}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
