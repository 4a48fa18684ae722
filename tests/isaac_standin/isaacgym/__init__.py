"""A stand-in with Isaac Gym's tensor API: N cartpoles and their beacons, integrated here. Runs on Python 3.8."""

import sys

if "torch" in sys.modules:
    raise ImportError("torch was imported before isaacgym: the actual one refuses that too")
