"""The command that does a run again: what was settled is said, and the recorded replies are the model that writes.

A judge compares anew: people are asked again, and so is a model that judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from shlex import quote
from typing import Any

from reward_agent.chronicle import Chronicle
from reward_agent.codec import encode
from reward_agent.config import RunConfig
from reward_agent.envs.registry import FROM_PYTHON
from reward_agent.errors import UsageError
from reward_agent.invocation import command
from reward_agent.optimise.choice import usual
from reward_agent.program import DESCRIBED
from reward_agent.subgoals import GIVEN

OPTIONS = {
    "method": "--method",
    "judge": "--judge",
    "temperature": "--temperature",
    "prompts": "--prompts",
    "examples": "--examples",
    "disguise": "--disguise",
    "labels": "--labels",
    "label_errors": "--label-errors",
    "optimiser": "--optimiser",
    "preset": "--preset",
    "iterations": "--iterations",
    "candidates": "--candidates",
    "budget": "--budget",
    "final_seeds": "--final-seeds",
    "seed": "--seed",
}
"""Of `run`, by the name in `RunConfig` whose value follows them as it is."""
ALWAYS = ("method", "optimiser", "iterations", "candidates", "final_seeds", "seed")
"""Said though they may be the defaults, which depend on the task and on one another."""
SWITCHES = {"only_name": "--only-name", "unsafe": "--unsafe"}
NO_MATTER = frozenset(
    {"task", "llm", "base_url", "prices", "initial", "shown", "jobs", "max_tokens", "max_usd", "tensorboard", "video"}
)
"""Said otherwise, or of no weight for what comes out."""


@dataclass(frozen=True)
class Again:
    command: str
    """Empty where the task is one that only a program of the user's has."""
    no_option: Mapping[str, Any]
    """What was set from Python or a sweep's file and has no option: value by name in `RunConfig`."""


def again(run: Chronicle) -> Again:
    """How the run is done again from its own recorded replies: the same programs, trained and scored anew."""
    config = run.config
    if config.task.startswith(FROM_PYTHON):
        return Again("", {})
    words = [command(), "run", quote(config.task)]
    for name, option in OPTIONS.items():
        value = getattr(config, name)
        if name in ALWAYS or value != _default(name):
            words.append(f"{option} {quote(str(value))}")
    words += [f"--without {quote(part)}" for part in config.without]
    words += [option for name, option in SWITCHES.items() if getattr(config, name)]
    words += [f"--set {quote(f'{name}={_plain(value)}')}" for name, value in config.settings.items()]
    words += [f"--shape {quote(f'{name}={_plain(value)}')}" for name, value in config.shaping.items()]
    words += ["--words automatic"] if config.words == "automatic" else []
    judging = config.initial is not None and config.initial.entry == DESCRIBED
    if config.initial and not judging:
        words.append(f"--init {quote(str(run.folder / 'iter_00/cand_00/attempt_00/program.py'))}")
    if config.subgoals:
        words.append(f"--subgoals {quote(str(run.folder / GIVEN))}")
    if config.iterations:
        words.append(f"--llm {quote(f'replay:{run.folder}')}")
    elif judging:
        words.append(f"--llm {quote(str(config.llm))}")
    return Again(" ".join(words), _no_option(config))


def _no_option(config: RunConfig) -> dict[str, Any]:
    said = {*OPTIONS, *SWITCHES, *NO_MATTER, "settings", "shaping", "subgoals", "without", "words"}
    usually = {name: _default(name) for name in (field.name for field in fields(RunConfig)) if name not in said}
    try:
        effort = usual(config.optimiser)
        usually |= {"select_episodes": effort.select_episodes, "report_episodes": effort.report_episodes}
    except UsageError:
        pass  # an optimiser that is not installed here
    return {name: encode(getattr(config, name)) for name, value in usually.items() if getattr(config, name) != value}


def _default(name: str) -> Any:
    return next((field.default for field in fields(RunConfig) if field.name == name), None)


def _plain(value: Any) -> str:
    """As `--set` reads it."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
