import numpy as np


def compute_reward(state, action, next_state):
    """Reach and grasp the charger, bring it to its goal turned as it must be; ManiSkill3 has no dense reward here."""
    charger, goal = next_state.charger, next_state.goal
    grasped = next_state.gripper.grasps_charger
    apart = norm(charger.position - goal.position)
    cosine = np.abs(np.sum(charger.orientation * goal.orientation, axis=-1))
    turned = 2 * np.acos(np.minimum(cosine, np.ones_like(cosine)))
    plugged = (apart <= 0.005) & (turned <= 0.2)
    terms = {
        "reach": 1 - np.tanh(5 * norm(charger.position - next_state.gripper.position)),
        "grasp": np.where(grasped, 1.0, 0.0),
        "turn": np.where(grasped, 1 - np.tanh(turned), 0.0),
        "bring": np.where(grasped, 3 * (1 - np.tanh(5 * apart)), 0.0),
        "fine": np.where(grasped, 2 * gaussian(apart + 0.02 * turned, 0.02), 0.0),
        "plugged": np.where(plugged, 4.0, 0.0),
    }
    return sum(terms.values()), terms
