import numpy as np


def compute_reward(state, action, next_state):
    """Turn the whole body once forwards in the air, bring the foot under it, land on it and stay upright."""
    turn = 2 * np.pi
    before, after = body_angle(state), body_angle(next_state)
    torso = next_state.joints.root_pitch.angle
    airborne = ~next_state.foot.contact & ~state.foot.contact
    # first crouch: straight legs have nothing to push off with and leave only a fall; then leap up
    time = next_state.episode.time
    joints = next_state.joints
    folded = gaussian(joints.hip.angle + 1.4, 0.7) + gaussian(joints.knee.angle + 1.6, 0.7)
    rising = np.clip(next_state.center_of_mass.velocity[:, 2], 0.0, 4.0)
    # progress towards one turn counts in the air alone, and the higher the more; turning the other way costs as much
    high = np.clip((next_state.center_of_mass.position[:, 2] - 0.4) / 0.3, 0.0, 1.5)
    turned = np.minimum(after, turn) - np.minimum(before, turn)
    share = np.where(turned < 0, 1.0, np.where(airborne, high, 0.0)) * (time > 0.4)
    # from three quarters of a turn on: legs down, then stand
    landing = np.clip((after - 1.4 * np.pi) / (0.4 * np.pi), 0.0, 1.0)
    legs = np.clip(next_state.torso.position[:, 2] - next_state.foot.position[:, 2], -1.0, 1.2)
    upright = np.exp(-(((torso - turn) / 0.6) ** 2))
    terms = {
        "turn": 20.0 * share * turned,
        "crouch": np.where(time < 0.4, 1.0 * folded, 0.0),
        "jump": np.where((time > 0.4) & (time < 0.8), 0.5 * rising, 0.0),
        "overturned": -np.clip(torso - turn - 0.3, 0.0, 2.0),
        "legs": 4.0 * landing * legs,
        "stand": 3.0 * landing * upright * np.where(next_state.foot.contact, 1.0, 0.0),
        "effort": -2e-3 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms


def body_angle(state):
    """Mean angle of torso, thigh and leg about +y: folding the hip turns the torso, but not the body."""
    joints = state.joints
    return joints.root_pitch.angle - (2.0 * joints.hip.angle + joints.knee.angle) / 3.0
