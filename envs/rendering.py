"""What worlds that draw share: an off-screen OpenGL, found by trying, and clips of images."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
                env=environment(backend),
            )
        except subprocess.TimeoutExpired:
            continue
        if tried.returncode == 0:
            return backend
    return None


def environment(backend: str) -> dict[str, str]:
    """The environment variables a backend goes by: PyOpenGL binds to one platform a process."""
    extra = {"MUJOCO_GL": backend}
    if backend in ("egl", "osmesa"):
        extra["PYOPENGL_PLATFORM"] = backend
    return {**os.environ, **extra}


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
