"""A reward program as one file that needs nothing of this package: where it comes from, helpers, program, wrapper.

The wrapper replaces a Gymnasium environment's reward by the program's. For worlds that can say how (`Standalone`), the
file also reads the state out of the environment itself; for others its user gives an object that does.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from reward_agent.codec import decode
from reward_agent.config import RunConfig
from reward_agent.envs.episodes import START, TIME, task_schema
from reward_agent.envs.registry import find_again
from reward_agent.errors import UsageError
from reward_agent.files import write_atomically
from reward_agent.history import Interval
from reward_agent.invocation import resume_command
from reward_agent.program import DESCRIBED, EXPORTED, EXPORTED_END, SUBGOALS, Program
from reward_agent.result import Result, load_result
from reward_agent.sandbox.helpers import HELPERS, source_of
from reward_agent.schema import StateSchema
from reward_agent.sources.shaping import shaping_of
from reward_agent.static_check import check
from reward_agent.store import installed_versions, read_manifest
from reward_agent.task import Task, Termination
from reward_agent.wrapper import RewardWrapper, SubgoalReward


@runtime_checkable
class Standalone(Protocol):
    """A world whose state can be read without this package."""

    def standalone(self, paths: Iterable[str]) -> str:
        """Python source that defines `base_env`, which gives a Gymnasium environment and a reader of its state.

        It may take what the file cannot make by itself, and options for what makes the environment; `HORIZON` is
        defined. A reader has `begin()` and `advance()`, called after a reset and after a step; both give the values of
        `paths` (of the world's own schema) by path.
        """
        ...


@dataclass(frozen=True)
class Provenance:
    """Where an exported reward comes from."""

    run: str
    method: str
    model: str
    metrics: Mapping[str, Interval]
    trainings: int
    failed: int
    """Of these trainings; in the metrics they count as doing nothing."""
    budget: int
    unsafe: bool
    sandbox: tuple[str, ...] | None = None
    """Layers in force in every sitting of the run; None where it is not known."""
    judge: str = ""
    """Who chose it; empty where a metric did."""
    preferred: bool = True
    """False where that judge preferred no candidate."""
    shaping: Mapping[str, Any] = field(default_factory=dict)
    """How subgoals paid, where it tells them."""

    @classmethod
    def of(cls, result: Result) -> Provenance:
        """What a finished run says of its program."""
        return cls(
            result.run,
            result.method,
            result.model,
            result.metrics,
            result.trainings,
            len(result.failed),
            result.budget,
            result.unsafe,
            result.sandbox,
            result.judge,
            result.preferred,
            result.shaping,
        )


def export_run(folder: Path, to: Path, task: Task | None = None, *, force: bool = False) -> Path:
    """Write the best program of the finished run in `folder` as one file; with `force` also over one that is there.

    Raises:
        UsageError: there is no run, it has no result yet, or `to` is there already.
    """
    manifest = read_manifest(folder)
    result = load_result(folder)
    if manifest.chat is not None:
        raise UsageError(
            f"{manifest.id} is a chat, whose reward is whichever it came to last: `{resume_command(folder)}`, then "
            "`/export FILE`."
        )
    if result is None:
        raise UsageError(f"{manifest.id} has no result yet. `{resume_command(folder)}` goes on with it.")
    if result.program.entry == DESCRIBED:
        raise UsageError(
            f"{manifest.id} was paid by what a model said of its transitions while it trained, and by no code that "
            f"could be exported. Its subgoals are in {result.reward}, its policy beside it; `--method calm` makes a "
            "program that tells subgoals."
        )
    config: RunConfig = decode(RunConfig, manifest.config)
    task = task or find_again(
        config.task, "Export it from there: `reward_agent.export.export_run(run, file, task=task)`."
    )
    text = export_reward(task, result.program, Provenance.of(result))
    if to.exists() and not force:
        raise UsageError(f"{to} is there already. Name another file with `-o FILE`, or replace it with `--force`.")
    to.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(to, text.encode())
    return to


def export_reward(task: Task, program: Program, origin: Provenance | None = None) -> str:
    """The text of one Python file: header, constants, used helpers' source, the program as it is, the wrapper."""
    schema = task_schema(task).visible()
    fields = schema.select(check(program, schema).fields)
    reader = _reader(task, fields)
    parts = [
        f'"""{_header(task, program, origin, timed=TIME in fields)}\n"""',
        "from types import SimpleNamespace\n\nimport numpy as np",
        _constants(schema),
        _used_helpers(program),
        f"{EXPORTED}, SHA-256 {program.id}\n\n{program.source.strip()}\n\n\n{EXPORTED_END}",
        _fields(task, fields),
        reader,
        "from collections.abc import Callable, Mapping\nfrom typing import Any\n\nimport gymnasium",
        *(_of_subgoals(origin) if program.entry == SUBGOALS else ()),
        inspect.getsource(RewardWrapper),
        _make(reader) if reader else "",
    ]
    text = "\n\n\n".join(part.strip("\n") for part in parts if part)
    # annotations then cost nothing and need no import; they must come first, after the docstring
    head, _, rest = text.partition("from types import SimpleNamespace")
    return f"{head}from __future__ import annotations\n\nfrom types import SimpleNamespace{rest}\n"


def _of_subgoals(origin: Provenance | None) -> tuple[str, str]:
    """What pays for them, and the reward that it is."""
    pay = asdict(shaping_of(origin.shaping if origin else {}))
    told = ", ".join(f"{name}={value!r}" for name, value in pay.items() if name != "goal")
    return inspect.getsource(SubgoalReward), f"compute_reward = SubgoalReward(subgoals, {told})"


def _header(task: Task, program: Program, origin: Provenance | None, *, timed: bool) -> str:
    lines = [f"Reward for {task.id}: {task.instruction}", ""]
    if origin:
        lines.append(f"Written by {origin.model}, asked by the method {origin.method} in the run {origin.run}.")
        if origin.judge:
            lines.append(
                f"Preferred by {origin.judge}."
                if origin.preferred
                else f"Not preferred to any other: {origin.judge} preferred none."
            )
        over = f"{origin.trainings} trainings from scratch of {origin.budget:,} steps each"
        if origin.failed:
            over += f" ({origin.failed} failed, and count as doing nothing)"
        for name, score in origin.metrics.items():
            within = "" if score.single else f", 95 % interval {score.low:.4g} to {score.high:.4g}"
            lines.append(f"{name}: {score.mean:.4g}{within}, {over}.")
        if origin.unsafe:
            lines.append("It was run without a sandbox (--unsafe).")
        elif origin.sandbox is not None:
            lines.append(f"It was run in a sandbox, at its weakest of: {', '.join(origin.sandbox) or 'nothing'}.")
    versions = ", ".join(f"{name} {version}" for name, version in installed_versions().items())
    lines += [f"Exported {datetime.now(UTC):%Y-%m-%d} with {versions}.", f"Program SHA-256: {program.id}", ""]
    entry = f"`{program.entry}(state, action, next_state)`"
    lines.append(f"{entry} is batched: fields have a first axis for environments.")
    if program.entry == SUBGOALS:
        goal = shaping_of(origin.shaping if origin else {}).goal
        lines += [
            "It tells subgoals: `compute_reward` pays for them as in training, beside the environment's own reward."
        ]
        if task.goal:
            lines += [f"In training {goal:g} was paid in its place, in each step that reached the task's goal."]
    if isinstance(task.world, Standalone):
        lines.append(
            "`make_env` gives a Gymnasium environment with this reward; it needs gymnasium and what that is made of."
        )
    else:
        lines += [
            "`RewardWrapper(env, compute_reward, FIELDS, reader, DT, HORIZON, ENDS_NATIVELY)` gives an environment",
            "this reward; `reader` has `begin()` and `advance()`: the values of FIELDS after a reset and a step.",
        ]
    if timed:
        lines += [
            "The program reads the time since the episode began, so that the wrapper appends to observations the share",
            "of the horizon that has passed, as in training: a policy must see what its reward depends on.",
        ]
    if isinstance(task.terminates, Termination):
        lines.append(f"In training an episode also ended when: {task.terminates.doc} The wrapper does not do that.")
    # what a task or a model says must not end the docstring it is put into
    return "\n".join(line.replace("\\", "/").replace('"', "'") for line in lines)


def _constants(schema: StateSchema) -> str:
    lines = ["# Constants of the task", "", "constants = SimpleNamespace("]
    for constant in schema.constants:
        value = f"np.array({list(constant.value)})" if isinstance(constant.value, tuple) else repr(constant.value)
        lines.append(f"    {constant.name}={value},  # {constant.doc}{f' [{constant.unit}]' if constant.unit else ''}")
    return "\n".join([*lines, ")"])


def _used_helpers(program: Program) -> str:
    tree = ast.parse(program.source)
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    used = sorted((named & HELPERS.keys()) - own)
    return f"# The helpers that the program calls\n\n{source_of(*used)}" if used else ""


def _fields(task: Task, fields: StateSchema) -> str:
    native = _native_names(task)
    table = [
        f"    {field.path!r}: ({native.get(field.path.removeprefix(START), '')!r}, {field.shape}, {field.kind!r}),"
        for field in fields.fields
    ]
    return "\n".join(
        [
            "# What the program reads: the reader's name for it, shape, kind",
            "FIELDS = {",
            *table,
            "}",
            f"DT = {task.world.dt!r}  # seconds a step",
            f"HORIZON = {task.horizon}  # steps",
            f"ENDS_NATIVELY = {task.terminates == 'native'}  # else only the horizon ends an episode",
        ]
    )


def _reader(task: Task, fields: StateSchema) -> str:
    if not isinstance(task.world, Standalone):
        return ""
    native = _native_names(task)
    paths = (field.path.removeprefix(START) for field in fields.fields)
    return task.world.standalone(sorted({native[path] for path in paths if path in native}))


def _native_names(task: Task) -> dict[str, str]:
    """The world's own path of each of the task's."""
    schema = task.world.schema()
    edited = schema.edit(hide=task.hide, rename=task.rename)
    return {ours.path: its.path for ours, its in zip(edited.fields, schema.fields, strict=True)}


def _make(reader: str) -> str:
    text = '''
    def make_env(*given, **options):
        """The environment with this reward; what is given goes to `base_env`."""
        env, reader = base_env(*given, **options)
        return RewardWrapper(env, compute_reward, FIELDS, reader, DT, HORIZON, ENDS_NATIVELY)
    '''
    if "def base_env(**options)" in reader:  # it wants nothing
        text += """

    if __name__ == "__main__":
        env = make_env()
        env.reset(seed=0)
        env.action_space.seed(0)
        for _ in range(5):
            _, reward, terminated, truncated, info = env.step(env.action_space.sample())
            print(round(reward, 4), {name: round(value, 4) for name, value in info["reward_terms"].items()})
            if terminated or truncated:
                env.reset()
    """
    return re.sub(r"^    ", "", text, flags=re.MULTILINE).strip("\n")
