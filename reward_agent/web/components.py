"""What the page needs beyond the package itself, and whether it is here."""

from __future__ import annotations

from importlib.util import find_spec

from reward_agent.errors import MissingComponentError

INSTALL = "pip install 'reward-agent[web]'"
PACKAGES = ("fastapi", "uvicorn")


def missing() -> str | None:
    """What this machine lacks to serve the page and the command that installs it; None when it can."""
    lacking = [name for name in PACKAGES if find_spec(name) is None]
    return f"{' and '.join(lacking)} not installed: {INSTALL}" if lacking else None


def require() -> None:
    """Raises `MissingComponentError` where the page cannot be served."""
    if lacking := missing():
        raise MissingComponentError(f"The page cannot be served here: {lacking}")
