import numpy as np


def compute_reward(state, action, next_state):
    forward = next_state.torso.linear_velocity[:, 0]
    effort = -1e-3 * np.sum(action**2, axis=-1)
    return forward + effort
