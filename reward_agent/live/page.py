"""What is seen in the page: the robot, what it is told, and the time."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from reward_agent.schema import Array
from reward_agent.task import Viewpoint

MOVING = ("/bodies", "/decor", "/hull")
"""Nodes that mjviser hangs what moves under; what stands still has one of its own, `fixed_bodies_frame`."""

LIGHT = 0.4
"""Of the surroundings: with mjviser's 0.8 colours are paler than in the model."""


@dataclass(frozen=True)
class Frame:
    """One picture."""

    qpos: Array
    """`(nq,)`."""
    mocap: tuple[Array, Array] | None
    """Positions `(nmocap, 3)`, m, and orientations `(nmocap, 4)` of what is moved by hand; None leaves it."""
    time: float
    """Of the simulation, s."""
    caption: str
    """What the robot is told."""
    clock: float
    """When it was given, s of a monotonic clock."""


class Page:
    """A model's scene on a server, drawn by mjviser. Not safe for threads: one of them draws.

    Args:
        server: a `viser.ViserServer`.
        model: a `mujoco.MjModel`; it is copied, for mjviser changes how it looks.
        viewpoint: where to look from at first; from somewhere that shows all of it unless given.
    """

    def __init__(self, server: Any, model: Any, viewpoint: Viewpoint | None) -> None:
        import mujoco
        from mjviser import ViserMujocoScene

        self._server, self._model = server, copy.copy(model)
        self._data = mujoco.MjData(self._model)
        mujoco.mj_kinematics(self._model, self._data)
        server.gui.configure_theme(show_logo=False, show_share_button=False)
        self._told, self._clock = server.gui.add_html(""), server.gui.add_html("")
        moving = [server.scene.add_frame(name, show_axes=False) for name in MOVING]
        self._scene = ViserMujocoScene(server, self._model, num_envs=1)
        server.scene.configure_environment_map(environment_intensity=LIGHT)
        # its own way of following a body lets the ground go up and down
        self._scene.camera_tracking_enabled = False
        self._frames = [*moving, self._scene.fixed_bodies_frame]
        self._followed = viewpoint.body if viewpoint and _travels(self._model, viewpoint.body) else None
        target, offset = _sight(self._model, self._data, viewpoint)
        if self._followed is not None:
            target = target * (0, 0, 1)
        camera = server.initial_camera
        camera.look_at, camera.position = target, target + offset
        camera.fov = float(np.radians(self._model.vis.global_.fovy))

    def draw(self, frame: Frame) -> None:
        """Bring the scene up to date, all of it at once."""
        import mujoco

        data = self._data
        data.qpos[:] = frame.qpos
        if frame.mocap is not None:
            data.mocap_pos[:], data.mocap_quat[:] = frame.mocap
        mujoco.mj_kinematics(self._model, data)
        shift = np.zeros(3) if self._followed is None else -data.xpos[self._followed] * (1, 1, 0)
        with self._server.atomic():
            self._scene.update_from_mjdata(data)
            for node in self._frames:
                node.position = shift

    def tell(self, caption: str, time: float, factor: float | None) -> None:
        """Say beside the scene what the robot is told and how time (s) goes. The caption is text, never markup."""
        self._told.content = _TOLD.format(escape(caption)) if caption else ""
        pace = f" · {factor:.2g} × real time" if factor is not None else ""
        self._clock.content = _CLOCK.format(f"{time:.1f} s{pace}")


_TOLD = '<div style="padding: 0.5em 1em; font-weight: 600; white-space: pre-wrap; overflow-wrap: anywhere">{}</div>'
_CLOCK = '<div style="padding: 0 1em 0.75em; font-variant-numeric: tabular-nums">{}</div>'


def _travels(model: Any, body: int) -> bool:
    """Whether nothing holds the body's tree to its place, so that a picture that stood still would lose it."""
    import mujoco

    root = model.body_rootid[body]
    first = model.body_jntadr[root]
    joints = range(first, first + model.body_jntnum[root])
    free, slide = mujoco.mjtJoint.mjJNT_FREE, mujoco.mjtJoint.mjJNT_SLIDE
    kinds = model.jnt_type
    return any(kinds[j] == free or (kinds[j] == slide and not model.jnt_limited[j]) for j in joints)


def _sight(model: Any, data: Any, viewpoint: Viewpoint | None) -> tuple[Array, Array]:
    """The place to look at and where from, seen from there, both `(3,)` in m, as `envs/camera.py` does in clips."""
    if viewpoint is None:
        target, (distance, azimuth, elevation) = model.stat.center, (2.0 * model.stat.extent, 120.0, -20.0)
    elif viewpoint.view is None:
        return data.xpos[viewpoint.body].copy(), model.camera("track").pos.copy()
    else:
        target, (distance, azimuth, elevation) = data.xpos[viewpoint.body], viewpoint.view
    turn, tilt = np.radians((azimuth, elevation))
    ahead = np.array([np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)])
    return np.array(target), -distance * ahead
