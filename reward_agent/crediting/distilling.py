"""Rewards of a training from a reader of its own transitions, or from what one said of recorded ones, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reward_agent.checked import changed
from reward_agent.crediting import Reached, Reader
from reward_agent.crediting.labels import Asking, Labeller
from reward_agent.crediting.programs import packed
from reward_agent.crediting.trajectories import Place, Trajectory
from reward_agent.errors import UsageError
from reward_agent.sources.distilled import DistilledSource, Distilling
from reward_agent.sources.shaping import ShapedSource, shaping_of
from reward_agent.task import Screen, Task


def distilled(
    reader: Reader,
    task: Task,
    labels: Path,
    *,
    asking: Mapping[str, Any] | None = None,
    distilling: Mapping[str, Any] | None = None,
    shaping: Mapping[str, Any] | None = None,
    fields: Sequence[str] = (),
) -> ShapedSource:
    """A reward source for any optimiser: what `reader` says of some steps, distilled, and paid as `shaping` has it.

    Close it after the training.

    Args:
        reader: asked beside the training, which never waits for it.
        task: in a world of characters.
        labels: the file they are kept in, for a training that resumes.
        asking: what to change of `labels.Asking`.
        distilling: what to change of `sources.distilled.Distilling`.
        shaping: what to change of `sources.shaping.Shaping`.
        fields: what is read of the state, see `DistilledSource`.

    Raises:
        UsageError: a setting cannot be meant so, the world has no screens, or the file has labels of other subgoals.
    """
    wanted, how, pay = changed(Asking(), asking), changed(Distilling(), distilling), shaping_of(shaping)
    labeller = Labeller(reader, labels, wanted)
    try:
        return ShapedSource(DistilledSource(labeller, task, how, fields=fields), task, pay)
    except BaseException:
        labeller.close()
        raise


class Recorded:
    """Labels that were all given before the training (`sources.distilled.Labels`): nobody is asked."""

    ended = "They were recorded, and nobody is asked."

    def __init__(self, labels: Mapping[str, Reached]) -> None:
        self.names: tuple[str, ...] = tuple(next(iter(labels.values())))
        self._labels = labels

    def offer(self, before: Screen, action: str, after: Screen) -> str:
        """Nobody offers where it has ended."""
        raise AssertionError(self.ended)

    def labels(self) -> Mapping[str, Reached]:
        return self._labels

    def close(self) -> None:
        """There is nothing to end."""


def learnt_from(
    trajectories: Sequence[Trajectory],
    said: Mapping[Place, Reached],
    task: Task,
    *,
    distilling: Mapping[str, Any] | None = None,
    fields: Sequence[str] = (),
) -> DistilledSource:
    """What says of every transition which subgoals it reached, distilled from a record alone.

    Args:
        trajectories: of the task.
        said: of some of their transitions, which subgoals they reached; a fault has no place here.
        task: in a world of characters.
        distilling, fields: as of `distilled`.

    Raises:
        UsageError: nothing was said, a setting cannot be meant so, or a trajectory lacks a field.
    """
    if not said:
        raise UsageError("Nothing was said of any transition: there is nothing to distil.")
    how = changed(Distilling(), distilling)
    keys = {place: f"{trajectories[place.trajectory].id}:{place.step}" for place in said}
    source = DistilledSource(Recorded({keys[place]: each for place, each in said.items()}), task, how, fields=fields)
    for place, key in keys.items():
        transitions = np.concatenate(packed(trajectories[place.trajectory], task, source.fields), axis=-1)
        source.examples.add(transitions[place.step], key)
    return source


def distilled_from(
    trajectories: Sequence[Trajectory],
    said: Mapping[Place, Reached],
    task: Task,
    *,
    distilling: Mapping[str, Any] | None = None,
    shaping: Mapping[str, Any] | None = None,
    fields: Sequence[str] = (),
) -> ShapedSource:
    """The same as a reward source for any optimiser, paid as `shaping` has it.

    Raises:
        UsageError: as `learnt_from`.
    """
    pay = shaping_of(shaping)
    return ShapedSource(learnt_from(trajectories, said, task, distilling=distilling, fields=fields), task, pay)
