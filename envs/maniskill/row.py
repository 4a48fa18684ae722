"""One ManiSkill environment on a CPU (`envs.rows.Row`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray

from reward_agent.envs.maniskill.reading import Packer
from reward_agent.envs.maniskill.schema import derive
from reward_agent.envs.maniskill.simulator import folded, make_env, rebuild_cheaply, reset
from reward_agent.envs.rows import ActionSpace, RowStep
from reward_agent.schema import Array, StateSchema

if TYPE_CHECKING:
    from reward_agent.envs.maniskill.rendering import Camera
    from reward_agent.envs.maniskill.world import ManiSkill


class ManiSkillRow:
    """One environment with physics of its own, which every reset begins anew.

    Observations are ManiSkill's own of the state. An episode is what ManiSkill's environment plays from the same seed
    when it has just been made.
    """

    def __init__(self, world: ManiSkill, fields: StateSchema) -> None:
        self._world, self._env = world, make_env(world)
        rebuild_cheaply(self._env)
        self._packer = packer(world, fields)
        self.observation_space = box(self._env.single_observation_space)
        self.action_space: ActionSpace = box(self._env.single_action_space)
        self._seed = 0
        self._info: dict[str, Any] = self._env.get_info()
        self._camera: Camera | None = None

    def reset(self, seed: int) -> Array:
        """See `envs.rows.Row`."""
        self._seed = folded(seed)
        with torch.inference_mode():
            observations, self._info = reset(self._env, seed)
        return _plain(observations)

    def step(self, action: Array) -> RowStep:
        """See `envs.rows.Row`. `terminated` is ManiSkill's: success, or failure where it tells of it."""
        # nothing here is differentiated: a step takes an eighth less time
        with torch.inference_mode():
            observations, _, terminated, _, self._info = self._env.step(np.asarray(action, np.float32)[None])
        return RowStep(_plain(observations), bool(terminated[0]), False)

    def state(self) -> Array:
        """See `envs.rows.Row`."""
        with torch.inference_mode():
            return _plain(self._packer.pack(self._env, self._info))

    def render(self) -> NDArray[np.uint8]:
        """An image `(240, 320, 3)`, by the environment's own camera.

        Raises:
            MissingComponentError: this machine's Vulkan driver does not draw.
        """
        from reward_agent.envs.maniskill.rendering import Camera

        if self._camera is None:
            self._camera = Camera(self._world)
        with torch.inference_mode():
            return self._camera.image(self._env.get_state_dict(), self._seed)

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()
            self._camera = None
        self._env.close()


def packer(world: ManiSkill, fields: StateSchema) -> Packer:
    """For a selection of a world's fields."""
    quantities = [derive(world).quantities[field.path] for field in fields.fields]
    return Packer([q.reading for q in quantities], [q.columns for q in quantities])


def box(space: Any) -> gymnasium.spaces.Box:
    """The space of one row, of single precision."""
    return gymnasium.spaces.Box(space.low, space.high, dtype=np.float32)


def _plain(tensor: Any) -> Array:
    """The only row of a tensor."""
    row: Array = tensor[0].cpu().numpy().astype(np.float64)
    return row
