import numpy as np

SHOULDER = np.asarray([0.0, 0.055, 0.07])
"""From the hand to the part of the gripper that turns the lever."""
SCALE = np.asarray([0.25, 1.0, 0.5])


def falling(distance, radius, margin):
    """1 within the radius, then falling with a long tail: 0.1 at the margin beyond it."""
    return 1 / (1 + (3 * np.clip(distance - radius, 0, None) / margin) ** 2)


def compute_reward(state, action, next_state):
    """Bring the gripper's shoulder to the lock's lever, and turn the lever along x to the goal."""
    lock, hand = next_state.lock.position, next_state.hand.position
    away = norm((hand + SHOULDER - lock) * SCALE)
    away_at_first = norm((next_state.start.gripper.position + SHOULDER - next_state.lock_axis.position) * SCALE)
    left = np.abs(next_state.goal.position[:, 0] - lock[:, 0])
    terms = {"reach": 2 * falling(away, 0.02, away_at_first), "turn": 8 * falling(left, 0.005, 0.1)}
    return sum(terms.values()), terms
