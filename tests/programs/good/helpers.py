def compute_reward(state, action, next_state):
    """Move along +x with the torso at standing height; no import at all."""
    speed = next_state.center_of_mass.velocity[:, 0]
    height = tolerance(next_state.torso.position[:, 2], 1.0, 1.5, margin=0.3)
    upright = up_vector(next_state.torso.orientation)[:, 2]
    smooth = gaussian(norm(action - state.episode.previous_action), width=0.5)
    terms = {"speed": 0.5 * speed, "height": height, "upright": upright, "smooth": 0.1 * smooth}
    return sum(terms.values()), terms
