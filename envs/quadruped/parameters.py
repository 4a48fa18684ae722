"""The quadruped's reward parameters: torso, foot positions and stepping, as Language to Rewards (Yu et al., 2023).

Which functions and arguments there are is the paper's; how far from a target costs how much is ours, tuned on the nine
tasks with parameters by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from reward_agent.envs.quadruped.names import LEGS
from reward_agent.envs.quadruped.words import Words
from reward_agent.parameters.api import Argument, Function, RewardApi, Term, Values

DEFINITIONS = '''
def heading(orientation):
    """Directions ahead and to the left in the plane, (N, 2) each; ahead is where the belly points when reared up."""
    ahead = forward_vector(orientation)[:, :2]
    flat = np.sqrt(np.sum(ahead * ahead, axis=-1))
    belly = -up_vector(orientation)[:, :2] * np.where(forward_vector(orientation)[:, 2] > 0, 1.0, -1.0)[:, None]
    ahead = np.where(flat[:, None] > 0.5, ahead, ahead + belly)
    ahead = ahead / np.maximum(np.sqrt(np.sum(ahead * ahead, axis=-1)), 1e-6)[:, None]
    return ahead, np.stack([-ahead[:, 1], ahead[:, 0]], axis=-1)


def tilt_error(orientation, nose_up, right_down):
    """Angle (N,) between up as the torso feels it and as it would feel it with that pitch and roll, rad."""
    side = rotate(orientation, np.zeros(orientation[:, 1:].shape) + np.array([0.0, 1.0, 0.0]))
    felt = np.stack([forward_vector(orientation)[:, 2], side[:, 2], up_vector(orientation)[:, 2]], axis=-1)
    wanted = np.array([
        np.sin(nose_up), np.cos(nose_up) * np.sin(right_down), np.cos(nose_up) * np.cos(right_down)
    ])
    return np.arccos(np.clip(np.sum(felt * wanted, axis=-1), -1.0, 1.0))


def beside_hip(torso, hip, foot):
    """How far a foot is ahead and to the left of its hip, in the plane and the torso's heading, (N,) each."""
    ahead, left = heading(torso.orientation)
    apart = foot.position[:, :2] - hip.position[:, :2]
    return np.sum(apart * ahead, axis=-1), np.sum(apart * left, axis=-1)


def step_phase(time, frequency, offset):
    """Where in its step a foot is, 0 to 1, (N,)."""
    return np.mod(time * frequency + offset, 1.0)
