"""What tests of whole runs share: a recording of replies, a config that ends in seconds, and the run as a process."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pointmass

from reward_agent.agent import resume, synthesize
from reward_agent.codec import encode, read_as, to_line
from reward_agent.config import RunConfig
from reward_agent.events import Event
from reward_agent.messages import Key, Message, Reply, Usage
from reward_agent.store import MANIFEST

TASK = f"{pointmass.__file__}:task"

GOOD = pointmass.EXPERT.strip()
TIMID = """
import numpy as np

def compute_reward(state, action, next_state):
    \"\"\"Do nothing at all.\"\"\"
    rest = -(action ** 2).sum(-1)
    return rest, {"rest": rest}
""".strip()
BROKEN = """
def compute_reward(state, action, next_state):
    near = -next_state.point.nearness
    return near, {"near": near}
""".strip()

SMALL = {"iterations": 1, "candidates": 1, "budget": 512, "final_seeds": 1}
SETTINGS = {
    "num_envs": 16,
    "rollout": 32,
    "batch_size": 128,
    "epochs": 5,
    "learning_rate": 1e-3,
    "log_std_init": -0.5,
    "hidden": [16, 16],
    "checkpoint_seconds": 0.0,
}


class Scripted:
    """A model that says what it is told to, at a price; raises what it is told to."""

    name = "scripted:one"

    def __init__(self, *replies: str | BaseException) -> None:
        self.replies, self.asked = list(replies), []

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        self.asked.append((key, messages))
        reply = self.replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        return Reply(f"```python\n{reply}\n```", model="scripted", usage=Usage(100, 50, 0.5))


def recording(path: Path, replies: dict[Key, str]) -> str:
    """Write a recording of these replies; the name of the model that plays it."""
    lines = []
    for key, source in replies.items():
        reply = Reply(f"Here it is:\n```python\n{source}\n```\n", model="tester", date="2026-01-01T00:00:00+00:00")
        lines.append(to_line({"key": list(key), **encode(reply)}))
    path.write_text("\n".join(lines) + "\n")
    return f"replay:{path}"


def two_rounds(path: Path) -> str:
    """A timid and a faulty program (repaired), then a good one and a timid one."""
    return recording(
        path,
        {
            Key(0, 0, 0): TIMID,
            Key(0, 1, 0): BROKEN,
            Key(0, 1, 1): TIMID + "\n# repaired\n",
            Key(1, 0, 0): GOOD,
            Key(1, 1, 0): TIMID + "\n# again\n",
        },
    )


def config(llm: str | None, **changes: Any) -> RunConfig:
    """Two rounds of two candidates, all told some seconds."""
    made = RunConfig(
        task=TASK,
        llm=llm,
        settings=SETTINGS,
        iterations=2,
        candidates=2,
        budget=4_096,
        final_seeds=2,
        expert=False,
        select_episodes=8,
        report_episodes=8,
        jobs=2,
        tensorboard=False,
        video=False,
    )
    return replace(made, **changes)


def main(root: str, name: str, configured: str, die_at: str) -> None:
    """Start the run, or go on with it; die by SIGKILL at the moment `Replied:2`, the second new event of that class."""
    kind, _, count = die_at.partition(":")
    left = itertools.count(int(count) - 1, -1)

    def watch(event: Event) -> None:
        if type(event).__name__ == kind and not getattr(event, "recorded", False) and next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    folder = Path(root) / name
    if (folder / MANIFEST).exists():
        resume(folder, events=watch)
    else:
        synthesize(read_as(RunConfig, configured), events=watch, root=Path(root), name=name)


if __name__ == "__main__":
    main(*sys.argv[1:])
