"""What a score of a whole episode cannot tell a judge: its course, and what could still be had from where it leads.

Both come of saved policies that play select episodes again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from reward_agent.envs.episodes import Episodes
from reward_agent.schema import Array
from reward_agent.scoring import Acting, Ready, play, ready, roll_out, rows_of
from reward_agent.task import Episode, Ints, Metric, Task

EPISODES = 8
"""Played again of each policy, the first of the select seeds, unless a judge is told how many."""
MOMENTS = 50
"""At most, at which a course is measured: as many as the steps of a segment in B-Pref."""


def gains(task: Task, act: Acting, seeds: Sequence[int] | Ints, metric: Metric, share: float = 1.0) -> Array:
    """What each stretch of an episode added to its score, `(E, M)`; M equal stretches of the horizon's first `share`.

    The score of an episode cut short at a moment, less that at the moment before: a row sums up to the score at the end
    of `share`. For returns and distances these are rewards by time; of other metrics they tell when the score was won.
    An episode that has ended gains nothing more.
    """
    moments = _moments(task, share)
    found = np.zeros((len(seeds), len(moments)))

    def measure(index: int, episode: Episode) -> None:
        length = len(episode.action)
        scores: dict[int, float] = {}
        for at in moments:
            end = min(int(at), length)
            if end not in scores:
                scores[end] = float(metric.score(cut(episode, end)))
        found[index] = np.diff([scores[min(int(at), length)] for at in moments], prepend=0.0)

    play(task, act, seeds, set(metric.fields), measure)
    return found


def recent(gained: Array, myopia: float) -> Array:
    """Gains `(E, M)` summed as someone sees them who forgets, `(E,)`: the first weighs `1 - myopia` of the last.

    B-Pref's myopic teacher: its discount by step is here `(1 - myopia) ** (1 / (M - 1))`, so that one setting suits
    every horizon.
    """
    ago = np.linspace(1.0, 0.0, gained.shape[1]) if gained.shape[1] > 1 else np.zeros(1)
    return np.asarray(gained @ (1.0 - myopia) ** ago)


def handed_over(
    task: Task, first: Acting, then: Acting, seeds: Sequence[int] | Ints, metric: Metric, share: float
) -> Array:
    """Scores `(E,)` of episodes that `first` plays for the horizon's first `share`, and `then` to their end.

    Up to a constant of each seed, minus the regret of that first part (Knox et al., 2022): what it returned and the
    value of the state that it led to. The optimal value is approximated by what `then`, the best policy that is known,
    still gets to the horizon; the constant is the value of the start, the same for all who begin there.
    """
    steps = int(_moments(task, share)[-1])
    relay = Relay(first, then, steps, min(rows_of(first, task), rows_of(then, task)))
    return roll_out(task, relay, seeds, [metric])[metric.name]


@dataclass(frozen=True)
class Relay:
    """A policy (`scoring.Planning`) that hands over to another after some steps of an episode."""

    first: Acting
    then: Acting
    steps: int
    rows: int

    @property
    def observe_time(self) -> bool:
        return _observes_time(self.first) or _observes_time(self.then)

    @contextmanager
    def ready(self, task: Task, rows: int) -> Iterator[Ready]:
        """See `scoring.Planning`."""
        with ExitStack() as stack:
            both = [stack.enter_context(ready(act, task, rows)) for act in (self.first, self.then)]
            blind = [self.observe_time and not _observes_time(act) for act in (self.first, self.then)]

            def choose(episodes: Episodes, observations: Array) -> Array:
                late = episodes.elapsed >= self.steps
                chosen = [
                    acting.choose(episodes, observations[:, :-1] if shut else observations)
                    if wanted.any() or acting.remembers
                    else np.zeros((len(late), 1))
                    for acting, shut, wanted in zip(both, blind, (~late, late), strict=True)
                ]
                return np.where(late[:, None], chosen[1], chosen[0])

            fields = tuple(dict.fromkeys(path for acting in both for path in acting.fields))
            yield Ready(fields, choose, remembers=any(acting.remembers for acting in both))


def cut(episode: Episode, steps: int) -> Episode:
    """Its first `steps`, as an episode."""
    if steps >= len(episode.action):
        return episode
    state = _first(episode.state, steps + 1)
    return episode._replace(state=state, action=episode.action[:steps], terminated=False)


def _moments(task: Task, share: float) -> Ints:
    """Steps after which to measure: the last is the end of `share` of the horizon."""
    last = max(1, round(share * task.horizon))
    return np.unique(np.ceil(np.linspace(0, last, min(MOMENTS, last) + 1)[1:] - 1e-9).astype(np.int64))


def _first(node: Any, states: int) -> Any:
    if isinstance(node, SimpleNamespace):
        return SimpleNamespace(**{name: _first(value, states) for name, value in vars(node).items()})
    return node[:states]


def _observes_time(act: Acting) -> bool:
    return bool(getattr(act, "observe_time", False))
