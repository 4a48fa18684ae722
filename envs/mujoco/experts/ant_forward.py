import numpy as np


def compute_reward(state, action, next_state):
    """Gymnasium's Ant-v5 without its contact cost: move along +x, stay healthy, spend little effort."""
    speed = (next_state.torso.position[:, 0] - state.torso.position[:, 0]) / constants.dt
    height = next_state.torso.position[:, 2]
    terms = {
        "forward": speed,
        "healthy": np.where((height >= 0.2) & (height <= 1.0), 1.0, 0.0),
        "effort": -0.5 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms
