"""The metrics of our robot's behaviours for robots of other sizes: every length grows with how high a robot stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import attrgetter
from types import SimpleNamespace

from reward_agent.envs.quadruped.robot import HEIGHT
from reward_agent.task import Episode, Metric


def sized(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    """Metrics that see positions as those of a robot of our own's size."""
    note = f"; lengths are of a robot that stands {HEIGHT:g} m high, and grow with the height at which this one does"
    return tuple(replace(metric, doc=metric.doc + note, score=_Sized(metric)) for metric in metrics)


@dataclass(frozen=True)
class _Sized:
    metric: Metric

    def __call__(self, episode: Episode) -> float:
        size = episode.constants.torso_height / HEIGHT
        state = SimpleNamespace()
        for path in self.metric.fields:
            entity, _, name = path.rpartition(".")
            value = attrgetter(path)(episode.state)
            if not hasattr(state, entity):
                setattr(state, entity, SimpleNamespace())
            setattr(getattr(state, entity), name, value / size if name == "position" else value)
        constants = SimpleNamespace(foot_radius=episode.constants.foot_radius / size)
        return self.metric.score(episode._replace(state=state, constants=constants))
