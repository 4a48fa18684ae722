"""Cross one river of lava."""

from reward_agent.envs.minigrid.setting import minigrid_task

task = minigrid_task(
    "MiniGrid-LavaCrossingS9N1-v0",
    "walk to the green square in the opposite corner, through the gaps in the lava and never into it",
    budget=500_000,
)
