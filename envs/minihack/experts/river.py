"""By hand: boulders into the river, then to the stairs."""

import numpy as np


def compute_reward(state, action, next_state):
    """Less water and nearer to the stairs is better."""
    stairs = state.stairs_down
    known = (stairs.distance >= 0) & (next_state.stairs_down.distance >= 0)
    terms = {
        "bridge": 0.5 * np.clip(state.water.count - next_state.water.count, 0, 1),
        "to_stairs": 0.05 * np.where(known, stairs.distance - next_state.stairs_down.distance, 0),
        "stairs": 1.0 * (stairs.exists & (next_state.agent.position == stairs.position).all(-1)),
        "time": -0.002 * np.ones(len(action)),
    }
    return sum(terms.values()), terms
