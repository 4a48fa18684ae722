"""Small environments of somebody's own, sound and unsound, for the `gymnasium` world."""

from __future__ import annotations

from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces


class Float(gymnasium.Env[Any, Any]):
    """A float in a current, pushed left and right; it is lost beyond 5 m."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None, current: float = 0.1) -> None:
        self.render_mode, self.current = render_mode, current
        self.observation_space = spaces.Box(-np.inf, np.inf, (2,))
        self.action_space = spaces.Box(-2.0, 2.0, (1,))

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.x, self.v, self.steps = float(self.np_random.normal()), 0.0, 0
        return self._seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.v += 0.1 * (float(action[0]) + self.current - 0.5 * self.v)
        self.x += 0.1 * self.v
        self.steps += 1
        reward = -abs(self.x)
        return self._seen(), reward, abs(self.x) > 5.0, False, {"reward": reward, "near": abs(self.x) < 0.1}

    def render(self) -> Any:
        image = np.zeros((21, 41, 3), np.uint8)
        image[:, int(np.clip(20 + 4 * self.x, 0, 40))] = 255
        return image

    def _seen(self) -> Any:
        return np.array([self.x, self.v], np.float32)


def float_state(env: Float, observation: Any) -> dict[str, Any]:
    """Position and velocity, and what their kinds make of them."""
    return {"float": {"motion": [env.x, env.v], "left": env.x < 0}, "log.steps": env.steps}


def middle(episode: Any) -> float:
    """Minus the mean distance from the middle.

    What follows is not for prompts.
    """
    return float(-np.abs(episode.state.float.motion[:, 0]).mean())


def kept(episode: Any) -> bool:
    """It is not lost."""
    return not episode.terminated


class Nested(Float):
    """Its observation is a dictionary of dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Dict(
            {
                "body": spaces.Dict({"place": spaces.Box(-10, 10, (2, 1)), "side": spaces.Discrete(2)}),
                "goal-at": spaces.Box(-1, 1, (1,)),
                "pair": spaces.Tuple((spaces.MultiBinary(2), spaces.Discrete(3, start=-1))),
            }
        )

    def _seen(self) -> Any:
        place = np.array([[self.x], [self.v]], np.float32)
        pair = np.array([self.x > 0, self.v > 0], np.int8), int(np.sign(self.v))
        return {"body": {"place": place, "side": int(self.x > 0)}, "goal-at": np.zeros(1, np.float32), "pair": pair}


MACHINE = """
<mujoco>
  <option timestep="0.004"/>
  <worldbody>
    <geom name="floor" type="plane" size="2 2 0.1"/>
    <body name="wall" pos="1 0 0.2"><geom type="box" size="0.05 0.5 0.2"/></body>
    <body name="aim" mocap="true" pos="0.3 0 0.1"/>
    <body name="arm:base" pos="0 0 0.4">
      <joint name="arm:turn" type="hinge" axis="0 1 0" range="-2 2" limited="true"/>
      <geom type="capsule" fromto="0 0 0 0.3 0 0" size="0.03"/>
      <site name="arm:tip" pos="0.35 0 0"/>
      <body pos="0.3 0 0">
        <joint type="slide" axis="1 0 0"/>
        <geom type="sphere" size="0.04"/>
      </body>
    </body>
    <body name="ball" pos="0.2 0.1 0.8"><freejoint/><geom type="sphere" size="0.05" mass="0.1"/></body>
  </worldbody>
  <actuator><motor name="turn" joint="arm:turn" gear="2"/></actuator>
</mujoco>
"""


class Machine(gymnasium.Env[Any, Any]):
    """A MuJoCo model that nobody has seen: an arm with a nameless slide, and a ball that falls on it."""

    def __init__(self) -> None:
        self.model = mujoco.MjModel.from_xml_string(MACHINE)
        self.data = mujoco.MjData(self.model)
        self.observation_space = spaces.Box(-np.inf, np.inf, (self.model.nq,), np.float64)
        self.action_space = spaces.Box(-1.0, 1.0, (1,))

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[0] = self.np_random.uniform(-0.5, 0.5)
        self.data.mocap_pos[0, 1] = self.np_random.uniform(-0.5, 0.5)
        self.model.body_pos[1, 1] = self.np_random.uniform(-0.1, 0.1)
        mujoco.mj_forward(self.model, self.data)
        return self.data.qpos.copy(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.data.ctrl[:] = action
        mujoco.mj_step(self.model, self.data, nstep=5)
        return self.data.qpos.copy(), 0.0, False, False, {}


class Unseeded(Float):
    """Begins where numpy's global generator says."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.x = float(np.random.normal())
        return self._seen(), {}


class Remembering(Float):
    """Goes on with the speed that it had."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        speed = getattr(self, "v", 0.0)
        super().reset(seed=seed)
        self.v = speed
        return self._seen(), {}


class SmallSeeds(Float):
    """Uses the generator of old, whose seeds have 32 bits."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.x = float(np.random.RandomState(seed).normal())
        return self._seen(), {}


class Leaking(Float):
    """Breaks once it has drifted far enough."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.steps == 20:
            raise ValueError("water in the hull")
        return super().step(action)


class Blinded(Float):
    """Sees nothing any more after a while."""

    def _seen(self) -> Any:
        return np.array([self.x, np.nan if self.steps == 20 else self.v], np.float32)


class Spaces(Float):
    """Has the spaces that it is given."""

    def __init__(self, observed: Any = None, acted: Any = None) -> None:
        super().__init__()
        self.observation_space = observed or self.observation_space
        self.action_space = acted or self.action_space

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        return super().step(np.asarray(action, float).ravel())


def needs_a_package() -> Any:
    """Wants what nobody has."""
    import no_such_simulator

    return no_such_simulator
