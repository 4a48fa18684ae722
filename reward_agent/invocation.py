"""How a user would type this package's command again: as it was started, and quoted."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from shlex import quote

NAME = "reward-agent"


def command() -> str:
    """The command as it can be typed here: its name, or the path it was started by where the name is not found."""
    started = Path(sys.argv[0]) if sys.argv else Path(NAME)
    if started.name == "__main__.py" and started.parent.name == "reward_agent":
        return "python -m reward_agent"
    if started.name != NAME or shutil.which(NAME):
        return NAME
    here = Path.cwd()
    return quote(str(started.relative_to(here) if started.is_relative_to(here) else started))


def resume_command(folder: Path) -> str:
    """The command that goes on with the run in `folder`."""
    return f"{command()} resume {quote(str(folder))}"


def rank_command(folder: Path) -> str:
    """The command that opens the page on what is to be judged in the run in `folder`."""
    return f"{command()} rank {quote(str(folder))}"
