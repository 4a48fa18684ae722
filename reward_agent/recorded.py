"""What a run leaves open, as the session was that it replays: its method, rounds and programs a round."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from reward_agent.config import RunConfig
from reward_agent.envs.registry import find_task, recordings, tasks
from reward_agent.errors import UsageError
from reward_agent.llm import default_llm
from reward_agent.llm.recordings import Recording, find_recording, read_recording
from reward_agent.methods import find_method, method_for_words
from reward_agent.plugins import METHODS, NOBODY
from reward_agent.program import DESCRIBED
from reward_agent.store import MANIFEST, read_manifest
from reward_agent.task import Task

OPEN = ("method", "iterations", "candidates")
"""What a recording can settle."""


def settle(config: RunConfig, task: Task, left_open: Collection[str] = ()) -> RunConfig:
    """The config with a model named; where that replays a session, with what was left open as it was recorded.

    The model is the one given, else nobody where there are no rounds, else the one whose key is set, else a session
    that the task ships: one of the config's method. Where the method was left open and the task ships none of it, one
    of the method that suits the task and words, else the first.

    Args:
        config: of the run.
        task: whose sessions may be replayed.
        left_open: those of `OPEN` that nobody chose: their values in `config` are only defaults.

    Raises:
        UsageError: there is no model to ask, or the session was recorded with another method.
    """
    find_method(config.method)
    judging = config.initial is not None and config.initial.entry == DESCRIBED
    llm = config.llm or (default_llm() if config.iterations or judging else NOBODY)
    llm = llm or f"replay:{_shipped(config, task, any_method='method' in left_open)}"
    shipped = task.id in tasks() and ".py" not in config.task
    config = replace(config, llm=llm, task=task.id if shipped else config.task)
    if not llm.startswith("replay:") or judging:
        return config
    recording = read_recording(find_recording(llm.partition(":")[2]))
    method = recorded_method(recording)
    if method not in ("", config.method) and "method" not in left_open:
        raise UsageError(
            f"{recording.path} was recorded with the method {method}; its replies answer other prompts than those of "
            f"{config.method}. Replay it with `--method {method}`, or name another recording."
        )
    known: dict[str, Any] = {"method": method}
    known["iterations"] = 1 + max(key.iteration for key in recording.replies)
    known["candidates"] = 1 + max(key.candidate for key in recording.replies)
    return replace(config, **{name: value for name, value in known.items() if value and name in left_open})


def recorded_method(recording: Recording) -> str:
    """The method of a session: of the run it is the journal of, or as its file's name begins; empty where unknown."""
    if (recording.path.parent / MANIFEST).is_file():
        return str(read_manifest(recording.path.parent).config["method"])
    named = max((name for name in METHODS.names() if recording.path.stem.startswith(name)), key=len, default="")
    return named or ("text2reward" if recording.words else "")


def _is_shipped(task: Task) -> bool:
    """It asks for what the shipped task of its id asks for: a copied card may have kept the id."""
    return task.id in tasks() and find_task(task.id).instruction == task.instruction


def _shipped(config: RunConfig, task: Task, *, any_method: bool) -> Path:
    found = list(recordings(task.id).values()) if _is_shipped(task) else []
    methods = {path: recorded_method(read_recording(path)) for path in found}
    preferred = (config.method, method_for_words(task)) if any_method else (config.method,)
    fitting = [path for method in preferred for path in found if methods[path] in ("", method)]
    if any_method:
        fitting += found
    if fitting:
        return fitting[0]
    shipped = (
        f"what {task.id} ships was recorded with another method than {config.method}"
        if found
        else f"{task.id} ships no recorded session"
    )
    raise UsageError(
        f"No model to ask: no key is set and {shipped}. Name one with `--llm PROVIDER:MODEL` and set its key (as "
        "`export ANTHROPIC_API_KEY=...`), or answer the prompts yourself with `--llm manual`."
    )
