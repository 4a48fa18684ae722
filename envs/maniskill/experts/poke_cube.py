import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of PokeCube: reach, grasp, line up, push, rest: the highest stage; 10 when done."""
    peg, cube, goal = next_state.peg, next_state.cube, next_state.goal.position
    to_peg = norm(next_state.gripper.position - peg.position)
    # as ManiSkill has it: the head of a peg that is not turned
    head = peg.position + np.asarray([constants.peg_half_length, 0.0, 0.0])
    gap = norm((head - cube.position)[:, :2])
    askew = np.abs(_spin(peg.orientation) - _spin(cube.orientation))
    held = next_state.gripper.grasps_peg & (to_peg < 0.01)
    fits = held & (askew < 0.05) & (gap <= constants.cube_half_size[0] + 0.005)
    placed = norm((cube.position - goal)[:, :2]) < constants.goal_radius
    speed = next_state.joints.velocities
    done = placed & (np.max(np.abs(speed), axis=-1) <= 0.2)
    terms = {
        "reach": np.where(held, 0.0, 2 * (1 - np.tanh(5 * to_peg))),
        "line_up": np.where(held & ~fits, 4 + 2 - np.tanh(5 * gap) - np.tanh(5 * askew), 0.0),
        "push": np.where(fits, 7 + 1 - np.tanh(5 * norm(goal - cube.position)), 0.0),
        "static": np.where(placed, 1 - np.tanh(5 * norm(speed)), 0.0),
    }
    terms = {name: np.where(done, 0.0, term) for name, term in terms.items()}
    terms["done"] = np.where(done, 10.0, 0.0)
    return sum(terms.values()), terms


def _spin(orientation):
    """The last of ManiSkill's Euler angles XYZ of quaternions (N, 4)."""
    w, x, y, z = orientation[:, 0], orientation[:, 1], orientation[:, 2], orientation[:, 3]
    return np.atan2(2 * (w * z - x * y), 1 - 2 * (y * y + z * z))
