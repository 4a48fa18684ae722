import numpy as np


def compute_reward(state, action, next_state):
    """Bring all five tips to their goals, as one distance."""
    goal = next_state.goal
    apart = (
        squared(next_state.first_fingertip.position - goal.first_fingertip)
        + squared(next_state.middle_fingertip.position - goal.middle_fingertip)
        + squared(next_state.ring_fingertip.position - goal.ring_fingertip)
        + squared(next_state.little_fingertip.position - goal.little_fingertip)
        + squared(next_state.thumb_tip.position - goal.thumb_tip)
    )
    terms = {"distance": -np.sqrt(apart)}
    return sum(terms.values()), terms


def squared(vector):
    """Squared length of each."""
    return (vector**2).sum(-1)
