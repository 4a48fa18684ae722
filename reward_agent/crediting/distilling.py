"""Rewards of a training from a reader of its own transitions, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reward_agent.checked import changed
from reward_agent.crediting import Reader
from reward_agent.crediting.labels import Asking, Labeller
from reward_agent.sources.distilled import DistilledSource, Distilling
from reward_agent.sources.shaping import ShapedSource, shaping_of
from reward_agent.task import Task


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
