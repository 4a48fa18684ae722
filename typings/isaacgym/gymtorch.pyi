"""For mypy: `isaacgym-stubs` has none of this module."""

import torch
from isaacgym.gymapi import Tensor

def wrap_tensor(gym_tensor: Tensor) -> torch.Tensor: ...
def unwrap_tensor(torch_tensor: torch.Tensor) -> Tensor: ...
