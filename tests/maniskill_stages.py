"""Scenes of ManiSkill set up for tests: things in the hand, goals under things, so that each stage of a task is seen.

What is put anywhere is simulated from there on; nothing of the simulator is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from reward_agent.envs.maniskill.reading import Packer
from reward_agent.envs.maniskill.row import packer
from reward_agent.envs.maniskill.simulator import make_env, rebuild_cheaply, reset
from reward_agent.envs.maniskill.world import ManiSkill
from reward_agent.schema import Array, StateSchema

Env = Any
Generator = np.random.Generator


class Transitions(NamedTuple):
    """Of one environment, one after the other."""

    schema: StateSchema
    state: Array
    action: Array
    next_state: Array
    reward: Array
    """ManiSkill's dense reward, `(T,)`."""


def record(world: ManiSkill, schema: StateSchema, seed: int, episodes: int = 20, steps: int = 6) -> Transitions:
    """Transitions through all stages of a task, with ManiSkill's own dense reward of each.

    Args:
        world: the task's.
        schema: the fields that are packed.
        seed: of everything.
        episodes: begun, each set up in another way.
        steps: of each.
    """
    rng, env = np.random.default_rng(seed), make_env(world)
    rebuild_cheaply(env)
    packs: Packer = packer(world, schema)
    rows: list[tuple[Array, Array, Array, float]] = []
    width = env.single_action_space.shape[0]
    for episode in range(episodes):
        _, info = reset(env, int(rng.integers(2**31)))
        set_up(env, world.env, episode, rng)
        drift = rng.uniform(-1, 1, width) * rng.choice([0.0, 0.05, 0.6])
        for step in range(steps):
            action = np.clip(drift + rng.normal(size=width) * rng.choice([0.0, 0.02]), -1, 1).astype(np.float32)
            if width == 8:
                action[-1] = -1.0 if episode % 4 else rng.uniform(-1, 1)
            if step == 3:
                bring(env, world.env, episode, rng)
                info = env.get_info()
            before = packs.pack(env, info)
            obs, _, _, _, info = env.step(action[None])
            # where a step computes it already, a latch is set by now and stays
            reward = env.compute_dense_reward(obs, action, info)
            after = packs.pack(env, info)
            rows.append((_row(before), action.astype(float), _row(after), float(reward[0])))
    env.close()
    state, action, next_state, reward = (np.array(part) for part in zip(*rows, strict=True))
    return Transitions(schema, state, action, next_state, reward)


def set_up(env: Env, name: str, episode: int, rng: Generator) -> None:
    """In three episodes of four the thing to hold is put between the open fingers."""
    held = {
        "PickCube-v1": "cube",
        "StackCube-v1": "cubeA",
        "PlaceSphere-v1": "sphere",
        "PokeCube-v1": "peg",
        "LiftPegUpright-v1": "peg",
        "PullCubeTool-v1": "l_shape_tool",
        "PegInsertionSide-v1": "peg",
    }.get(name)
    if held is not None and episode % 4:
        in_hand(env, held, rng)


def in_hand(env: Env, thing: str, rng: Generator) -> None:
    """Put a thing between the fingers, its y axis along their closing direction."""
    from sapien import Pose

    from reward_agent.envs.maniskill.reading import actor

    body, hand = actor(env, thing), env.agent.tcp.pose.sp
    tail = {"peg": [0.06, 0, 0] if "hole" in str(env.scene.actor_views) else [0, 0, 0], "l_shape_tool": [-0.02, 0, 0]}
    offset = Pose(p=np.asarray(tail.get(thing, [0, 0, 0]), np.float32) + rng.normal(size=3) * 0.001)
    body.set_pose(hand * offset)
    still(body)


def bring(env: Env, name: str, episode: int, rng: Generator) -> None:
    """Bring goal and thing together, more or less."""
    if name in _BRING and episode % 3:
        _BRING[name](env, episode, rng)


def still(body: Any) -> None:
    import torch

    body.set_linear_velocity(torch.zeros(1, 3))
    body.set_angular_velocity(torch.zeros(1, 3))


def put(body: Any, position: Any, orientation: Any = (1.0, 0.0, 0.0, 0.0)) -> None:
    from sapien import Pose

    body.set_pose(Pose(p=np.asarray(position, np.float32), q=np.asarray(orientation, np.float32)))
    if body.px_body_type == "dynamic":
        still(body)


def at(body: Any) -> Array:
    position: Array = body.pose.p[0].numpy().astype(float)
    return position


def near(rng: Generator, size: float) -> Array:
    return rng.normal(size=3) * size * rng.choice([0.0, 0.3, 1.0])


def _pick(env: Env, episode: int, rng: Generator) -> None:
    put(env.goal_site, at(env.cube) + near(rng, 0.02))


