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


def near(error, scale):
    """0 at the target, -0.41 at `scale` from it, and falling by one a `scale` further away (pseudo-Huber)."""
    return 1.0 - np.sqrt(1.0 + (error / scale) ** 2)


def compute_reward(state, action, next_state):
    """Reward parameters:

    set_l2_distance_reward(name_obj_A="hand", name_obj_B="apple")
    set_l2_distance_reward(name_obj_A="apple", name_obj_B="box")
    set_obj_z_position_reward(name_obj="apple", z_height=0.035)
    execute_plan(plan_duration=8)
    """
    terms = {
        "hand_to_apple": near(norm(next_state.palm.position - next_state.apple.position), 0.05),
        "fingers_to_apple": near(fingers_to(next_state, next_state.apple.position), 0.05),
        "grip_on_apple": near(grip_off(next_state, next_state.apple.position), 0.03),
        "apple_to_box": 3.0 * near(norm(next_state.apple.position - next_state.box.position), 0.05),
        "apple_height": 4.0 * near(next_state.apple.position[:, 2] - 0.035, 0.05),
        "smoothness": -0.02 * np.sum((action - state.episode.previous_action) ** 2, axis=-1),
    }
    return sum(terms.values()), terms
