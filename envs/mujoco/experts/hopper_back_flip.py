import numpy as np


def compute_reward(state, action, next_state):
    """Turn the whole body once backwards in the air, bring the foot under it, land on it and stay upright."""
    turn = 2 * np.pi
    before, after = -body_angle(state), -body_angle(next_state)
    torso = -next_state.joints.root_pitch.angle
    airborne = ~next_state.foot.contact & ~state.foot.contact
    # progress towards one turn counts in the air alone; turning the other way costs everywhere, so that rocking
    # gains nothing
    turned = np.minimum(after, turn) - np.minimum(before, turn)
    share = np.where((turned < 0) | airborne, 1.0, 0.0)
    # from three quarters of a turn on: legs down, then stand
    landing = np.clip((after - 1.4 * np.pi) / (0.4 * np.pi), 0.0, 1.0)
    legs = np.clip(next_state.torso.position[:, 2] - next_state.foot.position[:, 2], -1.0, 1.2)
    lean = np.abs(angle_difference(torso, 0.0 * torso))
    upright = np.exp(-(((torso - turn) / 0.6) ** 2))
    terms = {
        "turn": 15.0 * share * turned,
        "overturned": -np.clip(torso - turn - 0.3, 0.0, 2.0),
        "legs": 4.0 * landing * legs,
        "stand": 3.0 * landing * upright * np.where(next_state.foot.contact, 1.0, 0.0),
        "lean": np.where(next_state.foot.contact, -2.0 * lean, 0.0),
        "effort": -2e-3 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms


def body_angle(state):
    """Mean angle of torso, thigh and leg about +y: folding the hip turns the torso, but not the body."""
    joints = state.joints
    return joints.root_pitch.angle - (2.0 * joints.hip.angle + joints.knee.angle) / 3.0
