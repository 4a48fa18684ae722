import numpy as np


def compute_reward(state, action, next_state):
    """Come nearer to the goal by the way around the lava, and keep out of it."""
    zeros = 0.0 * next_state.goal.distance
    burnt, arrived = next_state.lava.distance == 0, next_state.goal.distance == 0
    nearer = state.goal.path_length - next_state.goal.path_length
    terms = {
        "progress": np.where(burnt, zeros, nearer),
        "burn": np.where(burnt, zeros - 10.0, zeros),
        "arrive": np.where(arrived, zeros + 10.0, zeros),
    }
    return sum(terms.values()), terms
