"""Does a minute of planning tell how good a reward is? Its rank correlation with the metric after full training.

    python benchmarks/planner_ranking.py --json --out ranking.jsonl

The pools are the programs of the recorded MuJoCo sessions; their scores after full training are in
`benchmarks/results/sessions.json`, measured when those sessions were run. Each program is planned on for `--seconds` on
one core, episodes following one another (the last one may be cut short), and scored by the task's graded metric over
what was played, each episode as long as it is weighing as much. So the score also tells how far the time came, which a
loaded machine shortens: rows hold the load they began at. Within each task: Spearman's rank correlation, with a 95 %
interval by resampling programs. A line of `--out` is written as each program ends, and a run that is started again goes
on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jobs import whence
from language_to_rewards import settings_id
from scipy.stats import spearmanr

from reward_agent.envs.registry import find_task, recordings
from reward_agent.llm.recordings import read_recording
from reward_agent.optimise.choice import choose_training
from reward_agent.planning.performance import Performing
from reward_agent.planning.planner import PlannerSettings
from reward_agent.program import Program, extract
from reward_agent.sources import SourceFaultError
from reward_agent.sources.cell import CellSource

SESSIONS = Path(__file__).parent / "results" / "sessions.json"
TASKS = ("mujoco/hopper-forward", "mujoco/halfcheetah-run")
"""With pools of more than a few programs."""
LEAST = 50
"""Steps of an episode that was cut short, fewer than which are not scored."""


class Candidate(NamedTuple):
    task: str
    session: str
    at: str
    """Iteration and candidate, as `0.1`."""
    program: Program
    trained: float
    """The graded metric after full training."""


def pool(task_id: str) -> Iterator[Candidate]:
    """Programs that were trained in recorded sessions of a task, each once, with what came of them."""
    task, sessions = find_task(task_id), json.loads(SESSIONS.read_text())
    seen: set[str] = set()
    for name, session in sessions.items():
        if session["task"] != task_id:
            continue
        recording = _recording(task_id, session)
        for at, scores in session["select"].items():
            iteration, candidate = map(int, at.split("."))
            keys = [k for k in recording.replies if k[:2] == (iteration, candidate) and k.stage == "reply"]
            program = extract(recording.replies[max(keys)].text) if keys else None
            if isinstance(program, Program) and program.id not in seen:
                seen.add(program.id)
                yield Candidate(task_id, name, at, program, float(scores[task.graded.name]))


def _recording(task_id: str, session: dict[str, Any]) -> Any:
    """The one whose replies the session was run with: of its method, with as many."""
    found = []
    for path in recordings(task_id).values():
        recording = read_recording(path)
        replies = [key for key in recording.replies if key.stage == "reply"]
        shape = 1 + max(key.candidate for key in replies), len(replies)
        if path.stem.startswith(session["method"]) and shape == (session["candidates"], session["replies"]):
            found.append(recording)
    assert found, f"no recording of {session}"
    return found[0]


def planned(candidate: Candidate, seconds: float, seed: int, preset: str | None) -> dict[str, Any]:
    """Episodes planned on the program until the time is up, and the mean of the graded metric over them."""
    task, settings = find_task(candidate.task), settings_of(candidate.task, preset)
    source = CellSource(candidate.program, task)
    began, scores, steps = time.monotonic(), [], 0
    try:
        with Performing(task, source, settings, seed, fields=task.graded.fields) as performing:
            while time.monotonic() - began < seconds:
                performing.begin(seed + len(scores))
                played = performing.go_on(task.horizon, stop=lambda: time.monotonic() - began >= seconds)
                steps += len(played.actions)
                if len(played.actions) >= min(LEAST, task.horizon) or performing.ended:
                    scores.append((len(played.actions), float(task.graded.score(performing.episode(played)))))
    except SourceFaultError as fault:
        return {"fault": str(fault), "episodes": len(scores)}
    finally:
        source.close()
    weights = np.array([count for count, _ in scores], float)
    values = np.array([value for _, value in scores])
    return {"planned": float((weights * values).sum() / weights.sum()), "episodes": len(scores), "steps": steps}


def settings_of(task_id: str, preset: str | None) -> PlannerSettings:
    settings = choose_training(find_task(task_id), "mpc", preset).settings
    assert isinstance(settings, PlannerSettings)
    return replace(settings, threads=1)


def correlation(planned_scores: list[float], trained: list[float], seed: int = 0) -> dict[str, Any]:
    """Spearman's, with a 95 % interval by the bootstrap over programs."""
    x, y = np.array(planned_scores), np.array(trained)
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(2000):
        rows = generator.integers(len(x), size=len(x))
        if len(set(x[rows])) > 1 and len(set(y[rows])) > 1:
            drawn.append(float(spearmanr(x[rows], y[rows]).statistic))
    low, high = np.percentile(drawn, [2.5, 97.5])
    best, top = int(np.argmax(x)), sorted(y, reverse=True)
    return {
        "programs": len(x),
        "spearman": float(spearmanr(x, y).statistic),
        "low": float(low),
        "high": float(high),
        "rank_after_training_of_the_planner's_best": 1 + top.index(y[best]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON (it always is)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of planning on each program (60)")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--out", type=Path, default=Path("planner_ranking.jsonl"))
    parser.add_argument("--preset", help="of the planner (the tasks' own)")
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.out.read_text().splitlines()] if args.out.exists() else []
    how = {task_id: settings_id(settings_of(task_id, args.preset)) for task_id in args.tasks}
    rows = [row for row in rows if row["planner"] == how.get(row["task"]) and row["seconds"] == args.seconds]
    done = {(row["task"], row["program"]) for row in rows}
    begun = whence()
    for task_id in args.tasks:
        for candidate in pool(task_id):
            if (task_id, candidate.program.id) in done:
                continue
            row = {
                "task": task_id,
                "session": candidate.session,
                "at": candidate.at,
                "program": candidate.program.id,
                "planner": how[task_id],
                "seconds": args.seconds,
                "load_before": round(os.getloadavg()[0], 1),
            }
            row |= {"trained": candidate.trained, **planned(candidate, args.seconds, 0, args.preset)}
            row |= begun
            rows.append(row)
            with args.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
    found: dict[str, Any] = {"seconds": args.seconds, "preset": args.preset}
    for task_id in args.tasks:
        own = [row for row in rows if row["task"] == task_id and "planned" in row]
        found[task_id] = correlation([row["planned"] for row in own], [row["trained"] for row in own])
        found[task_id]["faults"] = sum(row["task"] == task_id and "fault" in row for row in rows)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
