import numpy as np
import scipy.spatial.transform


def compute_reward(state, action, next_state):
    forward = next_state.torso.linear_velocity[:, 0]
    return forward, {"forward": forward}
