import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill2's dense reward of LiftCube: reach, grasp, lift; 2.25 when lifted by 0.2 m and at rest."""
    grasped = np.where(next_state.gripper.grasps_cube, 1.0, 0.0)
    rise = next_state.cube.position[:, 2] - constants.cube_half_size[2] - constants.table_top
    done = (rise >= 0.2) & (np.max(np.abs(next_state.joints.velocities), axis=-1) <= 0.2)
    terms = {
        "reach": 1 - np.tanh(5 * norm(next_state.cube.position - next_state.gripper.position)),
        "grasp": 0.25 * grasped,
        "lift": np.minimum(rise / 0.2, np.ones_like(rise)) * grasped,
    }
    terms = {name: np.where(done, 0.0, term) for name, term in terms.items()}
    terms["done"] = np.where(done, 2.25, 0.0)
    return sum(terms.values()), terms
