"""What of IsaacGymEnvs' `VecTask` the worker uses. For type checkers: the worker itself imports nothing of ours."""

from __future__ import annotations

from typing import Protocol

import torch
from isaacgym import gymapi


class VecTask(Protocol):
    """What of IsaacGymEnvs' `VecTask` is used."""

    gym: gymapi.Gym
    sim: gymapi.Sim
    sim_params: gymapi.SimParams
    num_envs: int
    num_obs: int
    num_actions: int
    control_freq_inv: int
    clip_obs: float
    device: str
    rl_device: str
    max_episode_length: int
    obs_buf: torch.Tensor
    rew_buf: torch.Tensor
    reset_buf: torch.Tensor
    reset_goal_buf: torch.Tensor

    def reset_idx(self, env_ids: torch.Tensor, goal_env_ids: torch.Tensor | None = None) -> None: ...
    def reset_target_pose(self, env_ids: torch.Tensor) -> None: ...
    def compute_observations(self) -> object: ...
    def step(self, actions: torch.Tensor) -> tuple[dict[str, torch.Tensor], object, object, object]: ...
