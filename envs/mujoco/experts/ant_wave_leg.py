import numpy as np


def compute_reward(state, action, next_state):
    """Stand level on three legs, hold the front left foot up and swing its hip from side to side."""
    foot, hip = next_state.front_left_foot, next_state.joints.front_left_hip
    level = tolerance(up_vector(next_state.torso.orientation)[:, 2], lower=0.95, upper=1.0, margin=0.2)
    height = tolerance(next_state.torso.position[:, 2], lower=0.45, upper=0.8, margin=0.2)
    support = sum(
        np.where(other.contact, 1.0, 0.0)
        for other in (next_state.front_right_foot, next_state.back_left_foot, next_state.back_right_foot)
    )
    clearance = foot.position[:, 2] - constants.foot_radius
    raised = np.clip(clearance / 0.2, 0.0, 1.0)
    stance = level * height * support / 3.0
    held = stance * np.where(clearance > 0.16, 1.0, 0.0)
    # how far the hip swings within a step; quick trembling about one angle gets nowhere
    swung = np.abs(hip.angle - state.joints.front_left_hip.angle)
    terms = {
        "stance": stance,
        "raised": 2.0 * stance * raised,
        "wave": 10.0 * held * np.clip(swung, 0.0, 0.3),
        "drift": -0.2 * np.clip(norm(next_state.torso.linear_velocity[:, :2]), 0.0, 2.0),
        "effort": -0.02 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms
