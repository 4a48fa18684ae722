import numpy as np

RADIUS, WAY = 0.05, 0.2
"""Metres from the goal within which the handle is in its place, and the pane's whole way."""


def falling(distance, radius, margin):
    """1 within the radius, then falling with a long tail: 0.1 at the margin beyond it."""
    return 1 / (1 + (3 * np.clip(distance - radius, 0, None) / margin) ** 2)


def both(a, b):
    """A product that is as large as the smaller factor where the other is 1: ab / (a + b - ab)."""
    whole = a + b - a * b
    return a * b / np.where(whole > 0, whole, np.ones_like(whole))


def compute_reward(state, action, next_state):
    """Bring the gripper to the window's handle, and the handle along x to the goal."""
    handle, gripper, goal = next_state.handle.position, next_state.gripper.position, next_state.goal.position
    placed = falling(np.abs(handle[:, 0] - goal[:, 0]), RADIUS, WAY - RADIUS)
    touching = 0.02
    reach_at_first = norm(next_state.start.handle.position - next_state.start.gripper.position)
    reach = falling(norm(handle - gripper), touching, np.abs(reach_at_first - touching))
    terms = {"slide": 10 * both(reach, placed)}
    return sum(terms.values()), terms
