"""Fetch a key and unlock the way to the goal, on eight by eight cells, walls included."""

from reward_agent.envs.minigrid.setting import minigrid_task

task = minigrid_task(
    "MiniGrid-DoorKey-8x8-v0",
    "fetch the key, unlock the door with it and walk to the green square behind the door",
    budget=1_000_000,
)
