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
    """Push the drawer's handle to the goal, fingers closed and at the handle, until it is there."""
    handle, gripper, goal = next_state.handle.position, next_state.gripper.position, next_state.goal.position
    handle_at_first = next_state.start.handle.position
    left, way = norm(handle - goal), norm(handle_at_first - goal)
    placed = falling(left, RADIUS, np.abs(way - RADIUS))
    touching = 0.005
    margin = np.abs(norm(handle_at_first - next_state.start.gripper.position) - touching)
    reach = falling_fast(norm(handle - gripper), touching, margin)
    push = 10 * both(both(reach, np.clip(action[:, 3], 0, 1)), placed)
    terms = {"push": push, "closed": np.where(left <= RADIUS + 0.015, 10 - push, np.zeros_like(push))}
    return sum(terms.values()), terms
