"""Off-screen images of MuJoCo models, and clips of them. The OpenGL backend is found by trying."""

from __future__ import annotations

import atexit
import importlib
import os
import subprocess
import sys
import weakref
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reward_agent.errors import MissingComponentError

Image = NDArray[np.uint8]

WIDTH, HEIGHT = 320, 240
BACKENDS = ("egl", "osmesa", "glfw")

# A backend that does not work may crash the process that tries it, so another process does.
_TRIAL = f"""
import importlib, mujoco
context = importlib.import_module("mujoco.{{backend}}").GLContext({WIDTH}, {HEIGHT})
context.make_current()
model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
drawing = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, drawing)
raise SystemExit(drawing.currentBuffer != mujoco.mjtFramebuffer.mjFB_OFFSCREEN)
"""


@cache
def working_backend() -> str | None:
    """The first of `BACKENDS` that draws here (`MUJOCO_GL` before all, where it names one); None when none does.

    Tried once a process, in processes of their own.
    """
    chosen = os.environ.get("MUJOCO_GL", "").lower()
    for backend in sorted(BACKENDS, key=lambda name: name != chosen):
        try:
            tried = subprocess.run(
                [sys.executable, "-c", _TRIAL.format(backend=backend)],
                capture_output=True,
                timeout=60,
                env=_environment(backend),
            )
        except subprocess.TimeoutExpired:
            continue
        if tried.returncode == 0:
            return backend
    return None


class Camera:
    """Draws one robot at a time, `(240, 320, 3)`, and follows it.

    Args:
        model: a `mujoco.MjModel`; the quality it asks of drawings is lowered.
        body: the number of the body that it follows.
        view: distance (m), azimuth and elevation (degrees); None for the model's own camera, `track`.

    Raises:
        MissingComponentError: no OpenGL backend works off-screen.
    """

    def __init__(self, model: Any, body: int, view: tuple[float, float, float] | None) -> None:
        backend = working_backend()
        if backend is None:
            raise MissingComponentError(
                "Images and videos need an off-screen OpenGL, and none works here (tried EGL, OSMesa and GLFW). "
                "Install the software one: sudo apt-get install libosmesa6"
            )
        import mujoco

        # mujoco.Renderer takes its backend from MUJOCO_GL at mujoco's first import, long past by now
        os.environ.update(_environment(backend))
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
        self._camera = _following(model, body, view)
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


def write_video(frames: Iterable[Image], path: Path, fps: float) -> Path:
    """An mp4 (H.264, yuv420p: what browsers play) of images `(H, W, 3)`, H and W even, by imageio-ffmpeg's own binary.

    Raises:
        ValueError: there are no frames.
    """
    import imageio_ffmpeg

    writer = None
    # written under another name first, so that a file of this name is always whole
    unfinished = path.with_name(f".{path.name}.part")
    try:
        for frame in frames:
            if writer is None:
                writer = imageio_ffmpeg.write_frames(
                    str(unfinished),
                    (frame.shape[1], frame.shape[0]),
                    fps=fps,
                    codec="libx264",
                    pix_fmt_out="yuv420p",
                    output_params=["-f", "mp4", "-movflags", "+faststart"],
                )
                writer.send(None)
            writer.send(np.ascontiguousarray(frame))
        if writer is None:
            raise ValueError(f"no frames to write to {path}")
        writer.close()
        unfinished.replace(path)
    finally:
        if writer is not None:
            writer.close()
        unfinished.unlink(missing_ok=True)
    return path


def _close(camera: weakref.ref[Camera]) -> None:
    alive = camera()
    if alive is not None:
        alive.close()


def _environment(backend: str) -> dict[str, str]:
    """The environment variables a backend goes by: PyOpenGL binds to one platform a process."""
    extra = {"MUJOCO_GL": backend}
    if backend in ("egl", "osmesa"):
        extra["PYOPENGL_PLATFORM"] = backend
    return {**os.environ, **extra}


def _following(model: Any, body: int, view: tuple[float, float, float] | None) -> Any:
    """The model's own tracking camera, else one that looks at the body from where `view` says."""
    import mujoco

    camera = mujoco.MjvCamera()
    if view is None:
        camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, model.camera("track").id
    else:
        camera.type, camera.trackbodyid = mujoco.mjtCamera.mjCAMERA_TRACKING, body
        camera.distance, camera.azimuth, camera.elevation = view
    return camera
