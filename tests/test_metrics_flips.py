"""What is a flip of the hopper, and what is none."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from metric_episodes import GRAVITY, TURN, episode

from reward_agent.envs.mujoco import metrics_flips
from reward_agent.task import Episode

# the hopper's flips


@dataclass(frozen=True)
class Phase:
    """A stretch of a hopper's episode: how long, how far it turns forwards, what touches the floor."""

    seconds: float
    turn: float = 0.0
    on: tuple[str, ...] = ("foot",)
    height: float = 1.25
    fall: float = GRAVITY
    """Deceleration of the centre of mass while nothing touches."""


STAND, FLIGHT = Phase(0.4), Phase(0.8, TURN + 0.1, on=())


CROUCHED = Phase(0.4, height=0.5)


def hop(*phases: Phase, dt: float = 0.008) -> Episode:
    """The phases one after the other, starting upright on the foot."""
    names = ("torso", "thigh", "leg", "foot")
    touching: dict[str, list[bool]] = {name: [name == "foot"] for name in names}
    pitch, height, speed = [0.0], [1.25], [0.0]
    for phase in phases:
        steps = round(phase.seconds / dt)
        begin, rising = pitch[-1], 0.5 * phase.fall * phase.seconds
        for i in range(1, steps + 1):
            pitch.append(begin + phase.turn * i / steps)
            height.append(phase.height)
            speed.append(rising - phase.fall * i * dt if not phase.on else 0.0)
            for name in names:
                touching[name].append(name in phase.on)
    zeros = np.zeros(len(pitch))
    bodies = {name: SimpleNamespace(contact=np.array(touching[name])) for name in names}
    bodies["torso"].position = np.stack([zeros, zeros, height], axis=-1)
    state = SimpleNamespace(
        **bodies,
        joints=SimpleNamespace(root_pitch=SimpleNamespace(angle=np.array(pitch))),
        center_of_mass=SimpleNamespace(velocity=np.stack([zeros, zeros, speed], axis=-1)),
    )
    return episode(state, len(pitch) - 1, dt)


