"""The hand's reward parameters: distances, heights, orientations and joints, as Language to Rewards (Yu et al., 2023).

Which functions and arguments there are is the paper's; how far from a target costs how much is ours, tuned on the eight
tasks with parameters by hand. "hand" stands for the palm's point and the five fingertips together.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from reward_agent.envs.dexterous.names import TIPS
from reward_agent.parameters.api import Argument, Function, RewardApi, Term, Values

_ARM = (
    "a dexterous hand with five fingers on an arm that moves and turns it freely, 0.33 m over a table, palm down and "
    "open at first; it reaches 0.25 m to either side, 0.3 m ahead and behind, and 0.68 m high. The table's top is at "
    "height 0; +x is to the right, +y ahead, +z up"
)
ROBOT = {
    "table": f"{_ARM}. On the table: a box, 0.06 m wide and deep and 0.09 m long, and an apple, a ball of 0.07 m",
    "faucet": f"{_ARM}. On the table stands a faucet with a lever, the joint `faucet`, shut at first",
    "drawer": f"{_ARM}. On the table stands a cabinet whose drawer, the joint `drawer`, has a bar as its handle and is "
    "shut at first",
}
THINGS = {"table": ("box", "apple"), "faucet": ("faucet_handle",), "drawer": ("drawer_handle",)}
JOINTS = {"table": (), "faucet": ("faucet",), "drawer": ("drawer",)}
HAND = "hand"

DEFINITIONS = f'''
def fingers_to(hand, place):
    """Mean distance (N,) of the fingertips from a place, the thumb counting as much as the four fingers, m."""
    four = norm(hand.{TIPS[0]}.position - place) + norm(hand.{TIPS[1]}.position - place)
    four = four + norm(hand.{TIPS[2]}.position - place) + norm(hand.{TIPS[3]}.position - place)
    return 0.125 * four + 0.5 * norm(hand.{TIPS[4]}.position - place)


def grip_off(hand, place):
    """How far (N,) the middle between the thumb and the three fingers across from it is from a place, m."""
    fingers = (hand.{TIPS[0]}.position + hand.{TIPS[1]}.position + hand.{TIPS[2]}.position) / 3.0
    return norm(0.5 * (fingers + hand.{TIPS[4]}.position) - place)


def tilt(orientation):
    """Angle (N,) between a thing's own z axis and the vertical, rad."""
    return np.arccos(np.clip(up_vector(orientation)[:, 2], -1.0, 1.0))
'''

ALWAYS = (Term("smoothness", "-0.02 * np.sum((action - state.episode.previous_action) ** 2, axis=-1)"),)


def reward_api(scene: str) -> RewardApi:
    """What can be set in a scene: only what is there can be named."""
    things, joints = THINGS[scene], JOINTS[scene]
    functions = [_distance((HAND, *things))]
    if scene == "table":
        functions += [_height(things), _orientation(("box",))]
    functions += [_joint(joints)] * bool(joints)
    return RewardApi(
        robot=ROBOT[scene],
        functions=tuple(functions),
        always=ALWAYS,
        definitions=DEFINITIONS,
        motion=(files(__package__) / f"motion_{scene}.md").read_text(encoding="utf-8"),
        advice=(files(__package__) / "coding.md").read_text(encoding="utf-8"),
    )


def _distance(names: tuple[str, ...]) -> Function:
    def terms(values: Values) -> Iterator[Term]:
        a, b = sorted((str(values["name_obj_A"]), str(values["name_obj_B"])), key=lambda name: name != HAND)
        there = f"next_state.{b}.position"
        if a == HAND:
            yield Term(f"hand_to_{b}", f"near(norm(next_state.palm.position - {there}), 0.05)")
            yield Term(f"fingers_to_{b}", f"near(fingers_to(next_state, {there}), 0.05)")
            yield Term(f"grip_on_{b}", f"near(grip_off(next_state, {there}), 0.03)")
        else:
            yield Term(f"{a}_to_{b}", f"3.0 * near(norm(next_state.{a}.position - {there}), 0.05)")

    return Function(
        "set_l2_distance_reward",
        'Bring two things as near as they get. "hand" grasps what it is brought to: palm and fingers close in.',
        (
            Argument("name_obj_A", "one of the two", choices=names, required=True),
            Argument("name_obj_B", "the other", choices=names, required=True),
        ),
        terms,
        key=("name_obj_A", "name_obj_B"),
        fault=_one_thing,
    )


def _one_thing(values: Values) -> str:
    return "it is one and the same thing" if values["name_obj_A"] == values["name_obj_B"] else ""


def _height(names: tuple[str, ...]) -> Function:
    def terms(values: Values) -> Iterator[Term]:
        name, height = values["name_obj"], values["z_height"]
        yield Term(f"{name}_height", f"4.0 * near(next_state.{name}.position[:, 2] - {height:g}, 0.05)")

    return Function(
        "set_obj_z_position_reward",
        "Bring a thing's middle to a height and keep it there. It does not move by itself: the hand has to be at it.",
        (
            Argument("name_obj", "which thing", choices=names, required=True),
            Argument("z_height", "over the table; a box that stands has 0.045", "m", 0.0, 0.65, required=True),
        ),
        terms,
        key=("name_obj",),
    )


def _orientation(names: tuple[str, ...]) -> Function:
    def terms(values: Values) -> Iterator[Term]:
        name, angle = values["name_obj"], values["tilt_radians"]
        turned = f"tilt(next_state.{name}.orientation)"
        yield Term(f"{name}_tilt", f"3.0 * near({turned} - {angle:g}, 0.2)")

    return Function(
        "set_obj_orientation_reward",
        "Turn a thing so that its own z axis is so far from the vertical. It does not turn by itself.",
        (
            Argument("name_obj", "which thing", choices=names, required=True),
            Argument("tilt_radians", "0 upright, 1.57 on its side, 3.14 upside down", "rad", 0.0, 3.15, required=True),
        ),
        terms,
        key=("name_obj",),
    )


def _joint(names: tuple[str, ...]) -> Function:
    reads = {"faucet": "next_state.joints.faucet.angle", "drawer": "next_state.joints.drawer.position"}

    def terms(values: Values) -> Iterator[Term]:
        name, fraction = str(values["name_joint"]), values["fraction"]
        share = f"({reads[name]} - constants.{name}_low) / (constants.{name}_high - constants.{name}_low)"
        yield Term(f"{name}_joint", f"4.0 * near({share} - {fraction:g}, 0.2)")

    return Function(
        "set_joint_fraction_reward",
        "Bring a joint to a share of its range. It does not move by itself.",
        (
            Argument("name_joint", "which joint", choices=names, required=True),
            Argument("fraction", "0 is shut, 1 wide open", "", 0.0, 1.0, required=True),
        ),
        terms,
        key=("name_joint",),
    )
