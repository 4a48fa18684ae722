"""Off-screen images of MuJoCo models, for every world that has one."""

from __future__ import annotations

import atexit
import importlib
import os
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.rendering import HEIGHT, WIDTH, Image, environment, working_backend
from reward_agent.errors import MissingComponentError

Point = tuple[float, float, float]


class Camera:
    """Draws one scene at a time, `(240, 320, 3)`, and follows a body or looks at a place.

    Args:
        model: a `mujoco.MjModel`; the quality it asks of drawings is lowered.
        target: the number of the body that it follows, or the place (m) that it looks at.
        view: distance (m), azimuth and elevation (degrees) from the target; None for the model's own camera, `track`.

    Raises:
        MissingComponentError: no OpenGL backend works off-screen.
    """

    def __init__(self, model: Any, target: int | Point, view: tuple[float, float, float] | None) -> None:
        backend = working_backend()
        if backend is None:
            raise MissingComponentError(
                "Images and videos need an off-screen OpenGL, and none works here (tried EGL, OSMesa and GLFW). "
                "Install the software one: sudo apt-get install libosmesa6"
            )
        import mujoco

        # mujoco.Renderer takes its backend from MUJOCO_GL at mujoco's first import, long past by now
        os.environ.update(environment(backend))
        self._gl = importlib.import_module(f"mujoco.{backend}").GLContext(WIDTH, HEIGHT)
        self._gl.make_current()
        # EGL shuts down at exit, after which contexts can no longer be freed: a camera left open goes first
        atexit.register(_close, weakref.ref(self))
        # drawn in software, the models' own quality takes five times as long for little more at this size
        model.vis.quality.shadowsize, model.vis.quality.offsamples = 1024, 2
        self._model, self._data = model, mujoco.MjData(model)
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=1000)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._options = mujoco.MjvOption()
        self._open = True
        self._camera = _camera(model, target, view)
        self._rectangle = mujoco.MjrRect(0, 0, WIDTH, HEIGHT)

    def image(self, state: NDArray[np.float64]) -> Image:
        """An image of the integration state `(nstate,)`."""
        import mujoco

        mujoco.mj_setState(self._model, self._data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
        mujoco.mj_forward(self._model, self._data)
        self._gl.make_current()
        category = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, self._data, self._options, None, self._camera, category, self._scene)
        mujoco.mjr_render(self._rectangle, self._scene, self._context)
        pixels: Image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, self._rectangle, self._context)
        return pixels[::-1].copy()  # OpenGL's rows start at the bottom

    def close(self) -> None:
        """Free what the graphics driver holds; more than once does no harm."""
        if self._open:
            self._open = False
            self._gl.make_current()
            self._context.free()
            self._gl.free()


def _close(camera: weakref.ref[Camera]) -> None:
    alive = camera()
    if alive is not None:
        alive.close()


def _camera(model: Any, target: int | Point, view: tuple[float, float, float] | None) -> Any:
    """The model's own tracking camera, else one that looks at the target from where `view` says."""
    import mujoco

    camera = mujoco.MjvCamera()
    if view is None:
        camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, model.camera("track").id
        return camera
    if isinstance(target, int):
        camera.type, camera.trackbodyid = mujoco.mjtCamera.mjCAMERA_TRACKING, target
    else:
        camera.type, camera.lookat = mujoco.mjtCamera.mjCAMERA_FREE, target
    camera.distance, camera.azimuth, camera.elevation = view
    return camera
