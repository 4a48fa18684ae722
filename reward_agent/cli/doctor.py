"""`reward-agent doctor`: what works on this machine, what does not, and the command that fixes it; or whether a world
conforms (`conforming`)."""

from __future__ import annotations

import os
import platform
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from reward_agent.cli.answer import Answer
from reward_agent.errors import MissingComponentError
from reward_agent.wording import count

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
    parser.add_argument("--all", action="store_true", help="every finding, not one line an area; every task of a world")
    what = "check a world instead: does it keep the contract? A world, a task's id, or path/to/file.py:variable"
    parser.add_argument("--world", metavar="NAME", help=what)


def run(args: Namespace) -> Answer:
    if args.world is not None:
        from reward_agent.cli.conforming import examine

        return examine(args.world, every=args.all)
    findings = [*_python(), *_sandbox(), *_rendering(), *_live(), *_page(), *_optimisers(), *_worlds(), *_models()]
    ok = all(finding.works for finding in findings if finding.essential)
    value = {"ok": ok, "findings": [asdict(finding) for finding in findings]}
    text = "\n".join(_lines(findings, every=args.all))
    return Answer(value, text, exit_code=0 if ok else MissingComponentError.exit_code)


def _python() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {cores} cores"
    newer = "make setup PYTHON=python3.11"
    yield Finding("python", "version", sys.version_info >= (3, 11), detail, newer, essential=True)
    lacking, wanted = _packages()
    detail = f"missing: {', '.join(lacking)}" if lacking else f"all {wanted} packages"
    fix = f"{sys.executable} -m pip install {' '.join(map(repr, lacking))}"
    yield Finding("python", "packages", not lacking, detail, fix, essential=True)


def _packages() -> tuple[list[str], int]:
    """Required packages that are not installed, and how many are required."""
    from importlib.metadata import PackageNotFoundError, requires, version

    wanted = [text for text in requires("reward-agent") or () if "extra ==" not in text]
    lacking = []
    for requirement in wanted:
        try:
            version(re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0])
        except PackageNotFoundError:
            lacking.append(requirement)
    return lacking, len(wanted)


def _sandbox() -> Iterator[Finding]:
    from reward_agent.sandbox.layers import describe

    for layer, works, detail, fix in describe():
        yield Finding("sandbox", layer, works, detail, fix, essential=layer == "cell")


def _rendering() -> Iterator[Finding]:
    from reward_agent.envs.rendering import working_backend

    backend = working_backend()
    detail = f"off-screen through {backend}" if backend else "no off-screen OpenGL; videos are left out"
    yield Finding("rendering", "opengl", backend is not None, detail, "sudo apt-get install -y libosmesa6")


def _live() -> Iterator[Finding]:
    from reward_agent.live.components import INSTALL, missing

    lacking = missing()
    detail = lacking.partition(":")[0] if lacking else "robots of MuJoCo worlds are shown in the browser as they move"
    yield Finding("live view", "viser", lacking is None, detail, INSTALL)


def _page() -> Iterator[Finding]:
    from reward_agent.web.components import INSTALL, missing

    lacking = missing()
    detail = lacking.partition(":")[0] if lacking else "runs are shown, and their clips ranked, in the browser"
    yield Finding("page", "fastapi", lacking is None, detail, INSTALL)


def _optimisers() -> Iterator[Finding]:
    from reward_agent.optimise.choice import missing
    from reward_agent.plugins import OPTIMISERS

    for name in sorted(OPTIMISERS.shipped()):
        lacking = missing(name)
        yield Finding("optimisers", name, lacking is None, lacking or "ready")


def _worlds() -> Iterator[Finding]:
    from reward_agent.envs.registry import recordings, worlds

    missing = {name: module.missing() for name, module in worlds().items()}
    none_ready = bool(missing) and all(missing.values())
    for name, module in worlds().items():
        tasks = module.tasks()
        recorded = sum(bool(recordings(task)) for task in tasks)
        detail = f"{name}: " + (missing[name] or f"{count(len(tasks), 'task')}, {recorded} with a recorded session")
        yield Finding("worlds", name, missing[name] is None, detail, essential=none_ready)


def _models() -> Iterator[Finding]:
    from reward_agent.llm import default_llm, providers
    from reward_agent.llm.registry import DEFAULTS

    keys = [name for name in DEFAULTS if os.environ.get(name, "").strip()]
    chosen = default_llm()
    for name, module in providers().items():
        missing = module.missing()
        detail = f"{name}:" + (" ready" if missing is None else f" {missing}")
        yield Finding("models", name, missing is None, detail)
    if chosen:
        detail = f"keys set: {', '.join(keys)}; without --llm, {chosen} is asked"
    else:
        detail = "no key set; without --llm, a task's recording is replayed"
    yield Finding("models", "default", True, detail)


def _lines(findings: list[Finding], *, every: bool) -> Iterator[str]:
    """One line an area, and under it what would have to be mended: NO stops everything, -- is done without."""
    for area in dict.fromkeys(finding.area for finding in findings):
        members = [finding for finding in findings if finding.area == area]
        blocked = any(finding.essential and not finding.works for finding in members)
        mark = "NO" if blocked else "ok" if any(finding.works for finding in members) else "--"
        summary = _summary(area, members)
        yield f"{area:10} {mark}  {summary}"
        for finding in members:
            if every:
                yield f"{'':14} {finding.name}: {'works' if finding.works else 'does not work'}; {finding.detail}"
            elif not finding.works and finding.area != "models" and finding.detail not in summary:
                yield f"{'':14} {finding.name}: {finding.detail}"
            if not finding.works and finding.fix:
                yield f"{'':14} {finding.name}: to have it, {finding.fix}"


def _summary(area: str, members: list[Finding]) -> str:
    working = [finding for finding in members if finding.works]
    if area == "models":
        return f"ready: {', '.join(f.name for f in working if f.name != 'default')}; {members[-1].detail}"
    if area == "optimisers":
        return f"ready: {', '.join(finding.name for finding in working)}"
    told = [finding for finding in working if finding.essential] or working or members
    return "; ".join(finding.detail for finding in told)
