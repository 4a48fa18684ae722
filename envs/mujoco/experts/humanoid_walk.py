import numpy as np


def compute_reward(state, action, next_state):
    """Gymnasium's Humanoid-v5 without its contact cost: walk along +x, stay up, little effort."""
    speed = (next_state.center_of_mass.position[:, 0] - state.center_of_mass.position[:, 0]) / constants.dt
    height = next_state.torso.position[:, 2]
    terms = {
        "forward": 1.25 * speed,
        "healthy": np.where((height > 1.0) & (height < 2.0), 5.0, 0.0),
        "effort": -0.1 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms
