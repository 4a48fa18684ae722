"""Tasks in a user's own file: loading it, and taking what it defines to other processes."""

from __future__ import annotations

import hashlib
import importlib.util
import pickle
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from reward_agent.errors import RewardAgentError, UsageError, no_such_file, unknown_name
from reward_agent.task import Task

PREFIX = "reward_agent_task_"
"""Begins the module names of task files; the rest tells one path from another."""


def task_in(name: str) -> Task:
    """The task of `path/to/file.py:variable`; the variable is `task` unless given.

    Raises:
        UsageError: no such file or variable, with the closest valid name; or the file fails, with the line.
    """
    location = name.partition(":")[0]
    path, variable = located(name)
    if not path.is_file():
        raise UsageError(
            f"The task {name!r} names the file {location}, which cannot be read: {no_such_file(Path(location))}"
        )
    module = load(path, name)
    task = getattr(module, variable, None)
    if not isinstance(task, Task):
        found = [key for key, value in vars(module).items() if isinstance(value, Task)]
        raise unknown_name(f"task variable in {location}", variable, found)
    return task


def located(name: str) -> tuple[Path, str]:
    """The whole path and the variable of `path/to/file.py:variable`; there need be none."""
    location, _, variable = name.partition(":")
    return Path(location).resolve(), variable or "task"


def load(path: Path, name: str = "", kind: str = "task") -> ModuleType:
    """The file as a module; the one that is loaded already, as long as the file is the same.

    Args:
        path: absolute.
        name, kind: what is loaded, for messages.

    Raises:
        UsageError: it is no Python file, or it fails.
    """
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    spec = importlib.util.spec_from_file_location(f"{PREFIX}{path.stem}_{digest}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"The {kind} {name or path.name!r}: {path} is not a Python file.")
    source = path.read_bytes()
    known = sys.modules.get(spec.name)
    if known is not None and known.__dict__.get("__source__") == source:
        return known
    if str(path.parent) not in sys.path:  # for what lies beside it; last, so that it hides nothing
        sys.path.append(str(path.parent))
    module = importlib.util.module_from_spec(spec)
    module.__dict__["__source__"] = source
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        if isinstance(error, RewardAgentError):
            raise
        raise UsageError(_failure(f"{kind} {name or str(path)!r}", path, error)) from error
    return module


def pack(value: object) -> bytes:
    """`value` pickled for another process, which loads the task files that it needs before it reads the rest.

    Raises:
        PicklingError, AttributeError, TypeError: part of it cannot be pickled.
    """
    inner = pickle.dumps(value)
    files = {name: module.__file__ for name, module in sys.modules.items() if name.startswith(PREFIX)}
    needed = tuple(str(file) for name, file in files.items() if name.encode() in inner)
    return pickle.dumps(_Packed(needed, inner)) if needed else inner


class _Packed:
    """Pickled as the call that unpacks it."""

    def __init__(self, files: tuple[str, ...], inner: bytes) -> None:
        self.files, self.inner = files, inner

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpack, (self.files, self.inner)


def _unpack(files: tuple[str, ...], inner: bytes) -> Any:
    for file in files:
        load(Path(file))
    return pickle.loads(inner)


def _failure(what: str, path: Path, error: BaseException) -> str:
    """How a file failed: where in it, the exception, and what it lacks."""
    said = str(error)
    where, lines = str(path), [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    if isinstance(error, SyntaxError):
        said, where, lines = error.msg, error.filename or where, [error.lineno]
    line = f", line {lines[-1]}" if lines and lines[-1] else ""
    text = f"The {what} cannot be loaded: {where}{line}: {type(error).__name__}: {' '.join(said.split())}."
    if isinstance(error, ModuleNotFoundError) and error.name:
        text += f" Install the package that has {error.name!r}, or put it beside the file or its folder on PYTHONPATH."
    return text
