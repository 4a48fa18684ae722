"""A map of NetHack as an image, drawn as a terminal would."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.minihack.game import Seen

_CELL = (16, 9)
"""Height and width of a character, in pixels."""
_MARGIN = 2
"""Squares around what is drawn of the map."""
_LETTERS, _GROUND = 210, 16


def draw(seen: Seen) -> NDArray[np.uint8]:
    """The screen, message first, `(384, 720, 3)`: the whole map, so that every frame of an episode is as large."""
    lines = [np.frombuffer(seen.message[:80].ljust(80).encode("latin-1", "replace"), np.uint8)]
    lines += [np.pad(line, (0, 1), constant_values=ord(" ")) for line in seen.characters]
    lines += [np.full(80, ord(" "), np.uint8)] * _MARGIN
    image = np.concatenate([np.concatenate([_character(int(letter)) for letter in line], 1) for line in lines])
    return np.repeat(image[..., None], 3, axis=2)


@cache
def _character(letter: int) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", _CELL[::-1], _GROUND)
    ImageDraw.Draw(image).text((1, 0), chr(letter), fill=_LETTERS, font=ImageFont.load_default(13))
    return np.asarray(image, np.uint8)
