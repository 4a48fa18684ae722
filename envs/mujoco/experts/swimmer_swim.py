def compute_reward(state, action, next_state):
    """Gymnasium's Swimmer-v5: swim along +x with little effort."""
    speed = (next_state.front.position[:, 0] - state.front.position[:, 0]) / constants.dt
    terms = {
        "forward": speed,
        "effort": -1e-4 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms
