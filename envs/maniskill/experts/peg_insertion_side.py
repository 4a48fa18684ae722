import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of PegInsertionSide: grasp the peg's tail, line up, insert; 10 when done."""
    peg, head, hole, goal = next_state.peg, next_state.peg_head.position, next_state.hole, next_state.goal
    grip = peg.position + rotate(peg.orientation, np.zeros_like(peg.position) - np.asarray([0.06, 0.0, 0.0]))
    grasped = next_state.gripper.grasps_peg
    head_off = norm(inverse_rotate(goal.orientation, head - goal.position)[:, 1:])
    peg_off = norm(inverse_rotate(goal.orientation, peg.position - goal.position)[:, 1:])
    lined_up = grasped & (head_off < 0.01) & (peg_off < 0.01)
    depth = inverse_rotate(hole.orientation, head - hole.position)
    aside = np.max(np.abs(depth[:, 1:]), axis=-1) <= hole.radius
    done = (depth[:, 0] >= -0.015) & aside
    line_up = 3 * (1 - np.tanh(0.5 * (head_off + peg_off) + 4.5 * np.maximum(head_off, peg_off)))
    terms = {
        "reach": 1 - np.tanh(4 * norm(next_state.gripper.position - grip)),
        "grasp": np.where(grasped, 1.0, 0.0),
        "line_up": np.where(grasped, line_up, 0.0),
        "insert": np.where(lined_up, 5 * (1 - np.tanh(5 * norm(depth))), 0.0),
    }
    terms = {name: np.where(done, 0.0, term) for name, term in terms.items()}
    terms["done"] = np.where(done, 10.0, 0.0)
    return sum(terms.values()), terms
