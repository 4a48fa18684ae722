import numpy as np

RADIUS = 0.05
"""Metres from the goal within which the handle is in its place."""
WAY = 0.08**0.5
"""Metres from the door's hinge to the goal."""
HAND = np.asarray([-0.5, 0.6, 0.2])
"""Where the hand begins."""


def falling_fast(distance, radius, margin):
    """1 within the radius, then falling as a bell: 0.1 at the margin beyond it."""
    return 0.1 ** ((np.clip(distance - radius, 0, None) / margin) ** 2)


def compute_reward(state, action, next_state):
    """Bring the gripper to the goal, and the door's handle with it."""
    handle, gripper, goal = next_state.handle.position, next_state.gripper.position, next_state.goal.position
    left = norm(handle - goal)
    push = 6 * falling_fast(left, RADIUS, WAY)
    reach = 3 * falling_fast(norm(gripper - goal), RADIUS / 4, norm(HAND - handle) + 0.1)
    closed = np.where(left < RADIUS, 10 - push - reach, np.zeros_like(left))
    terms = {"push": push, "reach": reach, "closed": closed}
    return sum(terms.values()), terms
