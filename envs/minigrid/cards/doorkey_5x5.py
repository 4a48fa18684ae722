"""Fetch a key and unlock the way to the goal, on five by five cells, walls included."""

from reward_agent.envs.minigrid.setting import minigrid_task

task = minigrid_task(
    "MiniGrid-DoorKey-5x5-v0",
    "fetch the key, unlock the door with it and walk to the green square behind the door",
    budget=200_000,
)
