import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of PickCube: reach, grasp, bring to the goal, hold still; 5 when done."""
    grasped = np.where(next_state.gripper.grasps_cube, 1.0, 0.0)
    speed = next_state.joints.velocities
    apart = norm(next_state.goal.position - next_state.cube.position)
    placed = apart <= constants.goal_radius
    done = placed & (np.max(np.abs(speed), axis=-1) <= 0.2)
    terms = {
        "reach": 1 - np.tanh(5 * norm(next_state.cube.position - next_state.gripper.position)),
        "grasp": grasped,
        "place": (1 - np.tanh(5 * apart)) * grasped,
        "static": np.where(placed, 1 - np.tanh(5 * norm(speed)), 0.0),
    }
    terms = {name: np.where(done, 0.0, term) for name, term in terms.items()}
    terms["done"] = np.where(done, 5.0, 0.0)
    return sum(terms.values()), terms
