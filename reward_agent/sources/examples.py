"""Transitions that somebody was asked about, packed, each with the key of its label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reward_agent.schema import Array

Labelled = Mapping[str, Mapping[str, bool]]
"""By key: whether each subgoal was reached."""


class Examples:
    """At most `most` transitions by their exact content, `(F,)` numbers each.

    Beyond that the oldest without a label go first.
    """

    def __init__(self, most: int, names: tuple[str, ...]) -> None:
        self.most, self.names = most, names
        self._keys: dict[bytes, str] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, transition: Array, key: str) -> None:
        self._keys[content(transition)] = key

    def key(self, transition: Array) -> str:
        """Empty where it is not among them."""
        return self._keys.get(content(transition), "")

    def bound(self, labels: Labelled) -> None:
        """Drop what is too many."""
        excess = len(self._keys) - self.most
        if excess <= 0:
            return
        unlabelled = [each for each, key in self._keys.items() if key not in labels]
        labelled = [each for each, key in self._keys.items() if key in labels]
        for each in [*unlabelled, *labelled][:excess]:
            del self._keys[each]

    def known(self, labels: Labelled) -> dict[bytes, NDArray[np.bool_]]:
        """What each transition that has a label reached, `(K,)`, by its content."""
        return {
            each: np.array([labels[key][name] for name in self.names])
            for each, key in self._keys.items()
            if key in labels
        }

    def unlabelled(self, labels: Labelled) -> Array:
        """`(U, F)`."""
        return _stacked([each for each, key in self._keys.items() if key not in labels])

    def memory(self) -> dict[str, NDArray[Any]]:
        """Arrays of numbers, as checkpoints hold them."""
        keys = np.array([key.encode() for key in self._keys.values()], np.bytes_)
        return {
            "transitions": _stacked(list(self._keys)),
            "keys": keys.view(np.uint8).reshape(len(keys), keys.dtype.itemsize),
        }

    def remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """Have these and no others."""
        keys = [bytes(key).rstrip(b"\0").decode() for key in memory["keys"]]
        self._keys = {content(each): key for each, key in zip(memory["transitions"], keys, strict=True)}


def content(transition: Array) -> bytes:
    """Its numbers, bit for bit."""
    return transition.tobytes()


def stacked(known: Mapping[bytes, NDArray[np.bool_]]) -> tuple[Array, NDArray[np.bool_]]:
    """Transitions `(L, F)` and what they reached `(L, K)`."""
    return _stacked(list(known)), np.array(list(known.values()))


def _stacked(contents: list[bytes]) -> Array:
    if not contents:
        return np.zeros((0, 0))
    return np.frombuffer(b"".join(contents), np.float64).reshape(len(contents), -1).copy()
