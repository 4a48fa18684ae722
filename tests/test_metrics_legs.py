"""What is an ant that lies or waves, and what is none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from metric_episodes import TURN, episode

from reward_agent.envs.mujoco import metrics_legs

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
