"""What is known of MiniGrid's environments without it."""

from __future__ import annotations

HORIZONS = {
    "MiniGrid-DoorKey-5x5-v0": 250,
    "MiniGrid-DoorKey-6x6-v0": 360,
    "MiniGrid-DoorKey-8x8-v0": 640,
    "MiniGrid-KeyCorridorS3R1-v0": 270,
    "MiniGrid-KeyCorridorS3R2-v0": 270,
    "MiniGrid-KeyCorridorS3R3-v0": 270,
    "MiniGrid-UnlockPickup-v0": 288,
    "MiniGrid-LavaCrossingS9N1-v0": 324,
    "MiniGrid-LavaCrossingS9N2-v0": 324,
}
"""The environments, and how many steps MiniGrid gives to an episode of each."""

SUCCESS = "outcome.success"
"""The hidden field that metrics read."""
