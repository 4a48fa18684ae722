import numpy as np


def compute_reward(state, action, next_state):
    """The field is misspelt."""
    torso = next_state.torso
    forward = torso.linear_velocity[:, 0]
    height = torso.positon[:, 2]
    terms = {"forward": forward, "height": np.minimum(height, 1.2)}
    return sum(terms.values()), terms
