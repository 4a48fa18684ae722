import numpy as np


def compute_reward(state, action, next_state):
    """Potential-based progress: what a potential gains in a step, by functions inside the function."""

    def potential(s, weight=2.0):
        upright = gaussian(s.joints.root_pitch.angle, 0.4)
        return weight * s.torso.position[:, 0] + upright

    scale = lambda x: x / constants.dt  # noqa: E731
    terms = {}
    terms["progress"] = scale(potential(next_state) - potential(state)) * 0.1
    terms["effort"] = -np.mean(np.square(action), axis=-1)
    total = np.zeros_like(terms["effort"])
    for value in terms.values():
        total = total + value
    return total, terms
