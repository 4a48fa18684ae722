"""`reward-agent doctor`: what works on this machine, what does not, and the command that fixes it."""

from __future__ import annotations

import os
import platform
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from reward_agent.cli.answer import Answer
from reward_agent.errors import MissingComponentError

HELP = "what works on this machine, what does not, and the command that fixes it"


@dataclass(frozen=True)
class Finding:
    """One thing that was tried."""

    area: str
    name: str
    works: bool
    detail: str
    fix: str = ""
    """The command that mends it."""
    essential: bool = False
    """Without it nothing can be trained."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="every finding, not one line an area")


def run(args: Namespace) -> Answer:
    findings = [*_python(), *_sandbox(), *_rendering(), *_worlds(), *_models()]
    broken = [finding for finding in findings if finding.essential and not finding.works]
    value = {"ok": not broken, "findings": [asdict(finding) for finding in findings]}
    return Answer(value, _text(findings, every=args.all), exit_code=MissingComponentError.exit_code if broken else 0)


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding(
        "python",
        "python",
        sys.version_info >= (3, 11),
        f"{version} on {platform.system()} {platform.machine()}, {cores} cores",
        "install Python 3.11 or newer, then: make setup PYTHON=python3.11",
        essential=True,
    )
    lacking, installed = _packages()
    yield Finding(
        "python",
        "packages",
        not lacking,
        f"{installed} packages" + (f"; missing: {', '.join(lacking)}" if lacking else ""),
        f"{sys.executable} -m pip install {' '.join(lacking)}",
        essential=True,
    )


def _packages() -> tuple[list[str], int]:
    """Required packages that are not installed, and how many are."""
    import re
    from importlib.metadata import PackageNotFoundError, requires, version

    wanted = [text for text in requires("reward-agent") or () if "extra ==" not in text]
    lacking = []
    for requirement in wanted:
        try:
            version(re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0])
        except PackageNotFoundError:
            lacking.append(requirement)
    return lacking, len(wanted) - len(lacking)


def _sandbox() -> Iterator[Finding]:
    from reward_agent.sandbox.cell import Cell
    from reward_agent.sandbox.layers import describe

    for layer, works, detail, fix in describe():
        yield Finding("sandbox", layer, works, detail, fix)
    try:
        with Cell() as cell:
            yield Finding("sandbox", "cell", True, f"starts, with {', '.join(cell.layers)}", essential=True)
    except MissingComponentError as error:
        yield Finding("sandbox", "cell", False, str(error), "sudo apt-get install -y bubblewrap", essential=True)


def _rendering() -> Iterator[Finding]:
    from reward_agent.envs.mujoco.rendering import working_backend

    backend = working_backend()
    detail = f"off-screen through {backend}" if backend else "no off-screen OpenGL: trainings run, videos are left out"
    yield Finding("rendering", "opengl", backend is not None, detail, "sudo apt-get install -y libosmesa6")


def _worlds() -> Iterator[Finding]:
    from reward_agent.envs.registry import recordings, worlds

    modules = worlds()
    for name, module in modules.items():
        missing, tasks = module.missing(), module.tasks()
        recorded = sum(bool(recordings(task)) for task in tasks)
        detail = missing or f"{len(tasks)} tasks, {recorded} with a recorded session"
        yield Finding("worlds", name, missing is None, detail, missing or "")
    yield Finding(
        "worlds",
        "any",
        any(module.missing() is None for module in modules.values()),
        f"{len(modules)} installed",
        "make setup",
        essential=True,
    )


def _models() -> Iterator[Finding]:
    present = [name for name in _KEYS if os.environ.get(name)]
    detail = f"keys set: {', '.join(present)}" if present else "no key set; replay: and manual: need none"
    yield Finding("models", "keys", bool(present), detail, "export OPENAI_API_KEY=... or ANTHROPIC_API_KEY=...")


_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "MISTRAL_API_KEY", "GROQ_API_KEY")


def _text(findings: list[Finding], *, every: bool) -> str:
    """One line an area, and under it what does not work with its mend."""
    lines = []
    for area in dict.fromkeys(finding.area for finding in findings):
        members = [finding for finding in findings if finding.area == area]
        if every:
            lines += [f"{area:10} {'ok' if f.works else '--':3} {f.name}: {f.detail}" for f in members]
        else:
            blocked = any(f.essential and not f.works for f in members)
            working = [f.detail if f.name != "cell" else f.detail for f in members if f.works] or [members[0].detail]
            lines.append(f"{area:10} {'NO' if blocked else 'ok':3} {'; '.join(working)}")
        lines += [f"{'':14} {f.name}: {f.detail}. To mend it: {f.fix}" for f in members if not f.works and f.fix]
    return "\n".join(lines)
