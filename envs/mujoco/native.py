"""What Gymnasium's eleven v5 environments do around the physics, over arrays: observe, terminate, reset.

Each `Native` follows `gymnasium.envs.mujoco.<name>_v5` with its default arguments, row by row the same numbers; the
defaults of contact forces differ: they are left out of observations unless a world is made with `contact_forces=True`.
Native rewards are not here: they are expert programs (`experts/`), written in the reward contract like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from reward_agent.schema import Array
from reward_agent.task import Bools

Data = SimpleNamespace
"""Fields of N simulations by MuJoCo's names, each with a leading axis N: `qpos` `(N, nq)`, `xpos` `(N, nbody, 3)`, …"""


@dataclass(frozen=True)
class Draw:
    """The state an episode starts from."""

    qpos: Array
    """`(nq,)`."""
    qvel: Array
    """`(nv,)`."""


@dataclass(frozen=True)
class Native:
    """One environment's own rules."""

    timestep: float
    """Seconds of one physics step, as the model says."""
    frame_skip: int
    """Physics steps in an environment step."""
    horizon: int
    """Steps after which Gymnasium truncates."""
    observe: Callable[[Data], Array]
    """`(N, O)`, a fresh array."""
    draw: Callable[[np.random.Generator, Array, Array], Draw]
    """From a generator and the model's initial `qpos` and `qvel`, with the same draws in the same order."""
    terminated: Callable[[Data], Bools] | None = None
    """`(N,)`; None where only the horizon ends an episode."""
    reads: tuple[str, ...] = ()
    """What `observe` and `terminated` read beside `qpos` and `qvel`. Gymnasium reads these as a physics step leaves
    them: they belong to the start of the last sub-step, so a batch must copy them before it brings them up to date."""
    contact_range: float | None = None
    """With contact forces: what each component is clipped to in observations; infinite where it is not. None where
    the environment has none."""
    xml: str = ""
    """File of the model among Gymnasium's assets, where it is one of those."""

    @property
    def dt(self) -> float:
        """Seconds an environment step."""
        return self.timestep * self.frame_skip


def _uniform(scale: float) -> Callable[[np.random.Generator, Array, Array], Draw]:
    def draw(rng: np.random.Generator, qpos: Array, qvel: Array) -> Draw:
        start = qpos + rng.uniform(-scale, scale, qpos.size)
        return Draw(start, qvel + rng.uniform(-scale, scale, qvel.size))

    return draw


def _uniform_then_normal(scale: float) -> Callable[[np.random.Generator, Array, Array], Draw]:
    def draw(rng: np.random.Generator, qpos: Array, qvel: Array) -> Draw:
        start = qpos + rng.uniform(-scale, scale, qpos.size)
        return Draw(start, qvel + scale * rng.standard_normal(qvel.size))

    return draw


def _draw_pusher(rng: np.random.Generator, qpos: Array, qvel: Array) -> Draw:
    while True:
        cylinder = np.concatenate([rng.uniform(-0.3, 0, 1), rng.uniform(-0.2, 0.2, 1)])
        if np.linalg.norm(cylinder) > 0.17:
            break
    start, speed = qpos.copy(), qvel + rng.uniform(-0.005, 0.005, qvel.size)
    start[-4:], speed[-4:] = (*cylinder, 0, 0), 0
    return Draw(start, speed)


def _draw_reacher(rng: np.random.Generator, qpos: Array, qvel: Array) -> Draw:
    start = rng.uniform(-0.1, 0.1, qpos.size) + qpos
    while True:
        goal = rng.uniform(-0.2, 0.2, 2)
        if np.linalg.norm(goal) < 0.2:
            break
    speed = qvel + rng.uniform(-0.005, 0.005, qvel.size)
    start[-2:], speed[-2:] = goal, 0
    return Draw(start, speed)


def _positions_and_velocities(skipped: int) -> Callable[[Data], Array]:
    """All of `qpos` but the first few (where the robot is in the plane), then `qvel`."""
    return lambda d: np.concatenate([d.qpos[:, skipped:], d.qvel], axis=1)


def _planar_walker(d: Data) -> Array:
    return np.concatenate([d.qpos[:, 1:], d.qvel.clip(-10, 10)], axis=1)


def _humanoid(d: Data) -> Array:
    rows = len(d.qpos)
    inertia, velocity = d.cinert[:, 1:].reshape(rows, -1), d.cvel[:, 1:].reshape(rows, -1)
    return np.concatenate([d.qpos[:, 2:], d.qvel, inertia, velocity, d.qfrc_actuator[:, 6:]], axis=1)


def _double_pendulum(d: Data) -> Array:
    angles = d.qpos[:, 1:]
    limits = d.qfrc_constraint[:, :1].clip(-10, 10)
    return np.concatenate([d.qpos[:, :1], np.sin(angles), np.cos(angles), d.qvel.clip(-10, 10), limits], axis=1)


# bodies of reacher.xml and pusher_v5.xml, in their order
_REACHER_FINGERTIP, _REACHER_TARGET = 3, 4
_PUSHER_POINTS = [10, 11, 12]  # fingertip, object, goal


