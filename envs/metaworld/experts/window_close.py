import numpy as np

RADIUS = 0.05
"""Metres from the goal within which the handle is in its place."""


def falling(distance, radius, margin):
    """1 within the radius, then falling with a long tail: 0.1 at the margin beyond it."""
    return 1 / (1 + (3 * np.clip(distance - radius, 0, None) / margin) ** 2)


def falling_fast(distance, radius, margin):
    """1 within the radius, then falling as a bell: 0.1 at the margin beyond it."""
    return 0.1 ** ((np.clip(distance - radius, 0, None) / margin) ** 2)


def both(a, b):
    """A product that is as large as the smaller factor where the other is 1: ab / (a + b - ab)."""
    whole = a + b - a * b
    return a * b / np.where(whole > 0, whole, np.ones_like(whole))


def compute_reward(state, action, next_state):
    """Bring the gripper to the window's handle, and the handle along x to the goal."""
    handle, gripper, goal = next_state.handle.position, next_state.gripper.position, next_state.goal.position
    handle_at_first = next_state.start.handle.position
    way = np.abs(handle_at_first[:, 0] - goal[:, 0])
    placed = falling(np.abs(handle[:, 0] - goal[:, 0]), RADIUS, np.abs(way - RADIUS))
    touching = 0.02
    reach_at_first = norm(handle_at_first - next_state.start.gripper.position)
    reach = falling_fast(norm(handle - gripper), touching, np.abs(reach_at_first - touching))
    terms = {"slide": 10 * both(reach, placed)}
    return sum(terms.values()), terms
