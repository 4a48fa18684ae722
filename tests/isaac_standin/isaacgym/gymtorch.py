"""Between the simulator's tensors and torch's: they share memory."""

import torch

from isaacgym import gymapi


def wrap_tensor(gym_tensor: gymapi.Tensor) -> torch.Tensor:
    return gym_tensor.storage


def unwrap_tensor(torch_tensor: torch.Tensor) -> gymapi.Tensor:
    assert torch_tensor.is_contiguous(), "the actual one wants contiguous tensors"
    return gymapi.Tensor(torch_tensor)
