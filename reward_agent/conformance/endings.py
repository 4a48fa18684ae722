"""Is the last state of an episode its own, and does the task alone say how long an episode is?

A world that resets by itself within `step` hands out the first state of the next episode in place of the last of this
one. Nothing in a single state tells of that, so a jump does: the last step leads further than any before it, and to
where episodes begin, or to the very state that another episode of the same seed ended in by other actions.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reward_agent.conformance.finding import Finding, failed, passed
from reward_agent.conformance.subject import Subject, Whole
from reward_agent.conformance.tracing import columns_of
from reward_agent.envs.episodes import START
from reward_agent.schema import Array, StateSchema
from reward_agent.task import Ints

NAME = "endings"
JUMP = 2.0
"""How many times as far as most steps of the episode one must lead to count as a jump."""
NEAR = 0.5
"""How near, as a share of the jump, it must lead to the start of an episode."""


def endings(subject: Subject) -> Iterator[Finding]:
    """Episodes end in their own last state, by a rule or at the task's horizon."""
    task, episodes = subject.task, subject.episodes
    for episode in episodes:
        length = len(episode.actions)
        if episode.truncated and length != task.horizon:
            yield failed(
                NAME,
                f"An episode of {episode.policy} from seed {episode.seed} was truncated after {length} steps, and the "
                f"task's horizon is {task.horizon}.",
                contract="The horizon is the task's; a world truncates for no limit of time of its own.",
                change="Take the environment's own limit away (`gymnasium.make(…).unwrapped`, `max_episode_steps`), or "
                "give the task that horizon.",
            )
            return
    columns = _columns(subject.full)
    everything = np.concatenate([episode.states[:, columns] for episode in episodes])
    spread = everything.std(axis=0)
    columns, spread = columns[spread > 0], spread[spread > 0]
    paths = [episode.states[:, columns] / spread for episode in episodes]
    # the world's own fields come first, so their columns are those of the traces too
    begun = [trace.states[trace.began][:, columns] / spread for trace in subject.traces]
    starts = np.concatenate([*begun, *(path[:1] for path in paths)])
    for number, path in enumerate(paths):
        twins = [
            other
            for other, whole in zip(paths, episodes, strict=True)
            if other is not path and whole.seed == episodes[number].seed
        ]
        found = _restarted(path, starts, twins)
        if found:
            yield failed(
                NAME,
                f"{_who(episodes[number])} ends after step {len(path) - 1} in a state that {found}: the step seems to "
                "have reset the environment.",
                contract="`step` never resets: the state it returns when an episode ends is the terminal one, which "
                "metrics judge and rewards pay for.",
                change="Take automatic resets away, or pack the state before them.",
            )
            return
    ended = sum(episode.terminated for episode in episodes)
    yield passed(
        NAME,
        f"{len(episodes)} episodes of {min(map(_length, episodes))} to {max(map(_length, episodes))} steps: {ended} "
        f"terminated, {len(episodes) - ended} truncated at the horizon of {task.horizon}, each in a state of its own.",
    )


def _restarted(path: Array, starts: Array, twins: list[Array]) -> str:
    """Why the last state of an episode seems to be the first of another; empty where it does not.

    Args:
        path: states `(L + 1, K)`, every column divided by its spread.
        starts: first states of episodes, `(S, K)`.
        twins: whole episodes from the same seed.
    """
    moved = np.linalg.norm(np.diff(path, axis=0), axis=1)
    if moved[-1] <= JUMP * (np.median(moved[:-1]) if len(moved) > 1 else 0.0):
        return ""
    if np.linalg.norm(path[-1] - starts, axis=1).min() < NEAR * moved[-1]:
        return "lies where episodes begin, a jump away from the state before it"
    if any(np.array_equal(path[-1], twin[-1]) and not np.array_equal(path[-2], twin[-2]) for twin in twins):
        return "another episode of the same seed ended in too, by other actions, a jump away from the state before it"
    return ""


def _columns(schema: StateSchema) -> Ints:
    """Columns of the world's own float fields."""
    own = (field for field in schema.fields if not field.path.startswith((START, "episode.")))
    return columns_of(schema, (field.path for field in own if field.kind == "float"))


def _who(episode: Whole) -> str:
    return f"The episode of {episode.policy} from seed {episode.seed}"


def _length(episode: Whole) -> int:
    return len(episode.actions)
