"""Push a block into a hole."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "sweep-into-v3",
    "push the block over the table to the goal in the hole",
    measured=("object", "xy"),
    family="sweep",
    expert=True,
)
