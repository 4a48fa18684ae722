import numpy as np


def compute_reward(state, action, next_state):
    """Gymnasium's Hopper-v5: move along +x, stay healthy, spend little effort."""
    speed = (next_state.torso.position[:, 0] - state.torso.position[:, 0]) / constants.dt
    pitch = next_state.joints.root_pitch
    angles, velocities = next_state.joints.angles, next_state.joints.velocities
    healthy = (
        (next_state.torso.position[:, 2] > 0.7)
        & (np.abs(pitch.angle) < 0.2)
        & (np.abs(angles) < 100.0).all(-1)
        & (np.abs(velocities) < 100.0).all(-1)
        & (np.abs(pitch.velocity) < 100.0)
        & (np.abs(next_state.joints.root_x.velocity) < 100.0)
        & (np.abs(next_state.joints.root_z.velocity) < 100.0)
    )
    terms = {
        "forward": speed,
        "healthy": np.where(healthy, 1.0, 0.0),
        "effort": -1e-3 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms
