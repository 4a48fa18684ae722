"""What a command gives back, and how it reaches standard output: as text for a person or as one JSON value."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What a command found out."""

    value: Any
    """Plain data: what `--json` prints."""
    text: object = None
    """What a person reads: a string, or anything that rich renders; None when all has been said already."""
    exit_code: int = 0


def give(answer: Answer, *, as_json: bool) -> None:
    """Print the answer on standard output."""
    if as_json:
        print(json.dumps(plain(answer.value), indent=2, ensure_ascii=False))
    elif isinstance(answer.text, str):
        print(answer.text)
    elif answer.text is not None:
        from rich.console import Console

        Console(highlight=False).print(answer.text)
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """`value` as strict JSON can hold it: tuples become lists, what is not finite becomes null, paths become text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    # numpy's scalars and arrays, without importing numpy here
    return plain(value.tolist()) if hasattr(value, "tolist") else str(value)


@contextmanager
def only_answers(active: bool) -> Iterator[None]:
    """While this lasts standard output is standard error, also for libraries and child processes that print."""
    if not active:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
