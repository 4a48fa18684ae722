import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of LiftPegUpright: turn the peg up, to its height, with the hand at it; 3 when done."""
    peg, half = next_state.peg, constants.peg_half_length
    w, x, y, z = peg.orientation[:, 0], peg.orientation[:, 1], peg.orientation[:, 2], peg.orientation[:, 3]
    # the last of ManiSkill's Euler angles XYZ
    spin = np.atan2(2 * (w * z - x * y), 1 - 2 * (y * y + z * z))
    height = np.abs(peg.position[:, 2] - half)
    done = (np.abs(np.abs(spin) - np.pi / 2) < 0.08) & (height < 0.005)
    reach = 1 - np.tanh(5 * norm(peg.position - next_state.gripper.position))
    terms = {
        "upright": np.abs(forward_vector(peg.orientation)[:, 2]),
        "height": 1 - np.tanh(5 * height),
        "reach": np.where(next_state.gripper.grasps_peg, 1.0, reach) / 5,
    }
    terms = {name: np.where(done, 0.0, term) for name, term in terms.items()}
    terms["done"] = np.where(done, 3.0, 0.0)
    return sum(terms.values()), terms