def _reacher(d: Data) -> Array:
    angles, to_target = d.qpos[:, :2], d.xpos[:, _REACHER_FINGERTIP, :2] - d.xpos[:, _REACHER_TARGET, :2]
    return np.concatenate([np.cos(angles), np.sin(angles), d.qpos[:, 2:], d.qvel[:, :2], to_target], axis=1)


def _pusher(d: Data) -> Array:
    points = d.xpos[:, _PUSHER_POINTS].reshape(len(d.qpos), 9)
    return np.concatenate([d.qpos[:, :7], d.qvel[:, :7], points], axis=1)


def _ant_ends(d: Data) -> Bools:
    height = d.qpos[:, 2]
    finite = np.isfinite(d.qpos).all(axis=1) & np.isfinite(d.qvel).all(axis=1)
    ends: Bools = ~(finite & (height >= 0.2) & (height <= 1.0))
    return ends


def _hopper_ends(d: Data) -> Bools:
    height, pitch = d.qpos[:, 1], d.qpos[:, 2]
    calm = (np.abs(d.qpos[:, 2:]) < 100).all(axis=1) & (np.abs(d.qvel) < 100).all(axis=1)
    ends: Bools = ~(calm & (height > 0.7) & (np.abs(pitch) < 0.2))
    return ends


def _walker_ends(d: Data) -> Bools:
    height, pitch = d.qpos[:, 1], d.qpos[:, 2]
    ends: Bools = ~((height > 0.8) & (height < 2.0) & (np.abs(pitch) < 1.0))
    return ends


def _humanoid_ends(d: Data) -> Bools:
    height = d.qpos[:, 2]
    ends: Bools = ~((height > 1.0) & (height < 2.0))
    return ends


def _double_pendulum_ends(d: Data) -> Bools:
    ends: Bools = d.site_xpos[:, 0, 2] <= 1
    return ends


def _pendulum_ends(d: Data) -> Bools:
    finite = np.isfinite(d.qpos).all(axis=1) & np.isfinite(d.qvel).all(axis=1)
    ends: Bools = ~finite | (np.abs(d.qpos[:, 1]) > 0.2)
    return ends


_HUMANOID_READS = ("cinert", "cvel", "qfrc_actuator")

NATIVE: dict[str, Native] = {
    "Ant-v5": Native(
        xml="ant.xml",
        timestep=0.01,
        frame_skip=5,
        horizon=1000,
        observe=_positions_and_velocities(2),
        terminated=_ant_ends,
        draw=_uniform_then_normal(0.1),
        contact_range=1.0,
    ),
    "HalfCheetah-v5": Native(
        xml="half_cheetah.xml",
        timestep=0.01,
        frame_skip=5,
        horizon=1000,
        observe=_positions_and_velocities(1),
        draw=_uniform_then_normal(0.1),
    ),
    "Hopper-v5": Native(
        xml="hopper.xml",
        timestep=0.002,
        frame_skip=4,
        horizon=1000,
        observe=_planar_walker,
        terminated=_hopper_ends,
        draw=_uniform(5e-3),
    ),
    "Humanoid-v5": Native(
        xml="humanoid.xml",
        timestep=0.003,
        frame_skip=5,
        horizon=1000,
        observe=_humanoid,
        terminated=_humanoid_ends,
        draw=_uniform(1e-2),
        reads=_HUMANOID_READS,
        contact_range=np.inf,
    ),
    "HumanoidStandup-v5": Native(
        xml="humanoidstandup.xml",
        timestep=0.003,
        frame_skip=5,
        horizon=1000,
        observe=_humanoid,
        draw=_uniform(1e-2),
        reads=_HUMANOID_READS,
        contact_range=np.inf,
    ),
    "InvertedDoublePendulum-v5": Native(
        xml="inverted_double_pendulum.xml",
        timestep=0.01,
        frame_skip=5,
        horizon=1000,
        observe=_double_pendulum,
        terminated=_double_pendulum_ends,
        draw=_uniform_then_normal(0.1),
        reads=("qfrc_constraint", "site_xpos"),
    ),
    "InvertedPendulum-v5": Native(
        xml="inverted_pendulum.xml",
        timestep=0.02,
        frame_skip=2,
        horizon=1000,
        observe=_positions_and_velocities(0),
        terminated=_pendulum_ends,
        draw=_uniform(0.01),
    ),
    "Pusher-v5": Native(
        xml="pusher_v5.xml",
        timestep=0.01,
        frame_skip=5,
        horizon=100,
        observe=_pusher,
        draw=_draw_pusher,
        reads=("xpos",),
    ),
    "Reacher-v5": Native(
        xml="reacher.xml",
        timestep=0.01,
        frame_skip=2,
        horizon=50,
        observe=_reacher,
        draw=_draw_reacher,
        reads=("xpos",),
    ),
    "Swimmer-v5": Native(
        xml="swimmer.xml",
        timestep=0.01,
        frame_skip=4,
        horizon=1000,
        observe=_positions_and_velocities(2),
        draw=_uniform(0.1),
    ),
    "Walker2d-v5": Native(
        xml="walker2d_v5.xml",
        timestep=0.002,
        frame_skip=4,
        horizon=1000,
        observe=_planar_walker,
        terminated=_walker_ends,
        draw=_uniform(5e-3),
    ),
}
