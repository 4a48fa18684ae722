"""A whole run: the method's search, then the result. The only orchestrator; it starts, resumes and ends runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reward_agent.codec import encode
from reward_agent.config import RunConfig, connect_judge, connect_llm, whole_llm, with_whole_paths, without_keys
from reward_agent.envs.disguise import disguise
from reward_agent.envs.registry import FROM_PYTHON, find_again, find_task
from reward_agent.errors import InterruptedRunError, MissingComponentError, UsageError, unknown_name
from reward_agent.events import Events, Finished, Noted, Started, Trial, ignore
from reward_agent.invocation import resume_command
from reward_agent.judges import AskLine
from reward_agent.left_open import fit, require_judge, with_judge
from reward_agent.llm import LLM, Metered
from reward_agent.llm.none import Nobody, nobody_to_ask
from reward_agent.methods import Done
from reward_agent.methods.base import starting_history
from reward_agent.metric_check import require_metrics
from reward_agent.optimise.choice import choose_training, with_discount
from reward_agent.recorded import settle
from reward_agent.result import Result, load_result
from reward_agent.search import INITIAL_VETTED, Vetted, vet_initial
from reward_agent.sittings import MAY_CHANGE, config_of, keep_changes, keep_layers, layers_of
from reward_agent.spoken import AskPerson
from reward_agent.store import MANIFEST, Run, installed_versions, new_manifest, new_run_id
from reward_agent.task import Task
from reward_agent.variant import in_disguise, settle_prompts, variant
from reward_agent.workers import Pool

RUNS = Path("runs")


@dataclass(frozen=True)
class Prepared:
    """A run that nothing stands in the way of, before anything is made of it."""

    config: RunConfig
    """With a model named, and what was left open settled."""
    task: Task
    llm: LLM | None
    """The model itself, where it was given."""
    initial: Vetted | None
    """The user's own reward, where there is one."""


def prepare(
    config: RunConfig,
    *,
    task: Task | None = None,
    llm: LLM | None = None,
    root: Path = RUNS,
    left_open: Collection[str] = (),
) -> Prepared:
    """Settle what a run will do, and refuse what cannot be done.

    Args:
        config: what to do.
        task: the task itself, where `config.task` is not the name of one that can be found.
        llm: the model itself, where `config.llm` does not name one.
        root: the folder of runs.
        left_open: those of `left_open.OPEN` that nobody chose.

    Raises:
        UsageError, MissingComponentError: it cannot start, with what mends it. Nothing was asked or made.
    """
    settled, found = settled_config(config, task=task, llm=llm, root=root, left_open=left_open)
    initial = vet_initial(settled.initial, found, settled) if settled.initial else None
    return Prepared(settled, found, llm, initial)


def settled_config(
    config: RunConfig,
    *,
    task: Task | None = None,
    llm: LLM | None = None,
    root: Path = RUNS,
    left_open: Collection[str] = (),
    led: bool = False,
) -> tuple[RunConfig, Task]:
    """The config that `prepare` gives, and its task: all of its work but for the look at a reward of the user's own.

    Where a person leads it, as a chat (`led`), the method is as it is, and nobody has to compare.
    """
    config = without_keys(with_whole_paths(config))
    if config.disguise is not None:
        config, task = in_disguise(config, task)
    if task is not None:
        config = replace(config, task=_name_of(task, config.task))
    task = task or find_task(config.task)
    if (lacking := task.world.missing()) is not None:
        raise MissingComponentError(f"{task.id} cannot run here: {lacking}")
    require_metrics(task)
    config.read_labels(task)
    config = fit(config, task, set(left_open) - ({"method"} if led else set()))
    choice = choose_training(task, config.optimiser, config.preset, config.settings)
    config = replace(config, preset=choice.preset, shaping=with_discount(config.shaping, choice))
    if "method" not in left_open:
        _refuse_rounds_for_nothing(config, task)
    config = replace(config, llm=llm.name) if llm else settle(config, task, left_open)
    config = settle_prompts(config, task)
    if isinstance(connect_llm(config, root, llm), Nobody) and config.iterations:
        raise nobody_to_ask()
    return (replace(config, judge=None) if led else with_judge(config, task)), task


