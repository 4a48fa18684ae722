"""Slide a window open."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "window-open-v3",
    "slide the window open: push its handle to the right, to the goal",
    measured=("handle", "x"),
    family="window",
)
