"""What each shipped task's expert reward reaches, by the task's own metrics, beside no-op and random actions.

    python benchmarks/expert_scores.py --json [--seeds 3] [--tasks mujoco/ant-lie-down ...]

Each training has the task's own budget and one core. The score is on 50 fresh episodes a training, with its 95 %
interval over trainings (over episodes where there is one training). Results are kept in
`benchmarks/results/expert_scores.jsonl`; what is there is not run again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from jobs import add_arguments, run_jobs

from reward_agent import evaluate, find_task, tasks

KEPT = Path(__file__).parent / "results" / "expert_scores.jsonl"


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    task = find_task(job["task"])
    assert task.expert is not None
    shown = evaluate(task.expert, task.id, seeds=job["seeds"], jobs=1)
    rows = {"expert": shown.metrics, **shown.floors}
    return {
        "budget": shown.budget,
        **{
            who: {name: [round(x, 3) for x in (s.mean, s.low, s.high)] for name, s in scores.items()}
            for who, scores in rows.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shipped = [name for name in tasks() if find_task(name).expert]
    add_arguments(parser)
    parser.add_argument("--tasks", nargs="+", default=shipped, choices=shipped, metavar="TASK")
    args = parser.parse_args()
    if args.job:
        print(json.dumps(run_job(args.job)))
        return
    jobs = [{"task": task, "seeds": args.seeds} for task in args.tasks]
    results = run_jobs(Path(__file__), jobs, KEPT, cores=args.cores)
    table = {result["job"]["task"]: {k: v for k, v in result.items() if k != "job"} for result in results}
    print(json.dumps(table, indent=None if args.json else 2))


if __name__ == "__main__":
    main()
