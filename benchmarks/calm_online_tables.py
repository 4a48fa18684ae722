"""What trainings of `calm_online.py` came to: steps to a level of success, how many times sooner than sparse."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

JUDGED = 120
"""Transitions that the model judged whose judgements the arm `distilled` has."""
SPARSE, CODE, HAND, DISTILLED = "sparse", "code", "hand", "distilled"
ARMS = {
    SPARSE: "the goal alone",
    CODE: "the goal, and subgoals as a program of a model tells them",
    DISTILLED: f"the goal, and subgoals distilled from {JUDGED} judgements of a model",
    HAND: "the goal, and subgoals as a program by hand tells them",
    "dense": "the dense reward by hand",
    "novelty": "the goal, and counts of states",
    "rnd": "the goal, and random-network distillation",
}
LEVELS = (0.5, 0.9)
"""Of success."""
DRAWN, LIKELIEST = "drawn", "likeliest"
HOW = {DRAWN: "actions drawn, as while it learns", LIKELIEST: "the likeliest actions"}
"""How a policy that is measured plays."""
IN_A_ROW = 3


def reached(curve: Sequence[Sequence[float]], level: float) -> int | None:
    """Steps at the first of `IN_A_ROW` measurements at or above a level; None where there are none."""
    for first in range(len(curve) - IN_A_ROW + 1):
        if all(success >= level for _, success in curve[first : first + IN_A_ROW]):
            return int(curve[first][0])
    return None


def table(rows: Iterable[Mapping[str, Any]], how: str) -> list[dict[str, Any]]:
    """By task and arm: steps to each level with their range over seeds, and how many times sooner than sparse."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["job"]["task"], row["job"]["arm"]), []).append(row)
    order = list(ARMS)
    entries = []
    for (task, arm), own in sorted(found.items(), key=lambda item: (item[0][0], order.index(item[0][1]))):
        cap = own[0]["job"]["steps"]
        trained = [row for row in own if row[how]]
        entry: dict[str, Any] = {
            "task": task,
            "arm": arm,
            "measured": how,
            "trainings": len(own),
            "failed": len(own) - len(trained),
        }
        entry |= {"cap": cap, "coverage": 1 - 0.5 ** (len(own) - 1)}
        entry["success_in_the_end"] = [row[how][-1][1] if row[how] else 0.0 for row in own]
        entry["steps_per_second"] = (
            round(statistics.median(row["steps"] / row["seconds"] for row in trained)) if trained else None
        )
        for level in LEVELS:
            steps = steps_to(own, level, how)
            entry[f"to_{level}"] = {"seeds": [_finite(each) for each in steps], **_spread(steps)}
            if arm != SPARSE and (task, SPARSE) in found:
                entry[f"sooner_{level}"] = sooner(steps_to(found[task, SPARSE], level, how), steps, cap)
        entries.append(entry)
    return entries


def steps_to(rows: Iterable[Mapping[str, Any]], level: float, how: str) -> list[float]:
    """Of each training; infinite where it never came there."""
    found = (reached(row[how], level) for row in rows)
    return sorted(math.inf if steps is None else steps for steps in found)


def sooner(sparse: Sequence[float], own: Sequence[float], cap: int) -> dict[str, Any]:
    """How many times fewer steps than sparse: of medians, with the ends that the seeds allow.

    Where a median is beyond the cap it counts as the cap: the ratio is then `at least` or `at most` that.
    """
    theirs, ours = statistics.median_high(sparse), statistics.median_high(own)
    if math.isinf(theirs) and math.isinf(ours):
        return {"ratio": None, "bound": "", "low": None, "high": None}
    bound = "at least" if math.isinf(theirs) else "at most" if math.isinf(ours) else ""
    low = 0.0 if math.isinf(max(own)) else min(min(sparse), cap) / max(own)
    high = max(sparse) / min(min(own), cap)
    return {"ratio": min(theirs, cap) / min(ours, cap), "bound": bound, "low": low, "high": _finite(high)}


def _spread(steps: Sequence[float]) -> dict[str, Any]:
    # the high median, so that with two seeds half of which never came there it is none
    spread = {"median": statistics.median_high(steps), "low": min(steps), "high": max(steps)}
    return {name: _finite(value) for name, value in spread.items()}


def _finite(value: float) -> float | None:
    return None if math.isinf(value) else value


def markdown(entries: Iterable[Mapping[str, Any]]) -> str:
    """A table of `docs/results.md`."""
    titles = ["task", "reward", "trainings"]
    titles += [f"steps to {level:.0%}" for level in LEVELS] + [f"sooner than sparse, {level:.0%}" for level in LEVELS]
    titles += ["success in the end"]
    lines = [f"| {' | '.join(titles)} |", "|" + " --- |" * len(titles)]
    for entry in entries:
        failed = f", {entry['failed']} failed" if entry["failed"] else ""
        cells = [f"`{entry['task']}`", ARMS[entry["arm"]], f"{entry['trainings']}{failed}"]
        cells += [_steps(entry[f"to_{level}"], entry["cap"]) for level in LEVELS]
        cells += [_times(entry.get(f"sooner_{level}")) for level in LEVELS]
        cells += [" ".join(f"{each:.2f}" for each in entry["success_in_the_end"])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _steps(spread: Mapping[str, Any], cap: int) -> str:
    def told(value: float | None) -> str:
        return f"> {cap:,}" if value is None else f"{value:,.0f}"

    return f"{told(spread['median'])} [{told(spread['low'])}, {told(spread['high'])}]"


def _times(ratio: Mapping[str, Any] | None) -> str:
    if ratio is None:
        return "–"
    if ratio["ratio"] is None:
        return "neither came there"
    high = "∞" if ratio["high"] is None else f"{ratio['high']:.1f}"
    return f"{ratio['bound']} {ratio['ratio']:.1f} [{ratio['low']:.1f}, {high}]".strip()


def pages(rows: Sequence[Mapping[str, Any]]) -> str:
    """Both tables of `docs/results.md`, with what they are."""
    return "\n\n".join(f"Measured with {told}:\n\n{markdown(table(rows, how))}" for how, told in HOW.items())
