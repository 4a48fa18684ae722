"""The quadruped: its model, its servos and places in the schema, and metrics on states that must pass and must not."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reward_agent.envs.episodes import Episodes
from reward_agent.envs.quadruped import metrics
from reward_agent.envs.quadruped.names import DRIVEN, LEGS
from reward_agent.envs.quadruped.robot import REACH, STANDING
from reward_agent.envs.quadruped.world import QuadrupedWorld
from reward_agent.envs.registry import tasks
from reward_agent.schema import Array
from reward_agent.task import Episode, Metric

WORLD = QuadrupedWorld()
OURS = [task for name, task in tasks().items() if name.startswith("quadruped/") and task.metrics]
DT = WORLD.dt
RADIUS = 0.022


def settled(actions: Array, steps: int = 100) -> SimpleNamespace:
    """The last state of robots that hold an action `(N, 12)`."""
    batch = WORLD.make(len(actions), WORLD.schema())
    batch.reset(np.ones(len(actions), bool), np.arange(len(actions)))
    for _ in range(steps):
        step = batch.step(actions)
    batch.close()
    return batch.schema.view(step.states)


def test_it_stands_where_the_words_say() -> None:
    state = settled(np.zeros((2, 12)))
    np.testing.assert_allclose(state.torso.position[:, 2], 0.28, atol=0.01)
    assert not state.torso.contact.any()
    for leg in LEGS:
        foot, hip = getattr(state, f"{leg}_foot"), getattr(state, f"{leg}_hip")
        assert foot.contact.all() and (foot.air_time == 0).all()
        np.testing.assert_allclose(foot.position[:, :2], hip.position[:, :2], atol=0.03)
    np.testing.assert_allclose(state.front_left_hip.position[:, 0] - state.torso.position[:, 0], 0.18, atol=0.01)
    assert (state.front_left_hip.position[:, 1] > 0.1).all() and (state.back_right_hip.position[:, 1] < -0.1).all()


def test_its_mass_and_limits_are_those_of_a_real_robot() -> None:
    batch = WORLD.make(1, WORLD.schema().select([]))
    model = batch.model
    assert 12.0 < float(model.body_mass.sum()) < 14.0
    assert model.nu == 12 == len(DRIVEN) and model.nv == 18
    assert np.abs(model.jnt_actfrcrange[1:]).max() <= 36.0
    for at, name in enumerate(DRIVEN):
        assert model.joint(model.actuator_trnid[at, 0]).name == name
    batch.close()


def test_an_action_turns_its_own_joint_the_way_the_words_say() -> None:
    actions = np.zeros((13, 12))
    actions[1:] += 0.15 * np.eye(12)
    angles = settled(actions).joints.angles
    for at, name in enumerate(DRIVEN):
        moved = angles[at + 1] - angles[0]
        joint = name.rpartition("_")[2]
        assert moved[at] > 0.5 * 0.15 * REACH[joint]
        assert np.abs(np.delete(moved, at)).max() < moved[at]


def test_the_schema_tells_of_servos_and_of_the_standing_pose() -> None:
    text = WORLD.schema().render()
    assert "constants.joint_standing = (0, 0.8, -1.6" in text
    assert "a servo, whose target" in text and "gear" not in text
    assert STANDING == {"abduction": 0.0, "hip": 0.8, "knee": -1.6}


def test_what_prompts_say_of_it_is_what_recorded_replies_answer() -> None:
    api = WORLD.reward_api()
    assert api.robot == (
        "a quadruped of 13 kg: a trunk 0.4 m long and 0.15 m wide on four legs of two links, 0.2 m each, with three "
        "joints a leg. It stands with its torso's middle 0.28 m high; with folded legs its belly lies on the floor at "
        "0.06 m; the hip joints are 0.18 m ahead of and behind the middle. It faces along +x at first, which is north; "
        "+y, at its left, is west; +z is up"
    )
    said = {"functions": api.render(), "motion": api.motion, "skills": WORLD.primitives().render()}
    assert {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in said.items()} == {
        "functions": "a31c7127a7a0e478",
        "motion": "0f1495d1bde54561",
        "skills": "82b966eb9ba0a3b4",
    }


def test_nothing_breaks_under_random_actions() -> None:
    batch = WORLD.make(8, WORLD.schema().select(["torso.position", "joints.angles", "joints.velocities"]))
    batch.reset(np.ones(8, bool), np.arange(8))
    generator = np.random.default_rng(0)
    for _ in range(300):
        states = batch.step(generator.uniform(-1, 1, (8, 12))).states
    view = batch.schema.view(states)
    assert np.isfinite(states).all() and (view.torso.position[:, 2] > 0.03).all()
    assert (np.abs(view.torso.position) < 20).all()
    low, high = (
        np.array(next(c.value for c in WORLD.schema().constants if c.name == n)) for n in ("joint_low", "joint_high")
    )
    assert (view.joints.angles > low - 0.3).all() and (view.joints.angles < high + 0.3).all()
    batch.close()


def test_there_are_nine_tasks_each_with_parameters_by_hand() -> None:
    assert len(OURS) == 9
    assert all(task.optimiser == "mpc" and task.expert and task.terminates == "never" for task in OURS)
    assert sum(len(task.corrections) for task in OURS) == 3


def test_standing_still_does_none_of_the_tasks() -> None:
    for task in OURS:
        episodes = Episodes(task, 1, {path for metric in task.metrics for path in metric.fields})
        episodes.reset(np.ones(1, bool), np.array([1]))
        states = [episodes.states[0].copy()]
        for _ in range(task.horizon):
            states.append(episodes.step(np.zeros((1, 12))).states[0].copy())
        view = episodes.schema.view(np.array(states))
        episode = Episode(view, np.zeros((task.horizon, 12)), False, episodes.schema.constants_view(), DT)
        assert task.metrics[0].score(episode) == 0.0, task.id
        assert task.metrics[1].score(episode) < 1.0
        episodes.close()


def turned(yaw: Any = 0.0, nose_up: Any = 0.0, right_down: Any = 0.0, steps: int = 301) -> Array:
    """Quaternions `(T, 4)` wxyz: turned by yaw, then the nose raised, then the right side lowered."""

    def about(axis: int, angle: Any) -> Array:
        half = np.broadcast_to(np.asarray(angle, float) / 2, (steps,))
        quaternion = np.zeros((steps, 4))
        quaternion[:, 0], quaternion[:, 1 + axis] = np.cos(half), np.sin(half)
        return quaternion

    def product(a: Array, b: Array) -> Array:
        w = a[:, 0] * b[:, 0] - (a[:, 1:] * b[:, 1:]).sum(axis=1)
        v = a[:, :1] * b[:, 1:] + b[:, :1] * a[:, 1:] + np.cross(a[:, 1:], b[:, 1:])
        return np.concatenate([w[:, None], v], axis=1)

    return product(product(about(2, yaw), about(1, -np.asarray(nose_up))), about(0, right_down))


def episode(
    *, height: Any = 0.28, orientation: Array | None = None, paws: dict[str, Any] | None = None,
    place: Any = (0.0, 0.0), contact: Any = False, steps: int = 301,
) -> Episode:  # fmt: skip
    """An episode by hand; heights of paws are of their undersides."""
    position = np.zeros((steps, 3))
    position[:, :2], position[:, 2] = place, height
    state = SimpleNamespace(
        torso=SimpleNamespace(
            position=position,
            orientation=turned(steps=steps) if orientation is None else orientation,
            contact=np.broadcast_to(np.asarray(contact), (steps,)),
        )
    )
    for leg in LEGS:
        foot = np.zeros((steps, 3))
        foot[:, 2] = np.asarray((paws or {}).get(leg, 0.0)) + RADIUS
        setattr(state, f"{leg}_foot", SimpleNamespace(position=foot))
    return Episode(state, np.zeros((steps - 1, 12)), False, SimpleNamespace(foot_radius=RADIUS), DT)


def late(steps: int = 301, share: float = 1.0, last: int = 50) -> Array:
    """True in `share` of the last states."""
    mask = np.zeros(steps, bool)
    mask[steps - round(share * last) :] = True
    return mask


WEST = metrics.faces("west", np.pi / 2)
LIFT = metrics.lifts("front_right", 0.05)
PAWS = ("front_left", "back_right")
T = np.arange(301) * DT
REARED = {"orientation": turned(nose_up=1.4), "height": 0.45, "paws": {"front_left": 0.4, "front_right": 0.4}}
BACK = turned(right_down=np.clip(T * 2, 0, np.pi))
SUCCESSES: dict[str, tuple[tuple[Metric, Metric], Episode]] = {
    "faces": (WEST, episode(orientation=turned(yaw=np.pi / 2 + 0.15))),
    "faces after whole turns": (WEST, episode(orientation=turned(yaw=np.pi / 2 - 4 * np.pi))),
    "faces at last": (WEST, episode(orientation=turned(yaw=np.where(late(), np.pi / 2, 0)))),
    "sits": (metrics.sits(), episode(height=0.1, contact=True)),
    "lifts": (LIFT, episode(paws={"front_right": 0.06})),
    "rolls to the right": (metrics.rolls_over(), episode(height=0.08, orientation=BACK)),
    "rolls to the left and on": (
        metrics.rolls_over(), episode(height=0.1, orientation=turned(right_down=-np.clip(T, 0, 6)))
    ),
    "spins": (metrics.spins(), episode(orientation=turned(yaw=2.1 * T))),
    "spins the other way": (metrics.spins(), episode(orientation=turned(yaw=-3 * T))),
    "spins on two paws": (
        metrics.spins(PAWS), episode(orientation=turned(yaw=2.1 * T), paws=dict.fromkeys(PAWS, 0.04))
    ),
    "rears": (metrics.rears(), episode(**REARED)),
}  # fmt: skip
FAILURES: dict[str, tuple[tuple[Metric, Metric], Episode]] = {
    "faces elsewhere": (WEST, episode(orientation=turned(yaw=np.pi / 2 + 0.25))),
    "faces it only in passing": (WEST, episode(orientation=turned(yaw=np.where(late(share=0.8), np.pi / 2, 0)))),
    "faces it lying on its side": (WEST, episode(orientation=turned(yaw=np.pi / 2, right_down=1.5))),
    "faces it on its belly": (WEST, episode(orientation=turned(yaw=np.pi / 2), height=0.1)),
    "sits crooked": (metrics.sits(), episode(height=0.1, orientation=turned(right_down=0.5))),
    "lies on its back, low": (metrics.sits(), episode(height=0.08, orientation=turned(right_down=np.pi))),
    "crouches": (metrics.sits(), episode(height=0.16)),
    "lifts another paw": (LIFT, episode(paws={"front_left": 0.2})),
    "lifts it from its side": (LIFT, episode(paws={"front_right": 0.2}, orientation=turned(right_down=1.4))),
    "lifts it from its belly": (LIFT, episode(paws={"front_right": 0.2}, contact=True)),
    "lifts it and puts it down": (LIFT, episode(paws={"front_right": np.where(late(share=0.85), 0.0, 0.2)})),
    "rolls half": (metrics.rolls_over(), episode(orientation=turned(right_down=np.clip(T, 0, 2.5)))),
    "goes over its tail": (metrics.rolls_over(), episode(orientation=turned(nose_up=np.clip(T, 0, np.pi)))),
    "rolls on without lying": (metrics.rolls_over(), episode(orientation=turned(right_down=10 * T))),
    "spins slowly": (metrics.spins(), episode(orientation=turned(yaw=1.4 * T))),
    "spins to and fro": (metrics.spins(), episode(orientation=turned(yaw=2 * np.sin(3 * T)))),
    "spins on its back": (
        metrics.spins(), episode(orientation=turned(yaw=3 * T, right_down=np.pi), height=0.1, contact=True)
    ),
    "runs in a circle": (
        metrics.spins(), episode(orientation=turned(yaw=3 * T), place=np.stack([2 * T, 0 * T], axis=1))
    ),
    "spins on three paws": (
        metrics.spins(PAWS), episode(orientation=turned(yaw=3 * T), paws={"front_left": 0.1})
    ),
    "rears too briefly": (
        metrics.rears(), episode(**{**REARED, "orientation": turned(nose_up=np.where(late(share=0.9), 1.4, 0.0))})
    ),
    "sits up on the floor": (metrics.rears(), episode(**REARED, contact=True)),
    "rears with a paw down": (metrics.rears(), episode(**{**REARED, "paws": {"front_left": 0.4}})),
    "rears on its head": (metrics.rears(), episode(**{**REARED, "orientation": turned(nose_up=-1.4)})),
}  # fmt: skip


@pytest.mark.parametrize("name", SUCCESSES)
def test_states_that_must_pass(name: str) -> None:
    (success, progress), found = SUCCESSES[name]
    assert success.score(found) == 1.0
    assert progress.score(found) == 1.0


@pytest.mark.parametrize("name", FAILURES)
def test_states_that_must_not(name: str) -> None:
    (success, progress), found = FAILURES[name]
    assert success.score(found) == 0.0
    assert 0.0 <= progress.score(found) < 1.0


def test_progress_grows_with_the_share() -> None:
    def shown(share: float) -> float:
        return WEST[1].score(episode(orientation=turned(yaw=np.where(late(share=share), np.pi / 2, 0))))

    assert 0 < shown(0.2) < shown(0.6) < shown(0.8) < 1


def test_copies_are_of_the_rows_that_are_named() -> None:
    assert WORLD.fork({"state": np.arange(4.0)}, np.array([2, 0]))["state"].tolist() == [2.0, 0.0]
