import numpy as np


def tilt_error(orientation, nose_up, right_down):
    """Angle (N,) between up as the torso feels it and as it would feel it with that pitch and roll, rad."""
    side = rotate(orientation, np.zeros(orientation[:, 1:].shape) + np.array([0.0, 1.0, 0.0]))
    felt = np.stack([forward_vector(orientation)[:, 2], side[:, 2], up_vector(orientation)[:, 2]], axis=-1)
    wanted = np.array([
        np.sin(nose_up), np.cos(nose_up) * np.sin(right_down), np.cos(nose_up) * np.cos(right_down)
    ])
    return np.arccos(np.clip(np.sum(felt * wanted, axis=-1), -1.0, 1.0))


def near(error, scale):
    """0 at the target, -0.41 at `scale` from it, and falling by one a `scale` further away (pseudo-Huber)."""
    return 1.0 - np.sqrt(1.0 + (error / scale) ** 2)


def compute_reward(state, action, next_state):
    """Reward parameters:

    set_torso_targets(target_torso_height=0.28, target_torso_pitch=0, target_torso_location_x=0, target_torso_location_y=0, target_turning_speed=0)
    execute_plan(plan_duration=3.4)
    reset_reward()
    set_torso_targets(target_torso_height=0.28, target_torso_pitch=0, target_torso_location_x=0, target_torso_location_y=0, target_turning_speed=4.2)
    set_foot_pos_parameters(foot_name="front_left", lift_height=0.12)
    set_foot_pos_parameters(foot_name="back_right", lift_height=0.12)
    set_foot_pos_parameters(foot_name="front_right", lift_height=0)
    set_foot_pos_parameters(foot_name="back_left", lift_height=0)
    """
    phase = 0 + (next_state.episode.time > 3.4)
    terms = {
        "torso_height": 2.0 * near(next_state.torso.position[:, 2] - 0.28, 0.03),
        "torso_tilt": 3.0 * near(tilt_error(next_state.torso.orientation, 0, 0), 0.2),
        "location_x": 2.0 * near(next_state.torso.position[:, 0] - next_state.start.torso.position[:, 0] - 0, 0.1),
        "location_y": 2.0 * near(next_state.torso.position[:, 1] - next_state.start.torso.position[:, 1] - 0, 0.1),
        "turning_speed": np.where(phase == 0, 2.0 * near(next_state.torso.angular_velocity[:, 2] - 0, 0.5), 0.0) + np.where(phase >= 1, 2.0 * near(next_state.torso.angular_velocity[:, 2] - 4.2, 0.5), 0.0),
        "posture": -0.15 * np.sum((next_state.joints.angles - constants.joint_standing) ** 2, axis=-1),
        "steadiness": -0.2 * next_state.torso.linear_velocity[:, 2] ** 2,
        "smoothness": -0.03 * np.sum((action - state.episode.previous_action) ** 2, axis=-1),
        "front_left_lift": np.where(phase >= 1, near(next_state.front_left_foot.position[:, 2] - constants.foot_radius - 0.12, 0.03), 0.0),
        "back_right_lift": np.where(phase >= 1, near(next_state.back_right_foot.position[:, 2] - constants.foot_radius - 0.12, 0.03), 0.0),
        "front_right_lift": np.where(phase >= 1, near(next_state.front_right_foot.position[:, 2] - constants.foot_radius - 0, 0.03), 0.0),
        "back_left_lift": np.where(phase >= 1, near(next_state.back_left_foot.position[:, 2] - constants.foot_radius - 0, 0.03), 0.0),
    }
    return sum(terms.values()), terms
