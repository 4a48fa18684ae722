import numpy as np


def fingers_to(hand, place):
    """Mean distance (N,) of the fingertips from a place, the thumb counting as much as the four fingers, m."""
    four = norm(hand.first_fingertip.position - place) + norm(hand.middle_fingertip.position - place)
    four = four + norm(hand.ring_fingertip.position - place) + norm(hand.little_fingertip.position - place)
    return 0.125 * four + 0.5 * norm(hand.thumb_tip.position - place)


def grip_off(hand, place):
    """How far (N,) the middle between the thumb and the three fingers across from it is from a place, m."""
    fingers = (hand.first_fingertip.position + hand.middle_fingertip.position + hand.ring_fingertip.position) / 3.0
    return norm(0.5 * (fingers + hand.thumb_tip.position) - place)


def tilt(orientation):
    """Angle (N,) between a thing's own z axis and the vertical, rad."""
    return np.arccos(np.clip(up_vector(orientation)[:, 2], -1.0, 1.0))


def near(error, scale):
    """0 at the target, -0.41 at `scale` from it, and falling by one a `scale` further away (pseudo-Huber)."""
    return 1.0 - np.sqrt(1.0 + (error / scale) ** 2)


def compute_reward(state, action, next_state):
    """Reward parameters:

    set_l2_distance_reward(name_obj_A="hand", name_obj_B="box")
    set_obj_orientation_reward(name_obj="box", tilt_radians=0)
    set_obj_z_position_reward(name_obj="box", z_height=0.55)
    execute_plan(plan_duration=3.9)
    reset_reward()
    set_l2_distance_reward(name_obj_A="hand", name_obj_B="apple")
    execute_plan(plan_duration=0.6)
    reset_reward()
    set_l2_distance_reward(name_obj_A="hand", name_obj_B="box")
    set_obj_z_position_reward(name_obj="box", z_height=0.55)
    """
    phase = 0 + (next_state.episode.time > 3.9) + (next_state.episode.time > 4.5)
    terms = {
        "hand_to_box": np.where((phase == 0) | (phase == 2), near(norm(next_state.palm.position - next_state.box.position), 0.05), 0.0),
        "fingers_to_box": np.where((phase == 0) | (phase == 2), near(fingers_to(next_state, next_state.box.position), 0.05), 0.0),
        "grip_on_box": np.where((phase == 0) | (phase == 2), near(grip_off(next_state, next_state.box.position), 0.03), 0.0),
        "box_tilt": np.where(phase == 0, 3.0 * near(tilt(next_state.box.orientation) - 0, 0.2), 0.0),
        "box_height": np.where((phase == 0) | (phase == 2), 4.0 * near(next_state.box.position[:, 2] - 0.55, 0.05), 0.0),
        "smoothness": -0.02 * np.sum((action - state.episode.previous_action) ** 2, axis=-1),
        "hand_to_apple": np.where(phase == 1, near(norm(next_state.palm.position - next_state.apple.position), 0.05), 0.0),
        "fingers_to_apple": np.where(phase == 1, near(fingers_to(next_state, next_state.apple.position), 0.05), 0.0),
        "grip_on_apple": np.where(phase == 1, near(grip_off(next_state, next_state.apple.position), 0.03), 0.0),
    }
    return sum(terms.values()), terms
