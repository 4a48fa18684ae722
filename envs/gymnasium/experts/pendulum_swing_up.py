def compute_reward(state, action, next_state):
    """Upright, still, with little torque; of the state that the torque is applied in."""
    terms = {
        "upright": -(state.rod.angle**2),
        "still": -0.1 * state.rod.rate**2,
        "effort": -0.001 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms
