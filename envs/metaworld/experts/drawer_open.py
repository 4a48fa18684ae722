import numpy as np

LIFTED = np.asarray([3.0, 3.0, 1.0])
"""Height counts less, so that the gripper may come down on the handle from above."""
WAY = 0.2
"""Metres between the closed drawer's handle and the goal."""


def falling(distance, radius, margin):
    """1 within the radius, then falling with a long tail: 0.1 at the margin beyond it."""
    return 1 / (1 + (3 * np.clip(distance - radius, 0, None) / margin) ** 2)


def compute_reward(state, action, next_state):
    """Put the hand at the drawer's handle, and pull the handle to the goal."""
    handle, goal = next_state.handle.position, next_state.goal.position
    closed = goal + np.asarray([0.0, WAY, 0.0])
    reach = norm((handle - next_state.hand.position) * LIFTED)
    reach_at_first = norm((closed - next_state.start.gripper.position) * LIFTED)
    terms = {
        "reach": 5 * falling(reach, 0.01, reach_at_first),
        "open": 5 * falling(norm(handle - goal), 0.02, WAY),
    }
    return sum(terms.values()), terms
