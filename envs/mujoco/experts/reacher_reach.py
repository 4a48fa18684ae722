import numpy as np


def compute_reward(state, action, next_state):
    """Gymnasium's Reacher-v5: fingertip at the target with little effort."""
    apart = next_state.fingertip.position - next_state.target.position
    terms = {
        "near": -np.sqrt((apart**2).sum(-1)),
        "effort": -(action**2).sum(-1),
    }
    return sum(terms.values()), terms
