import numpy as np


def compute_reward(state, action, next_state):
    """Weights outside of the terms."""
    forward = next_state.torso.linear_velocity[:, 0]
    upright = np.exp(-(next_state.joints.root_pitch.angle**2))
    terms = {"forward": forward, "upright": upright}
    return 2.0 * forward + 0.5 * upright, terms
