"""What the glyphs of a NetHack map stand for, as a few kinds of squares."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

KINDS: Final = (
    "unknown",
    "floor",
    "wall",
    "closed_door",
    "open_door",
    "stairs_down",
    "stairs_up",
    "key",
    "boulder",
    "water",
    "lava",
    "monster",
    "thing",
)
"""A square's, in this order: what was never seen, what can be walked on, what is in the way, and what lies or stands
there."""
NUMBER: Final = {name: number for number, name in enumerate(KINDS)}

_MAP: Final = {
    "floor": (12, 19, 20, 21, 22, 27, 28, 29, 30, 31, 33, 35, 36, 37, 38),
    "wall": (*range(1, 12), 17, 18),
    "open_door": (13, 14),
    "closed_door": (15, 16),
    "stairs_up": (23, 25),
    "stairs_down": (24, 26),
    "water": (32, 41),
    "lava": (34,),
}
"""Kinds by NetHack's numbers of what a level is built of (`defsym.h`): doorways and broken doors are floor."""
_KEY, _BOULDER = "skeleton key", "boulder"


@cache
def kinds() -> NDArray[np.int8]:
    """Number of the kind (see `KINDS`) by glyph."""
    from nle import nethack

    table = np.full(nethack.MAX_GLYPH + 1, NUMBER["unknown"], np.int8)
    for glyph in range(nethack.MAX_GLYPH):
        if nethack.glyph_is_monster(glyph):
            table[glyph] = NUMBER["monster"]
        elif nethack.glyph_is_object(glyph):
            name = nethack.objdescr.from_idx(nethack.glyph_to_obj(glyph)).oc_name
            table[glyph] = NUMBER["key" if name == _KEY else "boulder" if name == _BOULDER else "thing"]
    for kind, numbers in _MAP.items():
        table[[nethack.GLYPH_CMAP_OFF + number for number in numbers]] = NUMBER[kind]
    return table
