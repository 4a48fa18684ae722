"""What a sweep needs beyond the package itself, imported where it is used; what lacks is told before a sweep starts."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from importlib import import_module
from types import ModuleType

from reward_agent.errors import MissingComponentError

INSTALL = "pip install 'reward-agent[sweep]'"
PACKAGES = {"yaml": "PyYAML", "rliable": "rliable", "matplotlib": "matplotlib"}


def component(module: str) -> ModuleType:
    """The module, as `rliable.library`; standard output stays untouched by what it may print.

    Raises:
        MissingComponentError: it is not there, or not with the versions of what it needs itself.
    """
    package = PACKAGES[module.partition(".")[0]]
    try:
        with redirect_stdout(sys.stderr):
            return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingComponentError(
            f"Sweeps need {package}, and {error.name} is not installed. `{INSTALL}` installs all that sweeps need."
        ) from error
    except Exception as error:
        # as arch 7, which rliable wants, does with pandas 3
        raise MissingComponentError(
            f"Sweeps need {package}, which is installed but cannot be imported here ({type(error).__name__}: {error}). "
            f"`{INSTALL}` brings versions that go together."
        ) from error


def require_all() -> None:
    """Raises `MissingComponentError` where a sweep could not be told to its end: better now than in three hours."""
    for module in ("yaml", "rliable.library", "rliable.metrics", "matplotlib.figure"):
        component(module)
