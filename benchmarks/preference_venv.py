"""The virtual environment that `imitation` runs in: it wants older packages than ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from reward_agent.errors import MissingComponentError

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("imitation==1.0.1", "numpy<2")
"""Gymnasium 0.29 and stable-baselines3 2.2, which this release of imitation wants, are of before numpy 2."""
SETUP = "python benchmarks/preference_baseline.py --setup"


def interpreter() -> Path:
    """Of the environment that `IMITATION_VENV` names; of `.venv-imitation` in the checkout where it names none."""
    return Path(os.environ.get("IMITATION_VENV") or ROOT / ".venv-imitation").absolute() / "bin" / "python"


def missing() -> str | None:
    """What lacks, and the command that mends it."""
    python = interpreter()
    if python.is_file() and not subprocess.run([python, "-c", "import imitation"], capture_output=True).returncode:
        return None
    return (
        f"Learning from preferences needs the imitation package in a virtual environment of its own, and {python} has "
        f"none. Make it with `{SETUP}` (IMITATION_VENV says where), or set IMITATION_VENV to one that has it."
    )


def require() -> Path:
    """The interpreter. Raises `MissingComponentError` where the environment is not there."""
    if lacking := missing():
        raise MissingComponentError(lacking)
    return interpreter()


def make() -> None:
    """Make the environment and fill it; what is there stays. torch comes as `scripts/setup` has it come.

    Raises:
        MissingComponentError: a package cannot be had.
    """
    python = interpreter()
    if not python.is_file():
        _run([sys.executable, "-m", "venv", str(python.parent.parent)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    torch = next(line for line in constraints if line.startswith("torch=="))
    index = os.environ.get("TORCH_INDEX")
    alone = ["--retries", "2", "--timeout", "20", "--no-deps", "--index-url", index] if index else ["--retries", "10"]
    _run([*pip, *alone, torch])
    _run([*pip, "--retries", "10", torch, *PACKAGES])


def _run(command: list[str]) -> None:
    print(f"setup: {' '.join(command)}", file=sys.stderr, flush=True)
    if subprocess.run(command).returncode:
        raise MissingComponentError(
            f"The virtual environment for imitation could not be made: `{' '.join(command)}` failed, as said above. "
            f"Mend that and run `{SETUP}` again."
        )
