import numpy as np


def compute_reward(next_state, action):
    forward = next_state.torso.linear_velocity[:, 0]
    return forward, {"forward": forward}
