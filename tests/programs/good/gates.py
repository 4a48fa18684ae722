import numpy as np


def compute_reward(state, action, next_state):
    """Pay for speed only while upright and above a height; a gate is one term."""
    torso = next_state.torso
    tilt = np.abs(next_state.joints.root_pitch.angle)
    healthy = (torso.position[:, 2] > 0.8) & (tilt < 0.5) & ~torso.contact
    speed = np.clip(torso.linear_velocity[:, 0], -1.0, 3.0)
    gated = np.where(healthy, 1.0 + speed, 0.0)
    terms = {"gated": gated}
    return gated, terms
