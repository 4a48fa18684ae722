"""How often does the stratified bootstrap's 95 % interval of a mean hold the truth, beside Student's t?

    python benchmarks/bootstrap_coverage.py --json        the figures of docs/sweeps.md, a minute on one core

Scores are normal, or U-shaped (beta 1/2, 1/2) as successes near 0 and 1 are. Draws are as rliable's: runs within each
task.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from scipy.special import stdtrit

from reward_agent.sweep.intervals import coverage

CASES = ((2, 1), (3, 1), (4, 1), (5, 1), (10, 1), (20, 1), (2, 10), (3, 10), (5, 10))
"""Runs a task, tasks."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=3_000)
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--json", action="store_true", help="one JSON value on standard output")
    args = parser.parse_args()
    generator = np.random.default_rng(0)
    found = [
        {"runs": runs, "tasks": tasks, "shape": shape, "formula": round(coverage(runs, tasks), 3)}
        | held(generator, runs, tasks, shape, args.samples, args.draws)
        for shape in ("normal", "u-shaped")
        for runs, tasks in CASES
    ]
    lines = [" ".join(f"{name} {value}" for name, value in each.items()) for each in found]
    print(json.dumps(found, indent=2) if args.json else "\n".join(lines))


def held(
    generator: np.random.Generator, runs: int, tasks: int, shape: str, samples: int, draws: int
) -> dict[str, float]:
    """The share of samples whose interval held the mean of the distribution."""
    bootstrap = student = 0
    truth = 0.0 if shape == "normal" else 0.5
    for _ in range(samples):
        size = (runs, tasks)
        scores = generator.normal(size=size) if shape == "normal" else generator.beta(0.5, 0.5, size=size)
        drawn = scores[generator.integers(runs, size=(draws, *size)), np.arange(tasks)].mean((1, 2))
        low, high = np.percentile(drawn, [2.5, 97.5])
        bootstrap += low <= truth <= high
        units = scores.mean(1)
        half = stdtrit(runs - 1, 0.975) * units.std(ddof=1) / np.sqrt(runs)
        student += abs(units.mean() - truth) <= half
    return {"bootstrap": round(bootstrap / samples, 3), "student": round(student / samples, 3)}


if __name__ == "__main__":
    main()
