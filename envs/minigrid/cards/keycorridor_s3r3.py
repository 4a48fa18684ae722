"""Fetch the ball from behind a locked door of a corridor, with three rooms on each side."""

from reward_agent.envs.minigrid.setting import minigrid_task

task = minigrid_task(
    "MiniGrid-KeyCorridorS3R3-v0",
    "find the key, unlock the locked door with it, put the key down and pick up the ball behind the door",
    budget=2_000_000,
)
