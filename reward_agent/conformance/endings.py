"""Is every state of an episode its own to the last, and does the task alone say how long an episode is?

A world that resets by itself within `step` hands out the first state of the next episode in place of the last of this
one; where its rule for that is not the task's, it does so in the middle of one. Nothing in a single state tells of it,
so a jump does: a step leads further than steps mostly do, and to where episodes begin, or (the last one) to the very
state that another episode of the same seed ended in by other actions.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reward_agent.conformance.finding import Finding, failed, passed
from reward_agent.conformance.subject import Subject, Whole
from reward_agent.envs.episodes import START
from reward_agent.schema import Array, StateSchema
from reward_agent.task import Ints

NAME = "endings"
JUMP, NEAR = 2.0, 0.5
"""An episode's last step is a jump if it is so many times as long as its steps mostly are; how near to the start of an
episode it must then lead, as a share of its length."""
MIDWAY_JUMP, MIDWAY_NEAR = 4.0, 0.1
"""The same for all other steps: there are many of them, and some things swing."""
VALUES = 10
"""A column of no more different values than this is a flag or a counter, whose every change is a jump."""


def endings(subject: Subject) -> Iterator[Finding]:
    """Episodes go on to their own last state, by a rule or at the task's horizon."""
    horizon, episodes = subject.task.horizon, subject.episodes
    for episode in episodes:
        if episode.truncated and len(episode.actions) != horizon:
            yield failed(
                NAME,
                f"{_who(episode)} was truncated after {len(episode.actions)} steps; the task's horizon is {horizon}.",
                contract="The horizon is the task's; a world truncates for no limit of time of its own.",
                change="Take the environment's own limit away (`gymnasium.make(…).unwrapped`, `max_episode_steps`), or "
                "give the task that horizon.",
            )
            return
    for episode, step, reason in _restarts(subject):
        ends = " and last" if step == len(episode.actions) else ""
        yield failed(
            NAME,
            f"{_who(episode)} jumps in its step {step}{ends}: it leads {reason}. That step seems to have reset the "
            "environment.",
            contract="`step` never resets: the state it returns when an episode ends is the terminal one, which "
            "metrics judge and rewards pay for.",
            change="Take automatic resets away, or pack the state before them.",
        )
        return
    lengths = [len(episode.actions) for episode in episodes]
    ended = sum(episode.terminated for episode in episodes)
    yield passed(
        NAME,
        f"{len(episodes)} episodes of {min(lengths)} to {max(lengths)} steps, {ended} of them terminated and "
        f"{len(episodes) - ended} truncated at the horizon of {horizon}: no step leads back to a start.",
    )


def _restarts(subject: Subject) -> Iterator[tuple[Whole, int, str]]:
    """Steps that seem to have reset the environment, and where they lead."""
    everything = np.concatenate([episode.states for episode in subject.episodes])
    columns = _columns(subject.full)
    columns = columns[[len(np.unique(everything[:, column])) > VALUES for column in columns]]
    spread = everything[:, columns].std(axis=0)
    paths = [episode.states[:, columns] / spread for episode in subject.episodes]
    # the world's own fields come first, so their columns are those of the traces too
    begun = [trace.states[trace.began][:, columns] / spread for trace in subject.traces]
    starts = np.concatenate([*begun, *(path[:1] for path in paths)])
    for path, episode in zip(paths, subject.episodes, strict=True):
        moved = np.linalg.norm(np.diff(path, axis=0), axis=1)
        usual = float(np.median(moved[:-1][moved[:-1] > 0])) if moved[:-1].any() else 0.0
        for step in np.flatnonzero(moved > JUMP * usual) + 1:
            length, last = moved[step - 1], step == len(moved)
            if not last and length <= MIDWAY_JUMP * usual:
                continue
            near = np.linalg.norm(path[step] - starts, axis=1).min()
            if near < (NEAR if last else MIDWAY_NEAR) * length:
                yield episode, int(step), "to where episodes begin"
            twins = [
                p for p, e in zip(paths, subject.episodes, strict=True) if e.seed == episode.seed and p is not path
            ]
            if last and _shared(path, twins):
                yield (
                    episode,
                    int(step),
                    "to the very state that another episode of this seed ended in by other actions",
                )


def _shared(path: Array, twins: list[Array]) -> bool:
    """Whether another path of the same seed ends in the same state, from another one."""
    return any(np.array_equal(path[-1], twin[-1]) and not np.array_equal(path[-2], twin[-2]) for twin in twins)


def _columns(schema: StateSchema) -> Ints:
    """Columns of the world's own float fields."""
    own = (field for field in schema.fields if not field.path.startswith((START, "episode.")))
    return schema.indices(field.path for field in own if field.kind == "float")


def _who(episode: Whole) -> str:
    return f"An episode of {episode.policy} (seed {episode.seed})"
