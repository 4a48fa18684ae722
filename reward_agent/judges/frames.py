"""Clips as pictures that a model can look at: a sheet of frames in the order of time, each with its time under it."""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reward_agent.messages import Image

COLUMNS = 4
TILE = 320
"""Widest that a frame is shown, in pixels: models scale larger sheets down themselves."""
_MARGIN, _CAPTION, _HEADER = 4, 20, 26
_PAPER, _INK = (255, 255, 255), (0, 0, 0)


class Frame(NamedTuple):
    seconds: float
    """Since the clip's first frame."""
    image: NDArray[np.uint8]
    """`(H, W, 3)`."""


class Film(NamedTuple):
    """What is shown of a clip."""

    frames: tuple[Frame, ...]
    seconds: float
    """From the clip's first frame to its last."""


def read_film(path: Path, most: int) -> Film | None:
    """The first and the last frame of a clip and those evenly between, at most so many; None where it is no clip."""
    import imageio_ffmpeg

    try:
        count = imageio_ffmpeg.count_frames_and_secs(str(path))[0]
        reader = imageio_ffmpeg.read_frames(str(path))
        about = next(reader)
        chosen = {int(index) for index in np.linspace(0, count - 1, min(most, count)).round()}
        width, height = about["size"]
        frames = tuple(
            Frame(index / about["fps"], np.frombuffer(data, np.uint8).reshape(height, width, 3))
            for index, data in enumerate(islice(reader, count))
            if index in chosen
        )
        reader.close()
    except (OSError, RuntimeError):
        # not there, empty or damaged: what ffmpeg has to say of it helps nobody
        return None
    return Film(frames, frames[-1].seconds) if frames else None


def sheet(film: Film, label: str) -> Image:
    """A film as one JPEG under a label."""
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    height, width = film.frames[0].image.shape[:2]
    scale = min(1.0, TILE / width)
    size = (round(width * scale), round(height * scale))
    columns = min(COLUMNS, len(film.frames))
    rows = -(-len(film.frames) // columns)
    across, down = size[0] + _MARGIN, size[1] + _CAPTION
    paper = Pictures.new("RGB", (columns * across + _MARGIN, rows * down + _HEADER), _PAPER)
    draw = ImageDraw.Draw(paper)
    draw.text((_MARGIN, 4), label, _INK, _font(ImageFont, 16))
    for number, frame in enumerate(film.frames):
        left, top = _MARGIN + number % columns * across, _HEADER + number // columns * down
        paper.paste(Pictures.fromarray(frame.image).resize(size), (left, top))
        draw.text((left, top + size[1] + 2), f"{frame.seconds:.2f} s", _INK, _font(ImageFont, 13))
    file = io.BytesIO()
    paper.save(file, "JPEG", quality=90)
    return Image(file.getvalue(), "image/jpeg")


def _font(fonts: Any, size: int) -> Any:
    """Pillow's own, so that a sheet is the same on every machine."""
    return fonts.load_default(size)
