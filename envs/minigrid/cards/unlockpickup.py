"""Fetch the box from behind a locked door."""

from reward_agent.envs.minigrid.setting import minigrid_task

task = minigrid_task(
    "MiniGrid-UnlockPickup-v0",
    "fetch the key, unlock the door with it, put the key down and pick up the box behind the door",
    budget=1_000_000,
)
