"""Subgoals as judgements of some of the agent's own transitions tell them, distilled for all of them.

After ONI (Zheng et al., 2024). A training shows some of its steps (`sources.WatchingSource`), they are asked about
elsewhere, and what labels there are by now say which of all transitions reached a subgoal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from reward_agent.checked import Checked, Count
from reward_agent.envs.episodes import START, task_schema
from reward_agent.errors import UsageError, unknown_name
from reward_agent.program import Rewards
from reward_agent.schema import Array
from reward_agent.sources import Sighting
from reward_agent.sources.examples import Examples, Labelled, content, stacked
from reward_agent.sources.network import Network
from reward_agent.task import Bools, Screen, Task, TextWorld

FEWEST = 16
"""Labels before a network is fitted."""
GROWTH = 1.2
"""Times as many labels as at the last fit, before the next: fits are few, however many labels come."""
How = Literal["hash", "classification", "ranking"]


class Labels(Protocol):
    """Who is asked, elsewhere. Nothing here waits."""

    names: tuple[str, ...]
    """Of the subgoals."""
    ended: str
    """Not empty once no more will be asked."""

    def offer(self, before: Screen, action: str, after: Screen) -> str:
        """Ask about a transition in time; its label's key."""
        ...

    def labels(self) -> Labelled:
        """All there are by now."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Distilling(Checked):
    """How labels of some transitions become rewards of all.

    Raises:
        UsageError: a value is out of its range.
    """

    how: How = "classification"
    """`hash`: a transition with the very state, action and next state of a labelled one; the others fit a network."""
    watched: Count = 1
    """Rows of a batch that are shown at once."""
    examples: Count = 10_000
    """Transitions that are kept with their labels, or until they have one."""
    seed: int = 0


class DistilledSource:
    """Says what transitions reached, a term a subgoal, 0 or 1 (`sources.CountingSource`, `sources.WatchingSource`).

    It has no latch: `sources.shaping.ShapedSource` around it pays for what it says.

    Args:
        labels: closed with this.
        task: in a world of characters, with numbered actions.
        distilling: how.
        fields: what is read of the state; all that rewards may read, but for the time, unless given. Where they are
            few, transitions are sooner alike.

    Raises:
        UsageError: the task's world has no screens, or there is no such field.
    """

    def __init__(
        self, labels: Labels, task: Task, distilling: Distilling | None = None, *, fields: Sequence[str] = ()
    ) -> None:
        self.distilling = chosen = distilling or Distilling()
        schema = task_schema(task).visible()
        if not isinstance(task.world, TextWorld) or not schema.action.discrete:
            raise UsageError(
                f"{task.id} has no screens of characters and actions with names, which a model that judges transitions "
                "reads: take a task of `minihack` or `minigrid`, or a program that tells subgoals."
            )
        for path in fields:
            if path not in schema:
                raise unknown_name("state field", path, schema.by_path)
        every = [path for path in schema.by_path if not path.startswith((START, "episode."))]
        wanted = set(fields or every)
        self.fields: tuple[str, ...] = tuple(path for path in schema.by_path if path in wanted)
        self.term_names: tuple[str, ...] = labels.names
        self.rewards = self.bad_rewards = 0
        self.examples = Examples(chosen.examples, labels.names)
        self.fits = 0
        """Of networks."""
        self._width = schema.select(self.fields).width
        self._actions, self._labels = schema.action.names, labels
        self._generator = np.random.default_rng(chosen.seed)
        self._changes: dict[bytes, int] = {}
        self._seen: list[Sighting] = []
        self._known: dict[bytes, Bools] = {}
        self._answered = self._fitted = 0
        self._network: Network | None = None

    @property
    def watched(self) -> int:
        """See `sources.WatchingSource`."""
        return 0 if self._labels.ended else self.distilling.watched

    def watch(self, seen: Sequence[Sighting]) -> None:
        """See `sources.WatchingSource`."""
        self._seen = list(seen)

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        """See `sources.RewardSource`."""
        self.rewards += was_reset.size
        transitions = np.concatenate([state, action, next_state], -1, dtype=np.float64)
        self._offer(transitions)
        self._learn()
        terms = self._says(transitions.reshape(was_reset.size, -1)).reshape(*was_reset.shape, -1).astype(np.float64)
        return Rewards(terms.sum(-1), terms)

    def restore(self, rewards: int, bad_rewards: int) -> None:
        """See `sources.CountingSource`."""
        self.rewards, self.bad_rewards = rewards, bad_rewards

    def memory(self) -> dict[str, NDArray[Any]]:
        """The transitions that were asked about; their labels are kept elsewhere."""
        return self.examples.memory()

    def remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """Go on from there, with the labels that came since."""
        self.examples.remember(memory)
        self._answered = self._fitted = 0

    def close(self) -> None:
        self._labels.close()

    def _offer(self, transitions: Array) -> None:
        """What was seen, to be asked: the more seldom, the oftener the same numbers had risen and fallen."""
        labels = self._labels.labels()
        for each in self._seen:
            transition = transitions[each.step, each.row]
            before, after = transition[: self._width], transition[-self._width :]
            change = np.concatenate([after > before, after < before]).tobytes()
            self._changes[change] = count = self._changes.get(change, 0) + 1
            if self._generator.random() < count**-0.5 and self.examples.key(transition) not in labels:
                number = int(transition[self._width])
                self.examples.add(transition, self._labels.offer(each.before, self._actions[number], each.after))
        self._seen = []

    def _learn(self) -> None:
        labels = self._labels.labels()
        self.examples.bound(labels)
        if len(labels) == self._answered:
            return
        self._answered = len(labels)
        self._known = self.examples.known(labels)
        how = self.distilling.how
        if how == "hash" or len(self._known) < max(FEWEST, GROWTH * self._fitted):
            return
        self._fitted = len(self._known)
        self.fits += 1
        others = self.examples.unlabelled(labels) if how == "ranking" else np.zeros((0, 0))
        self._network = Network(how, *stacked(self._known), others, self.distilling.seed)

    def _says(self, transitions: Array) -> Bools:
        """Of `(M, F)` transitions, `(M, K)`."""
        if self.distilling.how != "hash":
            if self._network is not None:
                return self._network(transitions)
            return np.zeros((len(transitions), len(self.term_names)), bool)
        said = np.zeros((len(transitions), len(self.term_names)), bool)
        if self._known:
            for row, transition in enumerate(transitions):
                found = self._known.get(content(transition))
                if found is not None:
                    said[row] = found
        return said
