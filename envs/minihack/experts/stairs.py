"""By hand: see more of the map, come nearer to the stairs once they are seen."""

import numpy as np


def compute_reward(state, action, next_state):
    """Explore, then go to the stairs."""
    stairs = state.stairs_down
    known = (stairs.distance >= 0) & (next_state.stairs_down.distance >= 0)
    terms = {
        "explored": 0.01 * np.minimum(next_state.map.known - state.map.known, 10),
        "to_stairs": 0.05 * np.where(known, stairs.distance - next_state.stairs_down.distance, 0),
        "stairs": 1.0 * (stairs.exists & (next_state.agent.position == stairs.position).all(-1)),
        "time": -0.002 * np.ones(len(action)),
    }
    return sum(terms.values()), terms
