import numpy as np


def compute_reward(state, action, next_state):
    """Gymnasium's InvertedDoublePendulum-v5: tip above 1 m, near the middle at 2 m, poles still."""
    x, height = next_state.tip.position[:, 0], next_state.tip.position[:, 2]
    lower, upper = next_state.joints.lower_pole.velocity, next_state.joints.upper_pole.velocity
    terms = {
        "alive": np.where(height > 1.0, 10.0, 0.0),
        "distance": -(0.01 * x**2 + (height - 2.0) ** 2),
        "stillness": -(1e-3 * lower**2 + 5e-3 * upper**2),
    }
    return sum(terms.values()), terms
