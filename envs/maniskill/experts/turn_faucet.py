import numpy as np


def compute_reward(state, action, next_state):
    """Bring the hand to the faucet's handle and turn it to its goal angle; ManiSkill3 has no dense reward here."""
    switch = next_state.switch
    whole = switch.goal_angle - state.switch.angle
    left = np.maximum(switch.goal_angle - switch.angle, np.zeros_like(whole))
    terms = {
        "reach": 1 - np.tanh(5 * norm(next_state.gripper.position - switch.position)),
        "turn": 3 * (1 - np.tanh(2 * left)),
        "turning": np.tanh(switch.velocity),
        "done": np.where(left <= 0, 5.0, 0.0),
    }
    return sum(terms.values()), terms
