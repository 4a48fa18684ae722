"""Lends a task of ours to a learner in a virtual environment of its own, where our package cannot be imported.

The learner is a child process that says over pipes (`preference_wire.py`) what to do: `reset`, `step` with actions,
and at last `learned` with what it found. Episodes are those that our own trainings see: same initial states, horizon,
termination and observation (`TaskVecEnv`).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from preference_wire import Channel, Frame

from reward_agent.errors import RewardAgentError
from reward_agent.optimise.sb3 import TaskVecEnv
from reward_agent.sources import RewardSource
from reward_agent.task import Task


class Learned(NamedTuple):
    """What a learner ended with."""

    steps: int
    """Environment steps that were really made for it, counted here."""
    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]


class NonsenseError(ValueError):
    """What a learner said has no meaning here."""


def lend(
    task: Task,
    source: RewardSource,
    learner: Sequence[str],
    told: Mapping[str, Any],
    *,
    rows: int,
    seed: int,
    log: Path,
) -> Learned:
    """Run a learner to its end and step the task for it.

    Args:
        task: whose episodes.
        source: gives the true reward of each step.
        learner: the command; two file descriptors are appended, to read from and to write to.
        told: what the learner is told first, beside the task's sizes and bounds.
        rows: environments that step together.
        seed: of the episodes.
        log: what the learner prints.

    Raises:
        RewardAgentError: the learner ended without having learned anything, or said what nobody understands.
    """
    ours, theirs = _pipes()
    channel = Channel(*ours)
    try:
        with log.open("wb") as output:
            command = [*learner, *map(str, theirs)]
            child = subprocess.Popen(command, pass_fds=theirs, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    try:
        return _serve(task, source, channel, told, rows=rows, seed=seed)
    except (EOFError, BrokenPipeError) as error:
        raise RewardAgentError(f"The learner ended too soon (exit code {child.wait()}). {_tail(log)}") from error
    except NonsenseError as error:
        raise RewardAgentError(f"The learner said what nobody understands: {error}. {_tail(log)}") from error
    finally:
        channel.close()
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=10)  # after `learned` it only has to leave
        child.kill()
        child.wait()


def _pipes() -> tuple[tuple[int, int], tuple[int, int]]:
    """Descriptors to read from and to write to: ours, the learner's."""
    our_read, their_write = os.pipe()
    their_read, our_write = os.pipe()
    return (our_read, our_write), (their_read, their_write)


def _serve(
    task: Task, source: RewardSource, channel: Channel, told: Mapping[str, Any], *, rows: int, seed: int
) -> Learned:
    env, steps = TaskVecEnv(task, source, rows, seed), 0
    try:
        low, high = (np.asarray(bound, np.float32) for bound in (env.action_space.low, env.action_space.high))
        sizes = {"rows": rows, "observation": int(env.observation_space.shape[0]), "seed": seed}
        channel.send("task", {**told, **sizes}, low=low, high=high)
        while (asked := _heard(channel)).name != "learned":
            if asked.name == "reset":
                channel.send("observations", observations=env.reset())
            elif asked.name == "step":
                channel.send("stepped", **_step(env, asked))
                steps += rows
            else:
                raise NonsenseError(f"{asked.name!r} is none of reset, step and learned")
    finally:
        env.close()
    return Learned(steps, asked.facts, asked.arrays)


def _heard(channel: Channel) -> Frame:
    try:
        return channel.receive()
    except (ValueError, TypeError) as error:
        raise NonsenseError(str(error)) from error


def _step(env: TaskVecEnv, asked: Frame) -> dict[str, np.ndarray]:
    """One step of all rows. `last` holds what was seen at the end of the episodes that ended, in the order of rows."""
    actions = asked.arrays.get("actions", np.empty(0))
    if actions.shape != (env.num_envs, *env.action_space.shape) or not np.isfinite(actions).all():
        raise NonsenseError(f"actions are finite and {(env.num_envs, *env.action_space.shape)}, not {actions.shape}")
    env.step_async(actions)
    observations, rewards, dones, infos = env.step_wait()
    ended = [infos[row] for row in np.flatnonzero(dones)]
    last = np.array([info["terminal_observation"] for info in ended], np.float32)
    return {
        "observations": observations,
        "rewards": rewards,
        "dones": dones,
        "last": last.reshape(len(ended), *observations.shape[1:]),
        "truncated": np.array([info["TimeLimit.truncated"] for info in ended], bool),
    }


def _tail(log: Path, lines: int = 15) -> str:
    said = log.read_text(errors="replace").strip().splitlines()[-lines:]
    return "Its last words:\n" + "\n".join(said) if said else "It said nothing."