def backwards(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
    return tuple(Phase(p.seconds, -p.turn, p.on, p.height, p.fall) for p in phases)


FLIPS = {
    "plain": (STAND, FLIGHT, STAND),
    "after a hop": (STAND, Phase(0.2, 0.1, on=()), STAND, FLIGHT, STAND),
    "two turns at once": (STAND, Phase(1.2, 2 * TURN + 0.1, on=()), STAND),
    "a second to find its balance": (STAND, FLIGHT, Phase(0.4, 0.5), Phase(0.3, -0.6), STAND),
    "a fall after the stand": (STAND, FLIGHT, STAND, Phase(0.3, 1.5), Phase(0.2, on=("torso", "leg"))),
    "held for just 0.3 s": (STAND, FLIGHT, Phase(0.312), Phase(0.4, 1.0, height=0.9)),
}


NO_FLIPS = {
    "no flight": (STAND, STAND),
    "not quite a turn": (STAND, Phase(0.8, 0.95 * TURN, on=()), Phase(0.1, 0.05 * TURN), STAND),
    "two half turns with a touch between": (
        STAND,
        Phase(0.5, TURN / 2, on=()),
        Phase(0.05),
        Phase(0.5, TURN / 2 + 0.1, on=()),
        STAND,
    ),
    "there and back": (STAND, Phase(0.5, TURN, on=()), Phase(0.5, -TURN, on=()), STAND),
    "rocking by half turns in the air": (STAND, *(Phase(0.2, s * TURN / 2, on=()) for s in (1, -1) * 3), STAND),
    "turning on the foot": (STAND, Phase(0.8, TURN + 0.1), STAND),
    "rolling over the head": (
        STAND,
        Phase(0.4, TURN / 2, on=()),
        Phase(0.2, 0.2, on=("torso",)),
        Phase(0.4, TURN / 2, on=()),
        STAND,
    ),
    "sliding on the head": (STAND, Phase(0.8, TURN + 0.1, on=("torso",)), STAND),
    "landing on the head": (STAND, FLIGHT, Phase(0.1, on=("torso",)), STAND),
    "landing on the knee": (STAND, FLIGHT, Phase(0.1, on=("foot", "leg")), STAND),
    "lying before it": (STAND, Phase(0.2, on=("torso", "leg")), STAND, FLIGHT, STAND),
    "upright for 0.25 s": (STAND, FLIGHT, Phase(0.25), Phase(0.1, 1.0)),
    "toppling through upright": (STAND, Phase(0.8, TURN - 0.6, on=()), Phase(0.4, 1.5)),
    "leaning": (STAND, Phase(0.8, TURN + 0.6, on=()), STAND),
    "one and a half turns, and half a turn back": (
        STAND,
        Phase(0.8, 1.45 * TURN, on=()),
        Phase(0.1),
        Phase(0.4, -0.45 * TURN, on=()),
        STAND,
    ),
    "winding up head down on the foot first": (
        STAND,
        Phase(0.3, -TURN / 2),
        FLIGHT,
        Phase(0.2, TURN / 2 - 0.1, on=()),
        STAND,
    ),
    "never landing": (STAND, FLIGHT),
    "folded on the floor": (STAND, FLIGHT, CROUCHED),
    "standing in mid-air": (STAND, FLIGHT, Phase(0.05), Phase(0.4, on=()), Phase(0.05)),
    "standing too late": (STAND, FLIGHT, Phase(0.05, 0.6), Phase(1.0), Phase(0.05, -0.6), STAND),
    "a jump of the pitch": (STAND, Phase(0.4, 0.1, on=()), Phase(0.008, TURN, on=()), Phase(0.4, on=()), STAND),
    "held up by a touch that was not sampled": (STAND, Phase(0.8, TURN + 0.1, on=(), fall=4.0), STAND),
    "already in the air at the start": (Phase(0.8, TURN + 0.1, on=()), STAND),
}


@pytest.mark.parametrize("case", FLIPS)
def test_a_flip_is_a_flip_in_its_own_direction_alone(case: str) -> None:
    front, back = hop(*FLIPS[case]), hop(*backwards(FLIPS[case]))
    assert metrics_flips.flip_success("front").score(front) == 1.0
    assert metrics_flips.flip_success("back").score(back) == 1.0
    assert metrics_flips.flip_success("front").score(back) == 0.0
    assert metrics_flips.flip_success("back").score(front) == 0.0


@pytest.mark.parametrize("case", NO_FLIPS)
def test_what_is_no_flip(case: str) -> None:
    phases = NO_FLIPS[case]
    if case == "already in the air at the start":
        made = hop(*phases)
        made.state.foot.contact[0] = False
    else:
        made = hop(*phases)
    assert metrics_flips.flip_success("front").score(made) == 0.0
    assert metrics_flips.flip_success("back").score(made) == 0.0
    assert metrics_flips.flip_fitness("front").score(made) < 2.0


def test_flip_progress_rises_with_the_turn_and_then_with_the_stand() -> None:
    tries = [
        hop(STAND, STAND),
        hop(STAND, Phase(0.4, TURN / 4, on=()), Phase(0.1, on=("torso",))),
        hop(STAND, Phase(0.6, TURN / 2, on=()), Phase(0.1, on=("torso",))),
        hop(STAND, FLIGHT, Phase(0.1, on=("torso",))),
        hop(STAND, FLIGHT, Phase(0.15), Phase(0.5, 1.5)),
        hop(STAND, FLIGHT, STAND),
    ]
    scores = [metrics_flips.flip_fitness("front").score(made) for made in tries]
    assert scores == sorted(set(scores))
    assert scores[0] == 0.0
    assert scores[2] == pytest.approx(0.5, abs=0.02)
    assert scores[3] == pytest.approx(1.0)
    assert scores[5] == 2.0


def test_a_flip_episode_ends_when_anything_but_the_foot_touches() -> None:
    rule = metrics_flips.only_foot_may_touch()
    state = hop(Phase(0.008), Phase(0.008, on=()), Phase(0.008, on=("leg", "foot")), Phase(0.008, on=("torso",))).state
    assert rule.ends(state).tolist() == [False, False, False, True, True]