def _refuse_rounds_for_nothing(config: RunConfig, task: Task) -> None:
    """Rounds are wanted of a method that asks for nothing."""
    first = config.make_method().next(task, starting_history(config.method_settings()))
    if config.iterations and isinstance(first, Done):
        raise UsageError(
            f"The method {config.method} asks no model, so it has no rounds, and trains on a reward that you give: "
            f"`reward-agent run TASK --method {config.method} --init FILE --iterations 0`. Any other method improves "
            "on the reward of --init."
        )


def synthesize(
    config: RunConfig | Prepared,
    *,
    events: Events = ignore,
    ask_person: AskPerson | None = None,
    ask_line: AskLine | None = None,
    task: Task | None = None,
    llm: LLM | None = None,
    root: Path = RUNS,
    name: str | None = None,
) -> Result:
    """Run a search from its first prompt to a trained, scored policy.

    Args:
        config: what to do, kept in `run.json`; or what `prepare` made of it.
        events: told what happens, from this thread.
        ask_person: gives a person's words where the method wants some; automatic ones, so labelled, where it is None.
        ask_line: puts a text to the person at the terminal and gives the line they type; for a judge that asks there.
        task, llm: see `prepare`.
        root: the folder of runs.
        name: of the run, in place of date, task and random digits.

    Raises:
        UsageError, MissingComponentError: as `prepare`.
        LLMError, BudgetError: a reply could not be had or paid for.
        WaitingForPersonError: `manual` waits for a reply.
        InterruptedRunError: Ctrl-C. This and the errors above leave a run that `resume` goes on with.
        RewardAgentError: no program could be trained.
    """
    ready = config if isinstance(config, Prepared) else prepare(config, task=task, llm=llm, root=root)
    run_id = name or new_run_id(ready.task.id)
    if (root / run_id / MANIFEST).exists():
        raise UsageError(f"There is a run {run_id} already. `{resume_command(root / run_id)}` goes on with it.")
    manifest = new_manifest(
        run_id,
        task=ready.config.task,
        instruction=ready.task.instruction,
        config=encode(ready.config),
        sandbox=_layers(ready.config.unsafe),
        unsafe=ready.config.unsafe,
    )
    model = connect_llm(ready.config, root / run_id, ready.llm)
    with Run.create(root, manifest) as run:
        if ready.initial:
            run.record(INITIAL_VETTED, ready.initial)
        return _conduct(
            run, ready.config, ready.task, model, events, ask_person, ask_line, manifest.sandbox, resumed=False
        )


def resume(
    folder: Path,
    *,
    changes: Mapping[str, Any] | None = None,
    events: Events = ignore,
    ask_person: AskPerson | None = None,
    ask_line: AskLine | None = None,
    task: Task | None = None,
    llm: LLM | None = None,
) -> Result:
    """Go on with the run in `folder`, from its last finished step; on a finished one, make what is missing again.

    Args:
        folder: of the run.
        changes: what to do otherwise from here on, in later sittings too; only names in `MAY_CHANGE`.
        events, ask_person, ask_line, task, llm: see `synthesize`.

    Raises:
        UsageError: there is no run, or `changes` names what must stay.
        RunBusyError: another process is at it.
        And as `synthesize`.
    """
    for key in changes or {}:
        if key not in MAY_CHANGE:
            raise unknown_name("option that a resumed run may change", key, MAY_CHANGE)
    with Run.open(folder) as run:
        if run.manifest.chat is not None:
            raise UsageError(f"{run.id} is a chat, not a search. `{resume_command(folder)}` goes on with it.")
        config = replace(config_of(run.manifest, run.journal.values), **dict(changes or {}))
        config = without_keys(replace(config, llm=whole_llm(config.llm)))
        task = task or find_again(config.task, "Resume it from there: `reward_agent.resume(run, task=task)`.")
        if config.disguise is not None and task.disguised_from is None:
            task = disguise(task, config.disguise)
        llm = connect_llm(config, folder, llm)
        require_judge(config, task)
        keep_changes(run, config)
        _tell_versions(run, events)
        # a finished run is told again by machines, too, that could not go on with it
        layers = known_layers(run) if load_result(folder) else _compare_layers(run, config.unsafe, events)
        return _conduct(run, config, task, llm, events, ask_person, ask_line, layers, resumed=True)


def _conduct(
    run: Run,
    config: RunConfig,
    task: Task,
    llm: LLM,
    events: Events,
    ask_person: AskPerson | None,
    ask_line: AskLine | None,
    layers: tuple[str, ...],
    *,
    resumed: bool,
) -> Result:
    from reward_agent.final import conclude
    from reward_agent.judging import Judging, blinded
    from reward_agent.search import Search, spent_in
    from reward_agent.trainings import Trainer
    from reward_agent.trial import reference

    method, judge = config.make_method(), config.make_judge()
    metered = Metered(llm, config.model_budget(), spent_in(run.journal.values, config.prices))
    events(
        Started(
            run.id,
            run.folder,
            task.id,
            task.instruction,
            method.name,
            method.sees,
            llm.name,
            layers,
            resumed,
            variant(config),
            judge.name if judge else "",
        )
    )
    try:
        if judge is not None and judge.wants_video:
            events = blinded(events)
        with Pool[Trial](config.jobs, logs=run.folder / "logs") as pool:
            trainer = Trainer(run, task, reference(task, config.task), config, pool, events)
            judging = None
            if judge is not None:
                asked = metered.beside(connect_judge(judge, run.folder, metered.budget)) if judge.model else None
                judging = Judging(run, task, config, judge, asked, trainer, events, ask_line)
            search = Search(run, task, config, method, metered, trainer, events, ask_person, judging)
            reason = search.go()
            result = conclude(trainer, search.history, method, llm.name, metered.spent, reason)
    except KeyboardInterrupt as error:
        raise InterruptedRunError(
            f"Stopped; what was done is saved. `{resume_command(run.folder)}` goes on from here."
        ) from error
    events(Finished(result))
    return result


def _name_of(task: Task, name: str) -> str:
    """The name to keep of a task that was given itself: one that finds it again, or one that finds nothing."""
    from reward_agent.trial import reference

    found = reference(task, name)
    return found if isinstance(found, str) else FROM_PYTHON + task.id


def _layers(unsafe: bool) -> tuple[str, ...]:
    """Layers of the sandbox in force on this machine; starting one cell is the only way to know."""
    from reward_agent.sandbox.cell import Cell

    with Cell(unsafe=unsafe) as cell:
        return cell.layers


def known_layers(run: Run) -> tuple[str, ...]:
    """Layers of the sandbox in force in the run's latest sitting."""
    return layers_of(run.manifest, run.journal.values)[-1]


def _compare_layers(run: Run, unsafe: bool, events: Events) -> tuple[str, ...]:
    """Those in force now, journalled and told where they are not those of the sitting before."""
    before, now = known_layers(run), _layers(unsafe)
    if set(now) != set(before):
        keep_layers(run, now)
        lost, won = sorted(set(before) - set(now)), sorted(set(now) - set(before))
        changed = [f"without {', '.join(lost)}"] if lost else []
        changed += [f"with {', '.join(won)}"] if won else []
        events(Noted(f"From here on reward programs run {' and '.join(changed)}, unlike before: the sandbox changed."))
    return now


def _tell_versions(run: Run, events: Events) -> None:
    now = installed_versions()
    other = [f"{name} {old} (now {now.get(name, 'none')})" for name, old in run.manifest.versions.items()]
    other = [
        line for line, (name, old) in zip(other, run.manifest.versions.items(), strict=True) if now.get(name) != old
    ]
    if other:
        events(Noted(f"This run began with {', '.join(other)}: trainings from here on may differ from what they were."))
