import numpy as np


def reward(state, action, next_state):
    forward = next_state.torso.linear_velocity[:, 0]
    return forward, {"forward": forward}
