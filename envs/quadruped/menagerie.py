"""Quadrupeds of MuJoCo Menagerie in place of ours, by name.

Nothing of Menagerie ships with this package. It is read from a checkout that the variable `MUJOCO_MENAGERIE` names,
else from what the package `robot_descriptions` keeps, which it downloads when it is first asked.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.quadruped.adopted import adopted
from reward_agent.envs.quadruped.anatomy import Home
from reward_agent.errors import MissingComponentError, raised, unknown_name

VARIABLE = "MUJOCO_MENAGERIE"
PACKAGE = "robot_descriptions"
URL = "https://github.com/google-deepmind/mujoco_menagerie"


@dataclass(frozen=True)
class Source:
    """Where one robot is."""

    file: str
    """In a checkout of Menagerie."""
    module: str
    """Of `robot_descriptions`, without its ending."""
    home: Home | None = None
    """How it stands, where its file has no key frame."""


_ANYMAL: Home = ((0.0, 0.4, -0.8), (0.0, -0.4, 0.8))
_BARKOUR: Home = ((0.0, 0.5, 1.0), (0.0, 0.5, 1.0))
ROBOTS = {
    "anymal_b": Source("anybotics_anymal_b/anymal_b.xml", "anymal_b", _ANYMAL),
    "anymal_c": Source("anybotics_anymal_c/anymal_c.xml", "anymal_c", _ANYMAL),
    "boston_dynamics_spot": Source("boston_dynamics_spot/spot.xml", "spot"),
    "google_barkour_v0": Source("google_barkour_v0/barkour_v0.xml", "barkour_v0", _BARKOUR),
    "google_barkour_vb": Source("google_barkour_vb/barkour_vb.xml", "barkour_vb", _BARKOUR),
    "unitree_a1": Source("unitree_a1/a1.xml", "a1"),
    "unitree_go1": Source("unitree_go1/go1.xml", "go1"),
    "unitree_go2": Source("unitree_go2/go2.xml", "go2"),
}


def menagerie_machine(name: str) -> Machine:
    """One of Menagerie's quadrupeds, with our names.

    Raises:
        UsageError: no such robot, with the closest valid name; or its model is not built as a quadruped.
        MissingComponentError: its files are not here, with both ways to get them.
    """
    return adopted(name, _file(name), known(name).home)


def missing(name: str) -> str | None:
    """What this machine lacks for that robot and the commands that get it; nothing is downloaded for it.

    Raises:
        UsageError: no such robot, with the closest valid name.
    """
    source = known(name)
    checkout = os.environ.get(VARIABLE)
    ways = f"git clone --depth 1 {URL}, then export {VARIABLE}=$PWD/mujoco_menagerie; or pip install {PACKAGE}"
    if checkout:
        file = Path(checkout) / source.file
        return None if file.is_file() else f"{source.file} in {checkout}, which {VARIABLE} names: {ways}"
    if importlib.util.find_spec(PACKAGE) is None:
        return (
            f"the model of {name}, which MuJoCo Menagerie has and this package has not: {ways}, which downloads it "
            "when it is first used"
        )
    return None


def known(name: str) -> Source:
    """Where that robot is.

    Raises:
        UsageError: no such robot, with the closest valid name.
    """
    if name not in ROBOTS:
        raise unknown_name("quadruped of MuJoCo Menagerie", name, ROBOTS)
    return ROBOTS[name]


def _file(name: str) -> Path:
    """The robot's file; it is downloaded where only `robot_descriptions` can tell it."""
    source, lacking = known(name), missing(name)
    if lacking:
        raise MissingComponentError(f"This robot cannot be simulated; what is missing is {lacking}")
    if checkout := os.environ.get(VARIABLE):
        return (Path(checkout) / source.file).resolve()
    module = f"{PACKAGE}.{source.module}_mj_description"
    try:
        return Path(importlib.import_module(module).MJCF_PATH).resolve()
    except Exception as error:  # the package's loader may fail in any way that git and the net can
        raise MissingComponentError(
            f"{module} was to fetch the model of {name} and could not: {raised(error)}. Try again with a connection to "
            f"the internet, or get it by hand: git clone --depth 1 {URL}, then export {VARIABLE}=$PWD/mujoco_menagerie"
        ) from error
