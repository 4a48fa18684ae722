"""A learner that learns nothing: plays by numbers of its own over the bridge, and gives back all that it saw.

python tests/preference_client.py BENCHMARKS STEPS READS WRITES
"""

from __future__ import annotations

import sys

import numpy as np


def drawn_actions(steps: int, rows: int, size: int, scale: float) -> np.ndarray:
    """`(T, N, A)`; some beyond the bounds, which the task clips."""
    return np.random.default_rng(7).normal(0, scale, (steps, rows, size)).astype(np.float32)


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    from preference_wire import Channel

    steps, channel = int(sys.argv[2]), Channel(int(sys.argv[3]), int(sys.argv[4]))
    name, facts, bounds = channel.receive()
    assert name == "task"
    actions = drawn_actions(steps, facts["rows"], len(bounds["high"]), float(bounds["high"][0]))
    channel.send("reset")
    seen: dict[str, list[np.ndarray]] = {"first": [channel.receive().arrays["observations"]]}
    for action in actions:
        channel.send("step", actions=action)
        for key, array in channel.receive().arrays.items():
            seen.setdefault(key, []).append(array)
    told = {key: np.concatenate(arrays) for key, arrays in seen.items()}
    channel.send("learned", {"told": facts["told"]}, **told, low=bounds["low"], high=bounds["high"])


if __name__ == "__main__":
    main()