def _disc(thing: str) -> Callable[[Env, int, Generator], None]:
    def under(env: Env, episode: int, rng: Generator) -> None:
        spread = rng.choice([0.0, rng.uniform(0, 0.12), rng.uniform(0.1, 0.3)])
        place = at(getattr(env, thing)) + np.array([spread, near(rng, 0.02)[1], 0.0])
        put(env.goal_region, [*place[:2], 1e-3], env.goal_region.pose.q[0].numpy())

    return under


def _push(env: Env, episode: int, rng: Generator) -> None:
    if episode % 2:  # the hand right behind the cube, or right beyond it
        side = -0.031 if "Push" in type(env).__name__ else 0.035
        falls = 0.0147  # in a step
        put(env.obj, at(env.agent.tcp) - np.array([side, 0, -falls]) + near(rng, 0.001))
    _disc("obj")(env, episode, rng)


def _stack(env: Env, episode: int, rng: Generator) -> None:
    if episode % 2:
        put(env.cubeB, at(env.cubeA) - np.array([0, 0, 0.04 + 0.002 * rng.normal()]))
    else:
        # at rest on it, or falling onto it
        put(env.cubeA, at(env.cubeB) + np.array([0.01 * rng.normal(), 0, rng.choice([0.04, 0.05])]))


def _sphere(env: Env, episode: int, rng: Generator) -> None:
    if episode % 2:
        put(env.bin, at(env.obj) - np.array([0, 0, 0.0225]))
    else:
        put(env.obj, at(env.bin) + np.array([0, 0, 0.0225]))


def _upright(env: Env, episode: int, rng: Generator) -> None:
    if episode % 2:
        half = 0.5**0.5
        put(
            env.peg,
            [0.2, 0.2, 0.12 + 0.004 * rng.normal()],
            [half, 0, -half, 0] if episode % 4 == 1 else [0.5, 0.5, -0.5, 0.5],
        )


def _tool(env: Env, episode: int, rng: Generator) -> None:
    if episode % 2:
        put(env.cube, at(env.l_shape_tool) + np.array([0.07, 0.067, 0]) + near(rng, 0.02))
    else:
        put(env.cube, [rng.choice([-0.2, 0.6]), 0.3, 0.02])


def _poke(env: Env, episode: int, rng: Generator) -> None:
    if episode % 2:
        put(env.cube, at(env.peg) + np.array([0.12 + 0.0225, 0, 0]), env.peg.pose.q[0].numpy())
    _disc("cube")(env, episode, rng)


def _insert(env: Env, episode: int, rng: Generator) -> None:
    peg_at_goal = env.peg.pose * env.peg_head_offsets
    box = (peg_at_goal * env.box_hole_offsets.inv()).sp
    from sapien import Pose

    deep = rng.choice([-0.05, -0.01, 0.0, 0.01])
    env.box.set_pose(box * Pose(p=[-deep, *(near(rng, 0.006)[1:])]))


def _roll(env: Env, episode: int, rng: Generator) -> None:
    away = at(env.ball) - at(env.goal_region)
    behind = at(env.agent.tcp) - away / np.linalg.norm(away) * 0.085
    if episode % 2:
        put(env.ball, behind)
    else:
        _disc("ball")(env, episode, rng)


def _tee(env: Env, episode: int, rng: Generator) -> None:
    goal = env.goal_tee.pose
    turned = rng.normal() * rng.choice([0.0, 0.02, 0.3])
    spin = np.array([np.cos(turned / 2), 0, 0, np.sin(turned / 2)])
    w, z = goal.q[0, 0].item(), goal.q[0, 3].item()
    quaternion = [w * spin[0] - z * spin[3], 0, 0, w * spin[3] + z * spin[0]]
    put(env.tee, [*(at(env.goal_tee)[:2] + near(rng, 0.01)[:2]), 0.021], quaternion)


def _open(env: Env, episode: int, rng: Generator) -> None:
    """All drawers and doors more or less open."""
    import torch

    limits = env.cabinet.get_qlimits()[:, :, 1]
    env.cabinet.set_qpos(limits * float(rng.choice([0.2, 0.74, 0.8])))
    env.cabinet.set_qvel(torch.full_like(limits, float(rng.choice([0.0, 1.5]))))


_BRING: Mapping[str, Callable[[Env, int, Generator], None]] = {
    "PickCube-v1": _pick,
    "PushCube-v1": _push,
    "PullCube-v1": _push,
    "StackCube-v1": _stack,
    "PlaceSphere-v1": _sphere,
    "LiftPegUpright-v1": _upright,
    "PullCubeTool-v1": _tool,
    "PokeCube-v1": _poke,
    "PegInsertionSide-v1": _insert,
    "RollBall-v1": _roll,
    "PushT-v1": _tee,
    "OpenCabinetDrawer-v1": _open,
    "OpenCabinetDoor-v1": _open,
}


def _row(packed: Any) -> Array:
    row: Array = packed[0].numpy().astype(np.float64)
    return row
