"""A Meta-World environment, stepped to the last bit as it steps itself, without what a row has no use for.

Meta-World's own `step` computes its dense reward, and after a step brings all of the physics up to date; its `reset`
settles the hand twice. Neither changes what comes after, so here a step does the physics and the positions alone, the
reward is computed only for who asks whether the task succeeded, and of the two resets the first only draws.
`tests/test_metaworld_world.py` holds this equal to Meta-World's own.
"""

from __future__ import annotations

import math
from typing import Any

import mujoco
import numpy as np

from reward_agent.schema import Array

_FRAME = 18
"""Numbers of one frame of an observation; there are two frames, then the goal."""
_OBJECT = 7
"""Of one object in a frame: position, then whatever Meta-World gives of its orientation."""


def make_native(env: str) -> Any:
    """A `metaworld` environment as its `-goal-observable` versions are, with a goal drawn anew each episode."""
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    made = ALL_V3_ENVIRONMENTS[env]()
    made._partially_observable = False
    made._freeze_rand_vec = False
    made.seeded_rand_vec = True
    made._set_task_called = True
    # its bounds of the goal were made for a hidden one
    made.__dict__.pop("sawyer_observation_space", None)
    return made


class Native:
    """One environment and its episode. After `reset` and `step`, `data` has the positions of that instant."""

    def __init__(self, env: str) -> None:
        self.env = make_native(env)
        self.model, self.data = self.env.model, self.env.data
        self.success = False
        """What Meta-World said of the last step; see `judge`."""
        self._drawing = False
        self.env.do_simulation = self._simulate
        # views of what the simulator writes
        self._mocap = self.data.mocap_pos[0]
        bodies = (self.model.body(name).id for name in ("hand", "rightclaw", "leftclaw"))
        self._hand, self._right, self._left = (self.data.xpos[body] for body in bodies)
        space = self.env.sawyer_observation_space
        self._low, self._high = space.low, space.high
        self._scale, self._reach = self.env.action_scale, (self.env.mocap_low, self.env.mocap_high)
        self._frame: Array = np.zeros(_FRAME)
        self._observation: Array = np.zeros(2 * _FRAME + 3)
        self._action: Array = np.zeros(4)

    def reset(self, seed: int) -> Array:
        """Begin the episode of `seed`; the observation `(39,)`, whose two frames are the same."""
        self.env.seed(seed)
        self.env.curr_path_length = 0
        # The first of the two resets leaves nothing but its layout, which the hand of the second settles beside.
        self._drawing = True
        self.env.reset_model()
        self._drawing = False
        mujoco.mj_resetData(self.model, self.data)
        observation: Array = np.array(self.env.reset_model(), np.float64)
        self._frame = observation[:_FRAME].copy()
        observation[_FRAME : 2 * _FRAME] = self._frame
        # some environments observe before they have moved everything to its place: states are of afterwards
        mujoco.mj_kinematics(self.model, self.data)
        self.success = False
        return observation

    def step(self, action: Array) -> Array:
        """One step with an action `(4,)`, clipped to -1 to 1; the observation `(39,)`, clipped to their bounds."""
        self._action = np.clip(np.asarray(action, np.float64), -1.0, 1.0)
        self._mocap += self._action[:3] * self._scale
        np.clip(self._mocap, *self._reach, out=self._mocap)
        self.data.mocap_quat = (1.0, 0.0, 1.0, 0.0)
        self._simulate((self._action[3], -self._action[3]), self.env.frame_skip)
        mujoco.mj_kinematics(self.model, self.data)
        before, self._frame = self._frame, self._observe()
        whole = np.concatenate([self._frame, before, self.env._get_pos_goal()])
        self._observation = np.clip(whole, self._low, self._high)
        return self._observation

    def judge(self) -> bool:
        """Whether the last step succeeded, by Meta-World's own formula; call it before the next."""
        # contacts and their forces, which some environments ask for
        mujoco.mj_forward(self.model, self.data)
        _, told = self.env.evaluate_state(self._observation, self._action)
        self.success = bool(told["success"])
        return self.success

    def judged(self) -> bool:
        """`success`, to be read as a field is."""
        return self.success

    def bring_velocities(self) -> None:
        """Bring the velocities of bodies up to date with the positions."""
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_comVel(self.model, self.data)

    def opening(self) -> float:
        """Of the gripper, from 0 (closed) to 1 (open), as Meta-World observes it."""
        apart = self._right - self._left
        return min(max(math.sqrt(apart.dot(apart)) / 0.1, 0.0), 1.0)

    def _simulate(self, ctrl: Any, frames: int) -> None:
        if self._drawing:
            return
        self.data.ctrl[:] = ctrl
        mujoco.mj_step(self.model, self.data, nstep=frames)

    def _observe(self) -> Array:
        frame = np.zeros(_FRAME)
        frame[:3], frame[3] = self._hand, self.opening()
        positions, orientations = self.env._get_pos_objects(), self.env._get_quat_objects()
        for index in range(len(positions) // 3):
            at = 4 + _OBJECT * index
            frame[at : at + 3] = positions[3 * index : 3 * index + 3]
            frame[at + 3 : at + _OBJECT] = orientations[4 * index : 4 * index + 4]
        return frame
