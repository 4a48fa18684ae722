import numpy as np

best = 0.0


def compute_reward(state, action, next_state):
    """Pays for a new record, which it would have to remember."""
    global best
    x = next_state.torso.position[:, 0]
    record = np.maximum(x - best, 0.0)
    best = max(best, x.max())
    return record, {"record": record}
