import numpy as np


def compute_reward(state, action, next_state):
    """Keep the pen in its place and turn it along the target; do not drop it."""
    away = norm(next_state.pen.position - next_state.target.position)
    pen = unit(next_state.pen_top.position - next_state.pen_bottom.position)
    target = unit(next_state.target_top.position - next_state.target_bottom.position)
    alike = (pen * target).sum(-1)
    near = away < 0.075
    terms = {
        "place": -away,
        "turn": alike,
        "steps": np.where(near & (alike > 0.9), 10.0, 0.0) + np.where(near & (alike > 0.95), 50.0, 0.0),
        "dropped": np.where(next_state.pen.position[:, 2] < 0.075, -5.0, 0.0),
    }
    return sum(terms.values()), terms
