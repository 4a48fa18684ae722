"""ManiSkill's own environment as the witness of a world: its reset, step and reward, read through SAPIEN's objects.

Nothing here goes through `reading`: bodies are found in SAPIEN's scene and asked themselves, one by one, and the grasp
is judged from the contacts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reward_agent.envs.maniskill.names import SURROUNDINGS
from reward_agent.envs.maniskill.simulator import Env, build, folded, quietly, scene_of
from reward_agent.schema import Array

if TYPE_CHECKING:
    from reward_agent.envs.maniskill.world import ManiSkill


class ManiSkillWitness:
    """One environment as ManiSkill makes it, built again at each reset so that nothing of PhysX's is left over."""

    tolerance = 1e-6
    """Share of a field's largest value: PhysX is of single precision."""

    def __init__(self, world: ManiSkill) -> None:
        self._scene = scene_of(world.env)
        options = {"obs_mode": "state", "control_mode": world.control_mode, "sim_backend": "physx_cpu"}
        options |= {"render_backend": "sapien_cpu" if self._scene.drawn else "none"}
        options |= {"robot_uids": world.robot} if world.robot else {}
        self._env: Env = build(world, options | {"reward_mode": "sparse"})
        if "dense" in self._env.SUPPORTED_REWARD_MODES:
            self._env._reward_mode = "dense"
        self._secrets: dict[str, float] = {}

    def reset(self, seed: int) -> Mapping[str, Any]:
        """See `task.Witness`."""
        with quietly():
            self._env.reset(seed=folded(seed), options={"reconfigure": True})
        self._secrets = {}
        return dict(self._values())

    def step(self, action: Array) -> Mapping[str, Any]:
        """See `task.Witness`."""
        _, reward, _, _, info = self._env.step(np.asarray(action, np.float32)[None])
        shown = {"elapsed_steps", *self._scene.grasps.values()}
        told = {key: float(value[0]) for key, value in info.items() if key not in shown and value.ndim == 1}
        self._secrets = {**told, "native_reward": float(reward[0])}
        return dict(self._values())

    def secrets(self) -> Mapping[str, float]:
        """See `task.Witness`; what `evaluate()` told of the last step, and the dense reward where there is one."""
        return self._secrets

    def close(self) -> None:
        self._env.close()

    def _values(self) -> Iterator[tuple[str, Any]]:
        scene = self._env.scene.sub_scenes[0]
        entities = {entity.name: entity for entity in scene.entities}
        robot = self._env.agent.robot._objs[0]
        links = {link.entity.name: link for link in robot.links}
        agent = self._env.agent
        fingers = [
            links[getattr(agent, name).name] for name in ("finger1_link", "finger2_link") if hasattr(agent, name)
        ]
        hand = "gripper" if fingers else "stick"
        arm = len(robot.qpos) - len(fingers)
        slides = any("prismatic" in joint.type for joint in robot.active_joints[:arm])
        yield "joints.positions" if slides else "joints.angles", robot.qpos[:arm]
        yield "joints.velocities", robot.qvel[:arm]
        yield from _motion(hand, links[agent.tcp.name])
        if fingers:
            yield "gripper.opening", float(robot.qpos[arm:].sum())
            yield "gripper.opening_rate", float(robot.qvel[arm:].sum())
        for name, entity in entities.items():
            plain = name.removeprefix("scene-0_").removesuffix("_0")
            words = self._scene.things.get(plain)
            bodies = [part for part in entity.components if "Rigid" in type(part).__name__]
            if plain in SURROUNDINGS or not bodies or words is None:
                continue
            path = words.name or plain.replace("cubeA", "cube_a").replace("cubeB", "cube_b").lower()
            yield f"{path}.position", entity.pose.p
            if not words.point:
                yield f"{path}.orientation", entity.pose.q
            if getattr(bodies[0], "kinematic", True):
                continue
            told = dict(_motion(path, bodies[0]))
            yield from ((key, told[key]) for key in (f"{path}.linear_velocity", f"{path}.angular_velocity"))
            if fingers:
                yield from self._touch(path, entity, fingers)

    def _touch(self, path: str, entity: Any, fingers: list[Any]) -> Iterator[tuple[str, Any]]:
        """The force of each finger on a thing, and whether together they grasp it."""
        sizes, pressing = [], []
        for finger, side in zip(fingers, (1.0, -1.0), strict=True):
            impulse = np.zeros(3)
            for contact in self._env.scene.px.get_contacts():
                pair = [body.entity for body in contact.bodies]
                if {id_(part) for part in pair} == {id_(finger.entity), id_(entity)}:
                    sign = 1.0 if id_(pair[0]) == id_(finger.entity) else -1.0
                    impulse += sign * sum(
                        (np.asarray(point.impulse, np.float64) for point in contact.points), np.zeros(3)
                    )
            force = impulse / self._env.scene.px.timestep
            size = float(np.linalg.norm(force))
            closing = side * finger.entity.pose.to_transformation_matrix()[:3, 1]
            cosine = float(closing @ force) / max(size, 1e-12)
            sizes.append(size)
            pressing.append(size >= 0.5 and np.degrees(np.arccos(np.clip(cosine, -1, 1))) <= self._scene.grasp_angle)
        yield f"gripper.forces_on_{path}", np.array(sizes)
        yield f"gripper.grasps_{path}", float(all(pressing))


def id_(entity: Any) -> int:
    """SAPIEN hands out another Python object each time; the number stays."""
    return int(entity.global_id)


def _motion(path: str, body: Any) -> Iterator[tuple[str, Any]]:
    """Of a body's origin. PhysX tells the velocity of its centre of mass."""
    pose = body.entity.pose
    arm = pose.to_transformation_matrix()[:3, :3].astype(np.float64) @ body.cmass_local_pose.p
    yield f"{path}.position", pose.p
    yield f"{path}.orientation", pose.q
    yield f"{path}.linear_velocity", body.linear_velocity - np.cross(body.angular_velocity, arm)
    yield f"{path}.angular_velocity", body.angular_velocity
