"""Meta-World's own environment as the witness of a world: its reset, step and reward, read by other means than rows.

Where a row reads what the simulator has at hand, this one goes by names, copies the simulation and brings the copy up
to date whole; velocities are the bodies' Jacobians times those of the joints, and orientations come from matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np

from reward_agent.envs.metaworld.names import ROBOT, SCENES, SUCCESS, Part
from reward_agent.envs.metaworld.native import make_native
from reward_agent.envs.metaworld.schema import body_of, joint_of
from reward_agent.envs.mujoco_model import motion_by_jacobian, slides
from reward_agent.schema import Array


class MetaWorldWitness:
    """One environment of Meta-World's (`task.Witness`)."""

    def __init__(self, env: str) -> None:
        self._env, self._scene = make_native(env), SCENES[env]
        self._model = self._env.model
        self._data = mujoco.MjData(self._model)
        self._secrets: dict[str, float] = {}

    def reset(self, seed: int) -> Mapping[str, Any]:
        self._env.seed(seed)
        self._env.reset()
        self._secrets = {}
        return self._values(False)

    def step(self, action: Array) -> Mapping[str, Any]:
        _, reward, _, _, told = self._env.step(np.asarray(action, np.float64))
        self._secrets = {"native_reward": float(reward), "success": float(told["success"])}
        return self._values(bool(told["success"]))

    def secrets(self) -> Mapping[str, float]:
        return self._secrets

    def close(self) -> None:
        self._env.close()

    def _values(self, success: bool) -> dict[str, Any]:
        model, data = self._model, self._data
        mujoco.mj_copyData(data, model, self._env.data)
        mujoco.mj_forward(model, data)
        values: dict[str, Any] = {SUCCESS: success, "goal.position": np.array(self._env._target_pos)}
        tips = [data.site(f"{side}EndEffector") for side in ("right", "left")]
        values["gripper.position"] = np.mean([tip.xpos for tip in tips], axis=0)
        carriers = [int(model.site(tip.id).bodyid[0]) for tip in tips]
        velocities = [motion_by_jacobian(model, data, body, tip.xpos) for body, tip in zip(carriers, tips, strict=True)]
        values["gripper.linear_velocity"] = np.mean([linear for linear, _ in velocities], axis=0)
        claws = data.body("rightclaw").xpos - data.body("leftclaw").xpos
        values["gripper.opening"] = float(np.clip(np.linalg.norm(claws) / 0.1, 0, 1))
        for part in (*ROBOT, *self._scene.parts):
            values |= self._of_part(part)
        for source, name, _ in self._scene.joints:
            joint = data.joint(joint_of(model, source))
            values[f"joints.{name}.{'position' if slides(model, joint.id) else 'angle'}"] = float(joint.qpos[0])
            values[f"joints.{name}.velocity"] = float(joint.qvel[0])
        return values

    def _of_part(self, part: Part) -> dict[str, Any]:
        body = body_of(self._model, part)
        place = self._place(part, body)
        values: dict[str, Any] = {f"{part.name}.position": place}
        if part.kind == "Fixture":
            return values
        linear, angular = motion_by_jacobian(self._model, self._data, body, place)
        values[f"{part.name}.linear_velocity"] = linear
        if part.kind == "Object":
            quaternion = np.zeros(4)
            mujoco.mju_mat2Quat(quaternion, self._data.xmat[body])
            # of the two quaternions of one orientation, the one that the simulator has
            quaternion *= np.sign(quaternion @ self._data.xquat[body])
            values[f"{part.name}.orientation"] = quaternion
            values[f"{part.name}.angular_velocity"] = angular
        return values

    def _place(self, part: Part, body: int) -> Array:
        if part.observed is not None:
            # Meta-World says where it is of its own simulation, which is a step of kinematics behind at a reset
            return self._observed(3 * part.observed)
        if part.site:
            return np.array(self._data.site(part.site).xpos)
        return np.array(self._data.geom(part.geom).xpos if part.geom else self._data.xpos[body])

    def _observed(self, at: int) -> Array:
        theirs = self._env.data
        self._env.data = self._data
        try:
            positions: Array = np.array(self._env._get_pos_objects()[at : at + 3])
        finally:
            self._env.data = theirs
        return positions
