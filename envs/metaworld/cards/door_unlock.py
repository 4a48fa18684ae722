"""Turn a lock."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "door-unlock-v3",
    "unlock the door: turn the lever of its lock to the right, to the goal",
    measured=("lock", "x"),
    family="lock",
)
