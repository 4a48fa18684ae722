"""Push a button in."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "button-press-v3",
    "push the button on the front of the box all the way in",
    measured=("button", "y"),
    family="button",
)
