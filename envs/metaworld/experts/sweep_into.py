import numpy as np

HALF, GRIP, CAGE = 0.02, 0.025, 0.05
"""Metres from the block's middle to its side, and to pads that grip it and that cage it."""
GOAL = 0.05
"""Metres from the goal within which the block is in its place."""


def falling(distance, low, high, margin):
    """1 from low to high, beyond them falling with a long tail: 0.1 at the margin."""
    outside = np.clip(low - distance, 0, None) + np.clip(distance - high, 0, None)
    return 1 / (1 + (3 * outside / margin) ** 2)


def both(a, b):
    """A product that is as large as the smaller factor where the other is 1: ab / (a + b - ab)."""
    whole = a + b - a * b
    return a * b / np.where(whole > 0, whole, np.ones_like(whole))


def compute_reward(state, action, next_state):
    """Have the block between the pads, and bring it over the table to the goal."""
    block, gripper, goal = next_state.object.position, next_state.gripper.position, next_state.goal.position
    start_block, start_gripper = next_state.start.object.position, next_state.start.gripper.position
    left = next_state.left_pad.position[:, 1] - block[:, 1]
    right = block[:, 1] - next_state.right_pad.position[:, 1]
    left_margin, right_margin = np.abs(np.abs(left) - CAGE), np.abs(np.abs(right) - CAGE)
    caged_y = both(falling(right, HALF, CAGE, right_margin), falling(left, HALF, CAGE, left_margin))
    gripped_y = both(falling(right, HALF, GRIP, right_margin), falling(left, HALF, GRIP, left_margin))
    level = np.asarray([1.0, 0.0, 1.0])
    far_at_first = norm((start_block - start_gripper) * level) - 0.01
    caged = both(caged_y, falling(norm((gripper - block) * level), 0.0, 0.01, far_at_first))
    held = (caged + np.where(caged > 0.95, gripped_y, np.zeros_like(caged))) / 2

    ground = np.asarray([1.0, 1.0, 0.0])
    away = norm((block - goal) * ground)
    way = norm((start_block - goal) * ground + (start_block - block) * np.asarray([0.0, 0.0, 1.0]))
    placed = falling(away, 0.0, GOAL, way)
    hold, carry = 2 * held, 6 * both(held, placed)
    there = np.where(away < GOAL, 10 - hold - carry, np.zeros_like(hold))
    terms = {"hold": hold, "carry": carry, "there": there}
    return sum(terms.values()), terms
