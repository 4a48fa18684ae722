import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of PlaceSphere: the highest stage reached: reach, grasp, in the bin; 13 when done."""
    sphere, grasped = next_state.sphere, next_state.gripper.grasps_sphere
    offset = sphere.position - next_state.bin.position
    above = constants.sphere_radius + constants.bin_half_thickness
    inside = (norm(offset[:, :2]) <= 0.005) & (np.abs(offset[:, 2] - above) <= 0.005)
    speed, spin = norm(sphere.linear_velocity), norm(sphere.angular_velocity)
    done = inside & (speed <= 0.01) & (spin <= 0.5) & ~grasped
    reach = 2 * (1 - np.tanh(5 * norm(next_state.gripper.position - sphere.position)))
    carry = 4 + 1 - np.tanh(5 * norm(offset - np.asarray([0.0, 0.0, above])))
    let_go = np.where(grasped, next_state.gripper.opening / constants.widest_opening, 16.0)
    still = np.where(np.max(np.abs(next_state.joints.velocities), axis=-1) <= 0.2, 1.0, 0.0)
    rest = 6 + (let_go + 1 - np.tanh(10 * speed + spin) + still) / 3
    terms = {
        "reach": np.where(inside | grasped, 0.0, reach),
        "carry": np.where(grasped & ~inside, carry, 0.0),
        "let_go": np.where(inside & ~done, rest, 0.0),
        "done": np.where(done, 13.0, 0.0),
    }
    return sum(terms.values()), terms