'''

_FOOT = Argument("foot_name", "which foot", choices=LEGS, required=True)


def reward_api(words: Words) -> RewardApi:
    """Torso targets, foot positions and foot stepping, of a robot of that build."""
    motion = (files(__package__) / "motion.md").read_text(encoding="utf-8")
    return RewardApi(
        robot=words.robot,
        functions=(torso(words), FOOT, STEPPING),
        always=ALWAYS,
        definitions=DEFINITIONS,
        motion=motion.replace("[STANDING]", f"[{words.height:g}]"),
        advice=(files(__package__) / "coding.md").read_text(encoding="utf-8"),
    )


def standing_at(height: float) -> str:
    """What is said of a height of the torso."""
    return f"of the torso's middle above the floor; {height:g} standing"


def torso(words: Words) -> Function:
    """How the torso should be."""
    return Function(
        "set_torso_targets",
        "How the torso should be and move. What is left out or None is no target; so none of it is an aim by itself.",
        (
            Argument(
                "target_torso_height",
                f"of the torso's middle above the floor; {words.height:g} standing",
                "m",
                0.0,
                1.0,
            ),
            Argument(
                "target_torso_pitch",
                "0 level; positive raises the nose, 1.57 is upright on the hind legs",
                "rad",
                -3.15,
                3.15,
            ),
            Argument(
                "target_torso_roll", "0 level; positive lowers the right side, 3.14 is on the back", "rad", -3.15, 3.15
            ),
            Argument("target_torso_location_x", "along world x, from where it is when this begins", "m", -20.0, 20.0),
            Argument("target_torso_location_y", "along world y, from where it is when this begins", "m", -20.0, 20.0),
            Argument(
                "target_torso_velocity_forward", "ahead in its own heading; negative goes backwards", "m/s", -3.0, 3.0
            ),
            Argument("target_torso_velocity_left", "to its own left", "m/s", -3.0, 3.0),
            Argument(
                "target_torso_heading", "of the nose in the plane: 0 along world +x, 1.57 along +y", "rad", -6.3, 6.3
            ),
            Argument(
                "target_turning_speed", "about the vertical, seen from above counter-clockwise", "rad/s", -10.0, 10.0
            ),
        ),
        torso_terms,
    )


def torso_terms(values: Values) -> Iterator[Term]:
    """What targets of the torso are worth."""
    torso = "next_state.torso"
    if "target_torso_height" in values:
        target = values["target_torso_height"]
        yield Term("torso_height", f"2.0 * near({torso}.position[:, 2] - {target:g}, 0.03)")
    if {"target_torso_pitch", "target_torso_roll"} & values.keys():
        nose_up, right_down = (values.get(f"target_torso_{name}", 0.0) for name in ("pitch", "roll"))
        yield Term("torso_tilt", f"3.0 * near(tilt_error({torso}.orientation, {nose_up:g}, {right_down:g}), 0.2)")
    if "target_torso_heading" in values:
        target = values["target_torso_heading"]
        yield Term("torso_heading", f"2.0 * near(angle_difference(yaw({torso}.orientation), {target:g}), 0.2)")
    for number, name in enumerate(("forward", "left")):
        if (target := values.get(f"target_torso_velocity_{name}")) is not None:
            along = f"np.sum({torso}.linear_velocity[:, :2] * heading({torso}.orientation)[{number}], axis=-1)"
            yield Term(f"velocity_{name}", f"near({along} - {target:g}, 0.15)")
    for number, name in enumerate("xy"):
        if (target := values.get(f"target_torso_location_{name}")) is not None:
            moved = f"{torso}.position[:, {number}] - next_state.start.torso.position[:, {number}]"
            yield Term(f"location_{name}", f"2.0 * near({moved} - {target:g}, 0.1)")
    if "target_turning_speed" in values:
        target = values["target_turning_speed"]
        yield Term("turning_speed", f"2.0 * near({torso}.angular_velocity[:, 2] - {target:g}, 0.5)")


def _foot(values: Values) -> Iterator[Term]:
    leg = values["foot_name"]
    foot, hip = f"next_state.{leg}_foot", f"next_state.{leg}_hip"
    if "lift_height" in values:
        # of the foot's lowest point: a foot that stands has height 0
        target = f"{foot}.position[:, 2] - constants.foot_radius - {values['lift_height']:g}"
        yield Term(f"{leg}_lift", f"near({target}, 0.03)")
    beside = f"beside_hip(next_state.torso, {hip}, {foot})"
    if "extend_forward" in values:
        yield Term(f"{leg}_forward", f"near({beside}[0] - {values['extend_forward']:g}, 0.05)")
    if "move_inward" in values:
        inward = f"-{beside}[1]" if "left" in str(leg) else f"{beside}[1]"
        yield Term(f"{leg}_inward", f"near({inward} - constants.hip_to_foot - {values['move_inward']:g}, 0.05)")


def _stepping(values: Values) -> Iterator[Term]:
    if not values["should_activate"]:
        return
    leg = values["foot_name"]
    foot, hip = f"next_state.{leg}_foot", f"next_state.{leg}_hip"
    phase = f"step_phase(next_state.episode.time, {values['stepping_frequency']:g}, {values['phase_offset']:g})"
    share = f"({phase} / {values['air_ratio']:g})"
    height = f"np.where({share} < 1.0, {values['swing_up_down']:g} * np.sin(np.pi * {share}), 0.0)"
    yield Term(f"{leg}_step", f"near({foot}.position[:, 2] - constants.foot_radius - {height}, 0.03)")
    if values["swing_forward_back"]:
        reach = f"-0.5 * {values['swing_forward_back']:g} * np.cos(np.pi * np.minimum({share}, 1.0))"
        ahead = f"beside_hip(next_state.torso, {hip}, {foot})[0]"
        yield Term(f"{leg}_swing", f"near({ahead} - {reach}, 0.05)")


ALWAYS = (
    Term("posture", "-0.15 * np.sum((next_state.joints.angles - constants.joint_standing) ** 2, axis=-1)"),
    Term("steadiness", "-0.2 * next_state.torso.linear_velocity[:, 2] ** 2"),
    Term("smoothness", "-0.03 * np.sum((action - state.episode.previous_action) ** 2, axis=-1)"),
)

FOOT = Function(
    "set_foot_pos_parameters",
    "Where one foot should be held. What is left out or None is no target.",
    (
        _FOOT,
        Argument("lift_height", "of the foot's underside above the floor; 0 keeps it on the floor", "m", 0.0, 0.7),
        Argument("extend_forward", "how far it is ahead of its own hip; 0 is below it", "m", -0.4, 0.4),
        Argument(
            "move_inward", "towards the middle of the body from where it stands; negative is outward", "m", -0.3, 0.3
        ),
    ),
    _foot,
    key=("foot_name",),
)
STEPPING = Function(
    "set_foot_stepping_parameters",
    "A foot that steps in a rhythm: in the air for a share of each period, on the floor for the rest.",
    (
        _FOOT,
        Argument("stepping_frequency", "steps a second", "Hz", 0.0, 6.0, default=2.0),
        Argument("air_ratio", "share of the period in the air", "", 0.05, 0.95, default=0.4),
        Argument(
            "phase_offset",
            "share of the period by which it is ahead; feet that differ by 0.5 alternate",
            "",
            0.0,
            1.0,
            default=0.0,
        ),
        Argument("swing_up_down", "how high it is lifted in a step", "m", 0.0, 0.4, default=0.08),
        Argument(
            "swing_forward_back", "how far it swings forward in the air; negative backward", "m", -0.4, 0.4, default=0.0
        ),
        Argument("should_activate", "whether it steps; False ends the stepping", flag=True, default=True),
    ),
    _stepping,
    key=("foot_name",),
)
