"""Rewards of a training from a reader of its own transitions, or from what one said of recorded ones, in one call."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reward_agent.checked import changed
from reward_agent.codec import decode, encode, to_line
from reward_agent.crediting import Reached, Reader
from reward_agent.crediting.labels import Asking, Labeller
from reward_agent.crediting.programs import packed
from reward_agent.crediting.screens import ScreenReader
from reward_agent.crediting.trajectories import Place, Trajectory
from reward_agent.errors import UsageError
from reward_agent.files import writing
from reward_agent.llm import LLM, Budget, Metered, Options, Spent, connect
from reward_agent.messages import Key, Message, Reply
from reward_agent.program import Program
from reward_agent.sources.distilled import DistilledSource, Distilling
from reward_agent.sources.shaping import ShapedSource, shaping_of
from reward_agent.subgoals import parse_subgoals
from reward_agent.task import Screen, Task
from reward_agent.templates import Templates

LABELS, REPLIES = "labels.jsonl", "judged.jsonl"
"""Of a training whose transitions a model judges, in its folder."""


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


@dataclass(frozen=True)
class Judging:
    """The model that judges the transitions of a training, as another process connects it."""

    llm: str
    """`provider:model`."""
    temperature: float | None = None
    base_url: str | None = None
    prices: tuple[float, float] | None = None
    prompts: Path | None = None
    """A folder of the user's own templates."""
    budget: Budget = field(default_factory=Budget)
    """Of this training."""


def judged_source(
    program: Program, task: Task, judging: Judging, folder: Path, shaping: Mapping[str, Any] | None = None
) -> ShapedSource:
    """The reward source of a training on subgoals in words: labels, replies and what a person is asked lie in `folder`.

    What its replies cost before counts towards the budget of a training that resumes.

    Raises:
        UsageError, MissingComponentError: the model cannot be connected, or as `distilled`.
    """
    # a person answers when they can: nothing waits for them
    options = Options(judging.temperature, judging.base_url, prices=judging.prices, folder=folder, wait=math.inf)
    answers = Answers(connect(judging.llm, options), folder / REPLIES)
    llm = Metered(answers, judging.budget, Spent.on(answers_in(folder)))
    subgoals = parse_subgoals(program.source, "The program")
    reader = ScreenReader(llm, task, subgoals, batch=Asking().batch, templates=Templates(judging.prompts))
    return distilled(reader, task, folder / LABELS, shaping=shaping)


class Answers:
    """A model each of whose replies is added to a file as it comes, as recordings are."""

    def __init__(self, llm: LLM, path: Path) -> None:
        self.name, self._llm, self._path = llm.name, llm, path
        self.priced = getattr(llm, "priced", True)

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        reply = self._llm.complete(messages, key)
        line = to_line({"key": list(key), **encode(reply)})
        with writing(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        return reply


def answers_in(folder: Path) -> list[Reply]:
    """What the model that judged a training said; nothing where none did."""
    path = folder / REPLIES
    if not path.is_file():
        return []
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")  # a killed process leaves a torn last line at most
    lines = [json.loads(line) for line in whole.splitlines()]
    return [decode(Reply, {name: value for name, value in line.items() if name != "key"}) for line in lines]


def labels_in(folder: Path) -> int:
    """How many transitions of a training were judged."""
    path = folder / LABELS
    return path.read_bytes().count(b"\n") if path.is_file() else 0


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
