import numpy as np


def compute_reward(state, action, next_state):
    """Bring the gripper to the goal."""
    apart = next_state.gripper.position - next_state.goal.position
    terms = {"distance": -np.sqrt((apart**2).sum(-1))}
    return sum(terms.values()), terms
