"""What of IsaacGymEnvs' `VecTask` the worker uses. For type checkers: the worker itself imports nothing of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from isaacgym import gymapi


class VecTask(Protocol):
    """N environments of one task over one simulation, which resets the rows marked in `reset_buf` at its next step."""

    gym: gymapi.Gym
    sim: gymapi.Sim
    sim_params: gymapi.SimParams
    num_envs: int
    num_obs: int
    num_actions: int
    control_freq_inv: int
    """Simulations a step."""
    clip_obs: float
    device: str
    """Where the buffers live: `cpu` on the CPU pipeline."""
    rl_device: str
    """Where actions come from and observations go."""
    max_episode_length: int
    obs_buf: torch.Tensor
    """`(N, O)`."""
    rew_buf: torch.Tensor
    reset_buf: torch.Tensor
    reset_goal_buf: torch.Tensor
    """Of tasks with goals apart from rows."""

    def reset_idx(self, env_ids: torch.Tensor, goal_env_ids: torch.Tensor | None = None) -> None: ...
    def reset_target_pose(self, env_ids: torch.Tensor) -> None: ...
    def compute_observations(self) -> object: ...
    def step(self, actions: torch.Tensor) -> tuple[dict[str, torch.Tensor], object, object, object]: ...
