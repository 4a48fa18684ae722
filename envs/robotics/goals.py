"""Whether the goal is there, by each environment's own criterion. Only metrics see it: a hidden field."""

from __future__ import annotations

from typing import Any

import numpy as np

from reward_agent.schema import Field

REACHED = "goal.reached"
HIDDEN = Field(REACHED, "the environment's own criterion holds", kind="bool", hidden=True)


def of_goal_env(env: Any, observation: Any) -> dict[str, Any]:
    """Fetch and Shadow hand: what is achieved lies within the thresholds of what is desired."""
    return {REACHED: bool(env._is_success(observation["achieved_goal"], observation["desired_goal"]))}


# Adroit's environments say it of a step alone; these are their formulas, on the data that they read


def door_open(env: Any, observation: Any) -> dict[str, Any]:
    """The hinge is turned by 1.35 rad or more."""
    return {REACHED: bool(env.data.qpos[env.door_hinge_addrs] >= 1.35)}


def nail_in(env: Any, observation: Any) -> dict[str, Any]:
    """The nail's head is within 1 cm of its place."""
    return {REACHED: _apart(env.data.site_xpos, env.target_obj_site_id, env.data.site_xpos, env.goal_site_id) < 0.01}


def pen_turned(env: Any, observation: Any) -> dict[str, Any]:
    """The pen is within 7.5 cm of its place, and along the target but for 18 degrees."""
    near = _apart(env.data.xpos, env.obj_body_id, env.data.site_xpos, env.eps_ball_site_id) < 0.075
    sites = env.data.site_xpos
    pen = (sites[env.obj_t_site_id] - sites[env.obj_b_site_id]) / env.pen_length
    target = (sites[env.tar_t_site_id] - sites[env.tar_b_site_id]) / env.tar_length
    return {REACHED: near and bool(pen @ target > 0.95)}


def ball_there(env: Any, observation: Any) -> dict[str, Any]:
    """The ball is within 10 cm of the target."""
    return {REACHED: _apart(env.data.xpos, env.obj_body_id, env.data.site_xpos, env.target_obj_site_id) < 0.1}


def _apart(places: Any, one: int, others: Any, other: int) -> float:
    return float(np.linalg.norm(places[one] - others[other]))
