def compute_reward(state, action, next_state):
    """Gymnasium's HalfCheetah-v5: run along +x with little effort."""
    speed = (next_state.torso.position[:, 0] - state.torso.position[:, 0]) / constants.dt
    terms = {
        "forward": speed,
        "effort": -0.1 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms
