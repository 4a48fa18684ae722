"""Starting a session, and going on with one, whether it was left or killed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reward_agent.agent import RUNS, known_layers, settled_config
from reward_agent.chat.session import Session
from reward_agent.chat.settings import PLANNER, ChatSettings, require_answers, require_trainer
from reward_agent.chat.speaking import Deaf
from reward_agent.chat.talk import Folding, Turn
from reward_agent.codec import decode, encode
from reward_agent.config import RunConfig, connect_llm, whole_llm, without_keys
from reward_agent.envs.disguise import disguise
from reward_agent.envs.registry import find_again, find_task
from reward_agent.errors import UsageError, unknown_name
from reward_agent.events import Events, Noted, ignore
from reward_agent.invocation import command
from reward_agent.llm import LLM, Heard, Metered
from reward_agent.methods import method_for_words
from reward_agent.methods.base import starting_history
from reward_agent.optimise.choice import choose_training
from reward_agent.planning.imagination import cannot_plan
from reward_agent.sandbox.cell import Cell
from reward_agent.search import spent_in, vet_initial
from reward_agent.sittings import MAY_CHANGE, config_of, keep_changes, keep_layers
from reward_agent.store import MANIFEST, Run, new_manifest, new_run_id
from reward_agent.task import Task
from reward_agent.trial import reference


def start(
    config: RunConfig,
    settings: ChatSettings | None = None,
    *,
    task: Task | None = None,
    llm: LLM | None = None,
    root: Path = RUNS,
    name: str | None = None,
    left_open: Collection[str] = (),
    events: Events = ignore,
    heard: Heard | None = None,
) -> Session:
    """A new session, in a run's folder of its own.

    Args:
        config: as of a run, of which rounds and candidates are the person's to decide; its optimiser is for trainings.
        settings: how to look at rewards.
        task, llm: themselves, where `config` does not name ones that can be found.
        root: the folder of runs.
        name: of the run.
        left_open: `method`, where nobody chose it.
        events: told what happens, from this thread.
        heard: hears each reply as it comes.

    Raises:
        UsageError, MissingComponentError: it cannot start, with what mends it. Nothing was asked or made.
    """
    found = task or find_task(config.task)
    require_trainer(config.optimiser)
    settled = (settings or ChatSettings()).settled(found)
    if "method" in left_open:
        config = replace(config, method=method_for_words(found))
    require_answers(None if llm else config.llm, config.method, config.task, settled.way(found))
    if settled.way(found) == "planner":
        if (why := cannot_plan(found)) is not None:
            raise UsageError(f"{why} In a chat that is `--look training`.")
        choose_training(found, PLANNER, settled.preset, settled.planner)
    # where nobody named a method, one that a replayed session was recorded with
    open_still = [option for option in left_open if option == "method"]
    config, found = settled_config(config, task=task, llm=llm, root=root, left_open=open_still, led=True)
    if config.initial is not None:
        vet_initial(config.initial, found, config)
    run_id = name or f"chat-{new_run_id(found.id)}"
    if (root / run_id / MANIFEST).exists():
        raise UsageError(f"There is a run {run_id} already. `{command()} chat --resume {run_id}` goes on with it.")
    model = connect_llm(config, root / run_id, llm)
    manifest = new_manifest(
        run_id,
        task=config.task,
        instruction=found.instruction,
        config=encode(config),
        sandbox=_layers(config.unsafe),
        unsafe=config.unsafe,
        chat=encode(settled),
    )
    return _session(Run.create(root, manifest), config, settled, found, model, events, heard)


def go_on(
    folder: Path,
    *,
    changes: Mapping[str, Any] | None = None,
    task: Task | None = None,
    llm: LLM | None = None,
    events: Events = ignore,
    heard: Heard | None = None,
) -> Session:
    """The session in `folder`, as it was when it was left or killed; `Session.unfinished` says whether a turn was.

    Args:
        folder: of the run.
        changes: what to do otherwise from here on; only names in `sittings.MAY_CHANGE`.
        task, llm, events, heard: see `start`.

    Raises:
        UsageError: there is no session, or `changes` names what must stay.
        RunBusyError: another process is at it.
    """
    for key in changes or {}:
        if key not in MAY_CHANGE:
            raise unknown_name("option that a resumed session may change", key, MAY_CHANGE)
    run = Run.open(folder)
    try:
        if run.manifest.chat is None:
            raise UsageError(f"{run.id} is a search, not a chat. `{command()} resume {run.id}` goes on with it.")
        settings: ChatSettings = decode(ChatSettings, run.manifest.chat)
        config = replace(config_of(run.manifest, run.journal.values), **dict(changes or {}))
        config = without_keys(replace(config, llm=whole_llm(config.llm)))
        found = task or find_again(config.task, "Go on from there: `reward_agent.chat.go_on(folder, task=task)`.")
        if config.disguise is not None and found.disguised_from is None:
            found = disguise(found, config.disguise)
        require_answers(None if llm else config.llm, config.method, config.task, settings.way(found))
        model = connect_llm(config, folder, llm)
        keep_changes(run, config)
        now = _layers(config.unsafe)
        if set(now) != set(known_layers(run)):
            keep_layers(run, now)
            events(Noted(f"From here on reward programs run behind {', '.join(now) or 'nothing'}, unlike before."))
        return _session(run, config, settings, found, model, events, heard)
    except BaseException:
        run.close()
        raise


def _session(
    run: Run, config: RunConfig, settings: ChatSettings, task: Task, model: LLM, events: Events, heard: Heard | None
) -> Session:
    brought = starting_history(config.method_settings()).candidates.get((0, 0))
    first = Turn(0, 0, attempts=brought.attempts) if brought else None
    metered = Metered(model, config.model_budget(), spent_in(run.journal.values, config.prices))
    return Session(
        run,
        config,
        settings,
        Folding(task, config.make_method(), first),
        metered,
        reference(task, config.task),
        events=events,
        heard=heard or Deaf(),
    )


def _layers(unsafe: bool) -> tuple[str, ...]:
    """Layers of the sandbox in force; starting one cell is the only way to know."""
    with Cell(unsafe=unsafe) as cell:
        return cell.layers
