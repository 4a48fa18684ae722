import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of RollBall: get behind the ball; once there, bring it to the goal; 30 when done."""
    ball, goal = next_state.ball.position, next_state.goal.position
    behind = ball + unit(ball - goal) * (constants.ball_radius + 0.05)
    apart = norm((ball - goal)[:, :2])
    done = apart < constants.goal_radius
    reached = next_state.ball.hand_was_behind & ~done
    terms = {
        "reach": np.where(reached | done, 0.0, 1 - np.tanh(2 * norm(behind - next_state.gripper.position))),
        "reached": np.where(reached, 1.0, 0.0),
        "roll": np.where(reached, 20 * (1 - np.tanh(apart)), 0.0),
        "done": np.where(done, 30.0, 0.0),
    }
    return sum(terms.values()), terms
