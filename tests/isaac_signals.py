"""A process with a worker, for tests that end it from outside: prints the worker's process id, then steps."""

from __future__ import annotations

import sys

import numpy as np
from isaac_cartpole import standin


def main(kind: str, trouble: str) -> None:
    world = standin(kind, trouble=trouble)
    batch = world.make(2, world.schema())
    batch.reset(np.ones(2, bool), np.arange(2))
    print(batch.worker, flush=True)
    while True:
        batch.step(np.zeros((2, 1)))


if __name__ == "__main__":
    main(*sys.argv[1:])
