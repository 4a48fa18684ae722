"""Push a T-shaped block onto its outline: ManiSkill3's PushT."""

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import coverage, native

task = card(
    "push-t",
    "PushT-v1",
    "push the T-shaped block over the table with the stick until it lies on its goal, turned as the goal is",
    *native(coverage()),
    horizon=100,
    budget=5_000_000,
    robot="panda_stick",
    reward_version=MANISKILL3,
)
