import numpy as np

RADIUS = 0.02
"""Metres from the goal's height within which the handle is in its place; from the handle, at which it is touched."""


def falling(distance, radius, margin):
    """1 within the radius, then falling with a long tail: 0.1 at the margin beyond it."""
    return 1 / (1 + (3 * np.clip(distance - radius, 0, None) / margin) ** 2)


def both(a, b):
    """A product that is as large as the smaller factor where the other is 1: ab / (a + b - ab)."""
    whole = a + b - a * b
    return a * b / np.where(whole > 0, whole, np.ones_like(whole))


def compute_reward(state, action, next_state):
    """Bring the gripper to the handle, and the handle down to the goal's height."""
    handle, gripper, goal = next_state.handle.position, next_state.gripper.position, next_state.goal.position
    handle_at_first = next_state.start.handle.position
    left, way = np.abs(handle[:, 2] - goal[:, 2]), np.abs(handle_at_first[:, 2] - goal[:, 2])
    placed = falling(left, RADIUS, np.abs(way - RADIUS))
    reach_at_first = norm(handle_at_first - next_state.start.gripper.position)
    reach = falling(norm(handle - gripper), RADIUS, np.abs(reach_at_first - RADIUS))
    press = 10 * both(reach, placed)
    terms = {"press": press, "down": np.where(left <= RADIUS, 10 - press, np.zeros_like(press))}
    return sum(terms.values()), terms
