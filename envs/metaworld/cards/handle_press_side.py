"""Press down a handle that sticks out to the side."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "handle-press-side-v3",
    "press the handle, which sticks out sideways, down to the height of the goal",
    measured=("handle", "z"),
    family="handle",
    expert=True,
)
