"""Images of ManiSkill's environments, by Vulkan: in software where there is no GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.maniskill.readiness import VULKAN
from reward_agent.envs.maniskill.simulator import build, quietly, rebuilds
from reward_agent.envs.rendering import HEIGHT, WIDTH
from reward_agent.errors import MissingComponentError

if TYPE_CHECKING:
    from reward_agent.envs.maniskill.world import ManiSkill


class Camera:
    """Draws the states of one world in an environment of its own, `(240, 320, 3)`, by the environment's own camera.

    Those that are stepped have no renderer: that costs memory and time. In software the first image takes some seconds,
    for shaders are compiled; the next ones some hundredths of a second.

    Raises:
        MissingComponentError: this machine's Vulkan driver does not draw.
    """

    def __init__(self, world: ManiSkill) -> None:
        options = {
            "obs_mode": "none",
            "reward_mode": "none",
            "control_mode": world.control_mode,
            "sim_backend": "physx_cpu",
            "render_backend": "sapien_cpu" if world.sim == "physx_cpu" else "sapien_cuda",
            "render_mode": "rgb_array",
            "human_render_camera_configs": {"width": WIDTH, "height": HEIGHT},
        }
        self._env = build(world, options | ({"robot_uids": world.robot} if world.robot else {}))
        self._built = -1

    def image(self, state: Any, seed: int) -> NDArray[np.uint8]:
        """An image of a state as `get_state_dict` gives it, of one environment.

        Args:
            state: where everything is.
            seed: that its scene was built from, where each episode's is another.
        """
        if rebuilds(self._env) and seed != self._built:
            with quietly():
                self._env.reset(seed=seed)
            self._built = seed
        self._env.set_state_dict(state)
        try:
            image = self._env.render_rgb_array()
        except RuntimeError as error:
            raise MissingComponentError(f"This machine's Vulkan driver does not draw ({error}): {VULKAN}") from error
        pixels: NDArray[np.uint8] = image[0].cpu().numpy().astype(np.uint8)
        return pixels

    def close(self) -> None:
        self._env.close()
