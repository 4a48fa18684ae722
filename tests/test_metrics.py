"""Metrics over episodes made by hand: what must pass, and near misses that must not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reward_agent.envs.mujoco import metrics, metrics_flips, metrics_legs
from reward_agent.task import Episode

TURN = 2 * np.pi
GRAVITY = 9.81


def episode(state: Any, steps: int, dt: float, actions: int = 3, terminated: bool = False) -> Episode:
    constants = SimpleNamespace(dt=dt, gravity=GRAVITY, foot_radius=0.08)
    return Episode(state, np.zeros((steps, actions)), terminated, constants, dt)


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


# the ant


def tilted(angle: float) -> np.ndarray:
    """Quaternion of a turn about x."""
    return np.array([np.cos(angle / 2), np.sin(angle / 2), 0.0, 0.0])


def ant(seconds: float, dt: float = 0.05) -> SimpleNamespace:
    """An ant that stands level at 0.55 m with all feet down and nothing moving, `(T+1, …)`."""
    states = round(seconds / dt) + 1
    parts: dict[str, Any] = {}
    for leg, around in zip(metrics_legs.LEGS, np.radians([45, -45, 135, -135]), strict=True):
        tip = np.tile([0.9 * np.cos(around), 0.9 * np.sin(around), 0.08], (states, 1))
        parts[f"{leg}_foot"] = SimpleNamespace(position=tip, contact=np.ones(states, bool))
        parts[f"{leg}_thigh"] = SimpleNamespace(contact=np.zeros(states, bool))
    hips = {f"{leg}_hip": SimpleNamespace(angle=np.zeros(states)) for leg in metrics_legs.LEGS}
    torso = SimpleNamespace(
        position=np.tile([0.0, 0.0, 0.55], (states, 1)),
        orientation=np.tile(tilted(0.0), (states, 1)),
        linear_velocity=np.zeros((states, 3)),
        angular_velocity=np.zeros((states, 3)),
        contact=np.zeros(states, bool),
    )
    return SimpleNamespace(torso=torso, joints=SimpleNamespace(velocities=np.zeros((states, 8)), **hips), **parts)


def lying_ant(seconds: float = 5.0) -> SimpleNamespace:
    """Down to 0.385 m at 1.5 s, still from there on."""
    state = ant(seconds)
    down = np.clip(np.arange(len(state.torso.position)) * 0.05 / 1.5, 0, 1)
    state.torso.position[:, 2] = 0.55 - (0.55 - 0.385) * down
    state.joints.velocities[:30] = 0.5
    return state


def lie_scores(state: SimpleNamespace) -> tuple[float, float]:
    made = episode(state, len(state.torso.position) - 1, 0.05, 8)
    return metrics_legs.lie_success().score(made), metrics_legs.lie_fitness().score(made)


def test_an_ant_that_lies() -> None:
    assert lie_scores(lying_ant()) == (1.0, 1.0)
    assert lie_scores(lying_ant(3.0))[0] == 1.0


def _late(state: SimpleNamespace) -> None:
    state.torso.position[:48, 2] = 0.5  # only from 2.4 s on


def _too_high(state: SimpleNamespace) -> None:
    state.torso.position[:, 2] = np.maximum(state.torso.position[:, 2], 0.42)


def _gets_up_at_the_end(state: SimpleNamespace) -> None:
    state.torso.position[-1, 2] = 0.5


def _on_its_back(state: SimpleNamespace) -> None:
    state.torso.position[30:, 2] = 0.25
    state.torso.orientation[30:] = tilted(np.pi)
    state.torso.contact[30:] = True
    for leg in metrics_legs.LEGS:
        getattr(state, f"{leg}_foot").contact[30:] = False


def _on_its_back_feet_down(state: SimpleNamespace) -> None:
    state.torso.orientation[:] = tilted(np.pi)


def _toppled_and_rolled_on(state: SimpleNamespace) -> None:
    for i in range(20):
        state.torso.orientation[5 + i] = tilted(TURN * i / 20)


def _slanting(state: SimpleNamespace) -> None:
    state.torso.orientation[30:] = tilted(0.4)


def _a_foot_in_the_air(state: SimpleNamespace) -> None:
    state.back_left_foot.contact[60:] = False


def _leaning_on_the_torso(state: SimpleNamespace) -> None:
    state.torso.contact[40:] = True


def _crawling(state: SimpleNamespace) -> None:
    state.torso.linear_velocity[:, 0] = 0.2


def _spinning(state: SimpleNamespace) -> None:
    state.torso.angular_velocity[:, 2] = 0.5


def _trembling(state: SimpleNamespace) -> None:
    state.joints.velocities[50::2, 3] = 0.6


@pytest.mark.parametrize(
    "spoil",
    [
        _late,
        _too_high,
        _gets_up_at_the_end,
        _on_its_back,
        _on_its_back_feet_down,
        _toppled_and_rolled_on,
        _slanting,
        _a_foot_in_the_air,
        _leaning_on_the_torso,
        _crawling,
        _spinning,
        _trembling,
    ],
)
def test_an_ant_that_does_not_lie(spoil: Any) -> None:
    state = lying_ant()
    spoil(state)
    success, fitness = lie_scores(state)
    assert success == 0.0
    assert fitness < 1.0 or spoil is _toppled_and_rolled_on  # over by 2 s: only the success looks back that far


def test_lying_too_short_is_not_lying() -> None:
    assert lie_scores(lying_ant(2.9))[0] == 0.0
    assert lie_scores(lying_ant(1.0)) == (0.0, 0.0)


def waving_ant(waves: float = 3.25, hertz: float = 1.0, swing: float = 0.8) -> SimpleNamespace:
    """Holds the front left foot 0.2 m clear of the floor and swings its hip, the other three feet on the floor."""
    state = ant(waves / hertz + 1.0)
    time = np.arange(len(state.torso.position)) * 0.05
    angle = 0.5 * swing * np.sin(2 * np.pi * hertz * np.clip(time - 0.5, 0, waves / hertz))
    state.joints.front_left_hip.angle[:] = angle
    around = np.pi / 4 + 0.7 * angle
    state.front_left_foot.position[:] = np.stack(
        [0.9 * np.cos(around), 0.9 * np.sin(around), np.full_like(time, 0.28)], axis=-1
    )
    state.front_left_foot.contact[:] = False
    return state


def wave_scores(state: SimpleNamespace) -> tuple[float, float]:
    made = episode(state, len(state.torso.position) - 1, 0.05, 8)
    return metrics_legs.wave_success().score(made), metrics_legs.wave_fitness().score(made)


def test_an_ant_that_waves() -> None:
    assert wave_scores(waving_ant()) == (1.0, 2.0)
    assert wave_scores(waving_ant(hertz=2.0))[0] == 1.0
    drifting = waving_ant(8.25)
    _carried_along(drifting, 0.05)
    assert wave_scores(drifting)[0] == 1.0
    hopping = waving_ant()
    hopping.back_left_foot.contact[1::3] = hopping.back_left_foot.contact[2::3] = False
    assert wave_scores(hopping)[0] == 1.0, "a foot may leave the floor for a tenth of a second"


def _carried_along(state: SimpleNamespace, speed: float) -> None:
    way = speed * 0.05 * np.arange(len(state.torso.position))
    for part in ("torso", *(f"{leg}_foot" for leg in metrics_legs.LEGS)):
        getattr(state, part).position[:, 0] += way


def _running(state: SimpleNamespace) -> None:
    _carried_along(state, 3.0)


def _walking(state: SimpleNamespace) -> None:
    _carried_along(state, 0.5)


def _standing_on_two_feet(state: SimpleNamespace) -> None:
    state.back_left_foot.contact[:] = False


def _stepping(state: SimpleNamespace) -> None:
    state.back_left_foot.contact[::8] = state.back_left_foot.contact[1::8] = False
    state.back_left_foot.contact[2::8] = state.back_left_foot.contact[3::8] = False


def _too_low(state: SimpleNamespace) -> None:
    state.front_left_foot.position[:, 2] = 0.2


def _put_down_in_between(state: SimpleNamespace) -> None:
    state.front_left_foot.position[::30, 2] = 0.08


def _standing_on_one_foot(state: SimpleNamespace) -> None:
    state.back_left_foot.contact[:] = state.back_right_foot.contact[:] = False


def _on_its_back_kicking(state: SimpleNamespace) -> None:
    state.torso.orientation[:] = tilted(np.pi)


def _toppled(state: SimpleNamespace) -> None:
    state.torso.orientation[:] = tilted(0.8)


def _on_its_belly(state: SimpleNamespace) -> None:
    state.torso.contact[:] = True


def _on_a_knee(state: SimpleNamespace) -> None:
    state.back_left_thigh.contact[:] = True


def _body_wags_under_a_still_foot(state: SimpleNamespace) -> None:
    state.front_left_foot.position[:, :2] = 0.6


def _whole_body_wags(state: SimpleNamespace) -> None:
    state.joints.front_left_hip.angle[:] = 0.0


@pytest.mark.parametrize(
    "spoil",
    [
        _too_low,
        _put_down_in_between,
        _standing_on_one_foot,
        _standing_on_two_feet,
        _stepping,
        _walking,
        _running,
        _on_its_back_kicking,
        _toppled,
        _on_its_belly,
        _on_a_knee,
        _body_wags_under_a_still_foot,
        _whole_body_wags,
    ],
)
def test_an_ant_that_does_not_wave(spoil: Any) -> None:
    state = waving_ant()
    spoil(state)
    success, fitness = wave_scores(state)
    assert success == 0.0
    assert fitness < 2.0


@pytest.mark.parametrize(
    "state",
    [waving_ant(2.5), waving_ant(swing=0.35), waving_ant(8, hertz=9.0), waving_ant(0.0)],
    ids=["two and a half waves", "swings too small", "jitter", "a raised leg that is still"],
)
def test_too_little_of_a_wave(state: SimpleNamespace) -> None:
    assert wave_scores(state)[0] == 0.0


def test_two_legs_do_not_share_one_wave() -> None:
    left, right = waving_ant(1.6), waving_ant(1.6)
    parts = ("torso", *(f"{leg}_{part}" for leg in metrics_legs.LEGS for part in ("foot", "thigh")))
    for part in parts:
        for name, values in vars(getattr(left, part)).items():
            setattr(getattr(left, part), name, np.concatenate([values, values]))
    still = np.zeros_like(left.joints.front_left_hip.angle)
    for leg in metrics_legs.LEGS:
        getattr(left.joints, f"{leg}_hip").angle = np.concatenate([still, still])
    half = len(still)
    left.joints.front_left_hip.angle[:half] = right.joints.front_left_hip.angle
    left.joints.front_right_hip.angle[half:] = right.joints.front_left_hip.angle
    left.front_right_foot.position[half:] = left.front_left_foot.position[half:]
    assert wave_scores(left)[0] == 0.0


# plain quantities


def test_distance_height_and_time() -> None:
    state = SimpleNamespace(
        torso=SimpleNamespace(position=np.array([[1.0, 9, 0.1], [2.0, 9, 0.5], [3.5, 0, 1.0], [3.0, 0, 2.0]])),
        goal=SimpleNamespace(position=np.zeros((4, 3))),
    )
    made = episode(state, 3, 0.5)
    assert metrics.distance_travelled().score(made) == 2.0
    assert metrics.final_height("torso", 1.0).score(made) == 1.5
    assert metrics.final_distance("torso", "goal", 0.5, axes=2).score(made) == -3.0
    assert metrics.final_distance("torso", "goal", 0.5).score(made) == pytest.approx(-np.sqrt(13))
    assert metrics.time_alive().score(made) == 1.5
    assert metrics.time_alive().score(made._replace(terminated=True)) == 1.0


def test_native_return_sums_the_program_over_every_step(tmp_path: Path) -> None:
    program = tmp_path / "expert.py"
    program.write_text(
        "def compute_reward(state, action, next_state):\n"
        "    speed = (next_state.torso.x - state.torso.x) / constants.dt\n"
        "    effort = -(action**2).sum(-1)\n"
        "    return speed + effort, {'speed': speed, 'effort': effort}\n"
    )
    state = SimpleNamespace(torso=SimpleNamespace(x=np.array([0.0, 1.0, 3.0])))
    made = episode(state, 2, 0.5)._replace(action=np.array([[1.0], [2.0]]))
    assert metrics.native_return(program, ("torso.x",)).score(made) == 3.0 / 0.5 - 5.0


def test_runs_of_true() -> None:
    assert metrics.runs(np.array([True, True, False, True])) == [(0, 1), (3, 3)]
    assert metrics.runs(np.array([], bool)) == []
