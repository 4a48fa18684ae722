import numpy as np


def compute_reward(state, action, next_state):
    """Gymnasium's Pusher-v5: fingertip near the object, object at the goal, little effort."""
    reach = next_state.object.position - next_state.fingertip.position
    carry = next_state.object.position - next_state.goal.position
    terms = {
        "reach": -0.5 * np.sqrt((reach**2).sum(-1)),
        "carry": -np.sqrt((carry**2).sum(-1)),
        "effort": -0.1 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms
