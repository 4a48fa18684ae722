import numpy as np


def compute_reward(state, action, next_state):
    """Lower the level torso until the legs are spread to their stops, all feet on the floor, and keep still."""
    height = next_state.torso.position[:, 2]
    level = np.clip(up_vector(next_state.torso.orientation)[:, 2], 0.0, 1.0)
    low = level * np.clip((0.75 - height) / (0.75 - 0.38), 0.0, 1.0)
    feet = sum(
        np.where(foot.contact, 0.25, 0.0)
        for foot in (
            next_state.front_left_foot,
            next_state.front_right_foot,
            next_state.back_left_foot,
            next_state.back_right_foot,
        )
    )
    terms = {
        "low": low,
        "feet": 0.5 * feet * level,
        "still": 0.5 * low * gaussian(norm(next_state.joints.velocities), 8**0.5),
        "motion": -0.1 * np.clip(norm(next_state.torso.linear_velocity), 0.0, 2.0),
    }
    return sum(terms.values()), terms
