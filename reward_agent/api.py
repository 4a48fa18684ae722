"""The package from Python: what the command line does, in a few lines. Everything here is also `reward_agent.<name>`.

    from reward_agent import evaluate, synthesize

    result = synthesize("mujoco/hopper-forward", llm="anthropic:claude-sonnet-5-5", iterations=2)
    print(result.metrics, result.reward)

    mine = evaluate("my_reward.py", "mujoco/hopper-forward", budget=200_000)
    print(mine.metrics, mine.floors)

Trainings run in processes of their own. A script that calls these functions must therefore do so under
`if __name__ == "__main__":`, as any that uses `multiprocessing`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from reward_agent import agent
from reward_agent import program as programs
from reward_agent.codec import encode, to_line
from reward_agent.config import RunConfig
from reward_agent.crediting.verifying import read_labels
from reward_agent.envs.registry import find_task, tasks
from reward_agent.errors import MissingComponentError, RewardAgentError, UsageError, unknown_name
from reward_agent.events import Events, Trial, ignore
from reward_agent.history import Interval, Outcome
from reward_agent.judges import AskLine
from reward_agent.left_open import OPEN
from reward_agent.llm import LLM
from reward_agent.metric_check import require_metrics
from reward_agent.optimise.choice import Choice, choose_training, real_time_factor, scoring_steps, usual, with_discount
from reward_agent.optimise.policy import Policy, load_policy
from reward_agent.program import SUBGOALS, Fault, Program
from reward_agent.result import Result
from reward_agent.scoring import SeedPlan, intervals_of
from reward_agent.sources.shaping import shaping_of
from reward_agent.spoken import AskPerson
from reward_agent.store import find_run
from reward_agent.task import Metric, Task, Termination
from reward_agent.trainings import quoted, run_floors, run_trials
from reward_agent.trial import FloorsSpec, Trained, TrialSpec, reference
from reward_agent.vet import Verdict, vet
from reward_agent.workers import Pool

if TYPE_CHECKING:
    from reward_agent.optimise.sb3 import TaskVecEnv

__all__ = [
    "Evaluation",
    "Metric",
    "Policy",
    "Program",
    "Result",
    "RunConfig",
    "Task",
    "Termination",
    "Verdict",
    "as_vec_env",
    "check",
    "evaluate",
    "find_task",
    "load_policy",
    "read_program",
    "resume",
    "synthesize",
    "tasks",
]


@dataclass(frozen=True)
class Evaluation:
    """What training on a reward and scoring the policies showed."""

    program: Program
    verdict: Verdict
    metrics: Mapping[str, Interval]
    """On seeds of `evaluate` alone; over trainings, over episodes where there is one. Where a training failed it
    counts as doing nothing does; empty when all did, and where the task has no metric."""
    floors: Mapping[str, Mapping[str, Interval]]
    """`no-op` and `random` on the same seeds; empty without a metric."""
    outcomes: tuple[Outcome | Fault, ...]
    """Of each training: curves of its terms, or how the program failed."""
    policies: tuple[Path, ...]
    """Folder of each policy; empty unless a folder to keep them in was given."""
    choice: Choice
    """What each training was done with."""
    budget: int
    seeds: tuple[int, ...]
    """Of the trainings."""
    episodes: int
    unsafe: bool
    real_time_factors: tuple[float | None, ...] = ()
    """Of each training, the simulated seconds that a planner acted a second, in practice; None of one that failed.
    Empty where nothing is planned."""

    @property
    def ok(self) -> bool:
        """The program passed the check and at least one training."""
        return any(isinstance(outcome, Outcome) for outcome in self.outcomes)


def synthesize(
    task: str | Task,
    llm: str | LLM | None = None,
    *,
    method: str | None = None,
    init: str | Path | Program | None = None,
    iterations: int | None = None,
    candidates: int | None = None,
    budget: int | None = None,
    final_seeds: int | None = None,
    seed: int = 0,
    jobs: int | None = None,
    events: Events = ignore,
    ask_person: AskPerson | None = None,
    ask_line: AskLine | None = None,
    root: str | Path = agent.RUNS,
    name: str | None = None,
    **options: Any,
) -> Result:
    """From a task's sentence to a reward program and a trained policy; see `agent.synthesize` for errors.

    Args:
        task: a shipped task's id, `path/to/file.py:variable`, or a `Task`.
        llm: `provider:model`, or any object with `name` and `complete`; None picks by which key is set, else replays
            the session that the task ships.
        method: by name; `eureka` unless given, or as the session was recorded that is replayed. So with the next two.
        init: a reward of one's own to improve: a file or a program.
        iterations: rounds; 3.
        candidates: programs a round; 3.
        budget: environment steps of one training; the task's own unless given.
        final_seeds: trainings from scratch that the score comes from; 3, or as many as the optimiser wants.
        seed: everything random follows from it.
        jobs: trainings side by side; one a core unless given.
        events: told what happens (`reward_agent.events`).
        ask_person: gives words on a trained candidate, where the method wants some.
        ask_line: puts a text to a person and gives the line they type, for `judge="terminal"`.
        root: the folder of runs.
        name: of the run.
        options: anything else of `RunConfig`.
    """
    known = {field.name for field in fields(RunConfig)} - {"task", "initial"}
    for option in sorted(options.keys() - known):
        raise unknown_name("option of a run", option, known)
    chosen: dict[str, Any] = {"method": method, "iterations": iterations, "candidates": candidates}
    chosen["final_seeds"] = final_seeds
    config = RunConfig(
        task=task if isinstance(task, str) else task.id,
        llm=llm if isinstance(llm, str) else None,
        initial=None if init is None else _program(init),
        budget=budget,
        seed=seed,
        jobs=jobs,
        **{name: value for name, value in chosen.items() if value is not None},
        **options,
    )
    ready = agent.prepare(
        config,
        task=None if isinstance(task, str) else task,
        llm=None if isinstance(llm, str) else llm,
        root=Path(root),
        left_open=[name for name in OPEN if {**options, **chosen}.get(name) is None],
    )
    return agent.synthesize(ready, events=events, ask_person=ask_person, ask_line=ask_line, root=Path(root), name=name)


def resume(
    run: str | Path,
    *,
    events: Events = ignore,
    ask_person: AskPerson | None = None,
    ask_line: AskLine | None = None,
    task: Task | None = None,
    llm: LLM | None = None,
    root: str | Path = agent.RUNS,
    **changes: Any,
) -> Result:
    """Go on with a run, given by its folder, its id or `last`; ends as if it had never stopped. See `agent.resume`."""
    folder = find_run(str(run), Path(root))
    return agent.resume(
        folder, changes=changes, events=events, ask_person=ask_person, ask_line=ask_line, task=task, llm=llm
    )


def check(
    program: str | Path | Program,
    task: str | Task,
    *,
    labels: str | Path | None = None,
    label_errors: float = 0.0,
    unsafe: bool = False,
) -> Verdict:
    """Whether a reward is fit to be trained on: static check, then a probe in the sandbox. No training.

    A program that tells subgoals is held to `labels` as well, where some are given (see `RunConfig`).

    Raises:
        UsageError: a file cannot be read, holds no program, or no labels of the task.
        MissingComponentError: this machine cannot lock a cell, or lacks the task's world.
    """
    found = _task(task)
    known = read_labels(Path(labels), found, label_errors) if labels is not None else None
    return vet(_program(program), found, unsafe=unsafe, labels=known)


def evaluate(
    program: str | Path | Program,
    task: str | Task,
    *,
    budget: int | None = None,
    seeds: int = 1,
    episodes: int | None = None,
    seed: int = 0,
    optimiser: str | None = None,
    preset: str | None = None,
    settings: Mapping[str, Any] | None = None,
    shaping: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    folder: str | Path | None = None,
    events: Events = ignore,
    unsafe: bool = False,
) -> Evaluation:
    """Check a reward, train on it, and score the policies by the task's metrics on fresh episodes. No model.

    Its seeds are its own: what a run reports later, of a reward that was tuned with this, comes from others. A task
    without metrics has no score: `outcomes` tell how its trainings went, and `policies` can be watched.

    Args:
        program: a file or a program.
        task: a shipped task's id, `path/to/file.py:variable`, or a `Task`.
        budget: environment steps of each training; the task's own unless given.
        seeds: how many trainings.
        episodes: that each policy is scored on; 50, or as many as the optimiser wants.
        seed: everything random follows from it.
        optimiser: by name; the task's own unless given.
        preset: of the optimiser's settings, by name; the task's own unless given.
        settings: what to change of the preset's.
        shaping: what to change of how subgoals pay (`sources.shaping.Shaping`), where the program tells some.
        jobs: trainings side by side; one a core unless given.
        folder: to keep policies and curves in, each evaluation in a folder of its own; a training of this one found
            there unfinished goes on.
        events: told of each training, as trials of phase `final`.
        unsafe: run the program without the sandbox.

    Raises:
        UsageError: the file cannot be read, or an option is wrong.
        MissingComponentError: this machine lacks something, with the command that installs it.
    """
    found, its = _task(task), _program(program)
    optimiser = optimiser or found.optimiser
    episodes = usual(optimiser).report_episodes if episodes is None else episodes
    if seeds < 1 or episodes < 1 or (budget is not None and budget < 1):
        raise UsageError("An evaluation needs at least 1 training, 1 episode and 1 step.")
    if (lacking := found.world.missing()) is not None:
        raise MissingComponentError(f"{found.id} cannot run here: {lacking}")
    require_metrics(found)
    if folder is not None and Path(folder).exists() and not Path(folder).is_dir():
        raise UsageError(f"Policies and curves cannot be kept in {folder}: it is a file. Name a folder.")
    choice = choose_training(found, optimiser, preset, settings)
    pay = with_discount(_shaping(its, shaping), choice)
    steps = budget or found.budget
    training_seeds = tuple(SeedPlan.evaluation_training_seed(seed, i) for i in range(seeds))
    report = tuple(int(s) for s in SeedPlan.evaluation_report_seeds(seed, episodes))
    verdict = vet(its, found, unsafe=unsafe)
    if not verdict.ok:
        return Evaluation(its, verdict, {}, {}, (), (), choice, steps, training_seeds, episodes, unsafe)
    where = reference(found, task if isinstance(task, str) else found.id)
    with TemporaryDirectory(prefix="reward-agent-") as temporary, Pool[Trial](jobs) as pool:
        others = {name: value for name, value in (settings or {}).items() if name != "threads"}
        asked = {"seed": seed, "episodes": episodes, "optimiser": optimiser, "settings": others}
        asked["preset"] = choice.preset
        if pay:  # what has none goes by the name that it had in releases that knew of none
            asked["shaping"] = pay
        name = _folder_name(where, its, steps, asked | {"unsafe": unsafe})
        place = (Path(folder) if folder is not None else Path(temporary)) / name
        specs = {
            Trial("final", 0, index): TrialSpec(
                task=where,
                program=its,
                budget=steps,
                seed=training_seed,
                folder=place.resolve() / f"seed_{index:02d}",
                optimiser=optimiser,
                preset=choice.preset,
                settings=settings or {},
                select_seeds=report[: min(episodes, 20)],
                report_seeds=report,
                unsafe=unsafe,
                shaping=pay,
            )
            for index, training_seed in enumerate(training_seeds)
        }
        results = run_trials(pool, specs, events)
        below = run_floors(pool, FloorsSpec(where, report, random_seed=seed)) if found.metrics else {}
    return Evaluation(
        program=its,
        verdict=verdict,
        metrics=quoted(results.values(), below, found.metrics),
        floors={name: intervals_of([scores], found.metrics) for name, scores in below.items()},
        outcomes=tuple(r if isinstance(r, Fault) else r.outcome for r in results.values()),
        choice=choice,
        policies=tuple(specs[t].folder for t, r in results.items() if isinstance(r, Trained)) if folder else (),
        budget=steps,
        seeds=training_seeds,
        episodes=episodes,
        unsafe=unsafe,
        real_time_factors=_real_time_factors(choice, found, results.values()),
    )


def as_vec_env(
    task: str | Task,
    program: str | Path | Program,
    num_envs: int = 64,
    *,
    seed: int = 0,
    threads: int = 1,
    shaping: Mapping[str, Any] | None = None,
    unsafe: bool = False,
) -> TaskVecEnv:
    """A stable-baselines3 `VecEnv` of the task with the program's reward, or what the subgoals that it tells pay: for a
    trainer of one's own.

    The program runs in a sandbox that ends with `close()`. `shaping` is what to change of how subgoals pay.

    Raises:
        RewardAgentError: the program is not fit for training; the message has its faults.
        UsageError, MissingComponentError: see `check`.
    """
    from reward_agent.optimise.sb3 import TaskVecEnv
    from reward_agent.sources.making import source_of

    found, its = _task(task), _program(program)
    verdict = vet(its, found, unsafe=unsafe)
    if not verdict.ok:
        told = "; ".join(f"{f.stage}{f', line {f.line}' if f.line else ''}: {f.message}" for f in verdict.faults)
        raise RewardAgentError(f"The program cannot be trained on. {told}")
    source = source_of(its, found, _shaping(its, shaping), unsafe=unsafe)
    return TaskVecEnv(found, source, num_envs, seed, threads=threads, owns_source=True)


def _shaping(program: Program, changes: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if changes and program.entry != SUBGOALS:
        raise UsageError("`shaping` says how subgoals pay, and this program gives a reward of its own: leave it out.")
    shaping_of(changes)
    return dict(changes or {})


def read_program(path: str | Path) -> Program:
    """The reward in a file: Python, or text with a fenced block of it as a model writes.

    Raises:
        UsageError: the file cannot be read, or holds none.
    """
    found = programs.read_program(Path(path))
    if isinstance(found, Fault):
        raise UsageError(f"{path} holds no reward program: {found.message}")
    return found


def _folder_name(task: str | Task, program: Program, budget: int, asked: Mapping[str, Any]) -> str:
    """Of an evaluation: task, budget and program to be read, and a digest of all that makes it another one."""
    known = task if isinstance(task, str) else task.id
    facts = to_line(encode({"task": known, **asked}))
    readable = re.sub(r"[^A-Za-z0-9]+", "-", Path(known.partition(":")[0]).stem if ".py" in known else known)
    return f"{readable}-{budget}-{program.id[:12]}-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"


def _real_time_factors(choice: Choice, task: Task, results: Iterable[object]) -> tuple[float | None, ...]:
    if not scoring_steps(choice, task):
        return ()
    outcomes = [result.outcome if isinstance(result, Trained) else None for result in results]
    return tuple(real_time_factor(choice, task, o.steps / o.seconds) if o else None for o in outcomes)


def _program(given: str | Path | Program) -> Program:
    return given if isinstance(given, Program) else read_program(given)


def _task(given: str | Task) -> Task:
    return given if isinstance(given, Task) else find_task(given)
