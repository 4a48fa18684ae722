import numpy as np


def compute_reward(state, action, next_state):
    forward = next_state.torso.linear_velocity[:, 0]
    terms = {"forward": forward, "effort": -1e-3 * (action ** 2).sum(-1}
    return sum(terms.values()), terms
