import numpy as np


def compute_reward(state, action, next_state):
    """Long hops: pay for flight that ends on the foot, and for speed."""
    landed = next_state.foot.contact & ~state.foot.contact
    hop = np.where(landed, np.minimum(state.foot.air_time, 0.5), 0.0)
    forward = 0.3 * next_state.center_of_mass.velocity[:, 0]
    return hop + forward, {"hop": hop, "forward": forward}
