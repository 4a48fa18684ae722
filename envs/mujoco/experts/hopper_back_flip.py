import numpy as np


def compute_reward(state, action, next_state):
    """Jump, turn once backwards in the air, land on the foot and stay upright."""
    turn = 2 * np.pi
    before, after = -state.joints.root_pitch.angle, -next_state.joints.root_pitch.angle
    airborne = ~next_state.foot.contact & ~state.foot.contact
    # progress towards one turn counts in the air alone; turning the other way costs everywhere, so that rocking
    # gains nothing, and so does turning on
    turned = np.minimum(after, turn) - np.minimum(before, turn)
    share = np.where((turned < 0) | airborne, 1.0, 0.0)
    past = np.clip(after - turn, 0.0, 2.0)
    upright = np.exp(-(((after - turn) / 0.5) ** 2)) * (next_state.torso.position[:, 2] > 0.7)
    terms = {
        "turn": 15.0 * share * turned,
        "overturned": -1.0 * past,
        "stand": 3.0 * upright * np.where(next_state.foot.contact, 1.0, 0.3),
        "effort": -2e-3 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms
