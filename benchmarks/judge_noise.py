"""What mistakes of a judge cost: ICPL's selection, simulated on pools of programs whose scores are known.

    python benchmarks/judge_noise.py --json --out judge_noise.jsonl

A pool holds the programs of recorded sessions of one task with what each came to when it was trained (MuJoCo:
`planner_ranking.pool`) or planned on (Language to Rewards' rows). A search draws five rounds of six from it, each
without replacement, and the judge under study (the shipped one, `--judge metric:...`) compares each round and the best
of the rounds before, as a run does; no model is asked and nothing is trained. So this tells what a judge loses of what
was drawn, and nothing of what the next prompt would have made of a wrong best or worst.

`reached` is the score of the last champion, 0 for the pool's worst program and 1 for its best; beside it what a coin
in place of the judge and one who never errs reach on the same draws. A line of `--out` is written for each task and
judge. Judges who need policies (`segment`, `by=regret`, `myopia`) are left out: pools have none.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jobs import whence
from planner_ranking import pool

from reward_agent.envs.registry import find_task
from reward_agent.history import Interval, Judgement, Outcome
from reward_agent.judges import Entrant, Judge, Question, find_judge
from reward_agent.messages import Message, Reply
from reward_agent.program import Program
from reward_agent.scoring import confidence_interval
from reward_agent.task import Task

RESULTS = Path(__file__).parent / "results"
PLANNED = RESULTS / "language_to_rewards.jsonl"
TASKS = ("mujoco/hopper-forward", "mujoco/halfcheetah-run", "quadruped/spin-with-lifted-paws")
"""Those whose pools hold a dozen programs that differ."""
CANDIDATES, ROUNDS = 6, 5
ORACLE, COIN = "metric", "a coin"
JUDGES: Mapping[str, str] = {
    ORACLE: "never errs",
    "metric:mistakes=0.1": "10 % mistakes",
    "metric:mistakes=0.2": "20 % mistakes",
    "metric:mistakes=0.3": "30 % mistakes",
    "metric:mistakes=0.4": "40 % mistakes",
    "metric:mistakes=0.2,raters=3": "three raters, 20 % mistakes each",
    "metric:mistakes=0.4,raters=3": "three raters, 40 % mistakes each",
    "metric:temperature=0.1": "likely preferences, temperature 0.1",
    "metric:temperature=0.3": "likely preferences, temperature 0.3",
    "metric:ties=0.1": "ties within 10 % of the range",
    "metric:ties=0.3": "ties within 30 % of the range",
    "metric:skips=0.1": "10 % of pairs left out",
    "metric:skips=0.3": "30 % of pairs left out",
    "metric:poor=0.5": "pairs left out where both are in the lower half",
    COIN: "a coin",
}
"""In the order of the table, with what it calls them."""


class Pool(NamedTuple):
    task: Task
    metric: str
    """Which decides."""
    programs: tuple[Program, ...]
    scores: tuple[float, ...]

    def share(self, index: int) -> float:
        """The score of a program, 0 for the worst and 1 for the best of the pool."""
        low, high = min(self.scores), max(self.scores)
        return (self.scores[index] - low) / (high - low)


def pool_of(task_id: str) -> Pool:
    """Programs of a task, each once, with their graded score."""
    task = find_task(task_id)
    if task_id.startswith("mujoco/"):
        trained = list(pool(task_id))
        return Pool(task, task.graded.name, tuple(c.program for c in trained), tuple(c.trained for c in trained))
    found: dict[str, float] = {}
    for row in map(json.loads, PLANNED.read_text().splitlines()):
        if row["task"] == task_id and row["program"] and task.graded.name in row:
            found.setdefault(row["program"], float(np.mean(row[task.graded.name])))
    return Pool(task, task.graded.name, tuple(Program(name) for name in found), tuple(found.values()))


class NoDesk:
    """Nobody to ask: a metric needs none."""

    person = None
    resume = ""

    def ask(self, name: str, messages: Sequence[Message]) -> Reply:
        raise AssertionError("a metric asks no model")

    def tell(self, text: str) -> None:
        """Nobody hears it."""


@dataclass(frozen=True)
class Search:
    """What one simulated search came to."""

    reached: float
    best_right: tuple[bool, ...]
    """By round."""
    worst_right: tuple[bool, ...]
    queries: int


def search(pool: Pool, judge: Judge | None, seed: int) -> Search:
    """Draw the rounds of this seed and let a judge compare; a coin throws for best, worst and champion without one."""
    draws = np.random.default_rng([seed, 0])
    coin = np.random.default_rng([seed, 1])
    drawn: dict[tuple[int, int], int] = {}
    champion: tuple[int, int] | None = None
    best_right, worst_right, queries = [], [], 0
    for number in range(ROUNDS):
        for index, program in enumerate(draws.permutation(len(pool.scores))[:CANDIDATES]):
            drawn[number, index] = int(program)
        if judge is None:
            best, worst = (int(index) for index in coin.permutation(CANDIDATES)[:2])
            said = Judgement(COIN, best, worst, None if champion is None else bool(coin.random() < 0.5), 0)
        else:
            said = judge.compare(_question(pool, number, drawn, champion, seed), NoDesk())
        scores = [pool.scores[drawn[number, index]] for index in range(CANDIDATES)]
        # who names none, as where all are tied, is not right
        best_right.append(said.best is not None and scores[said.best] == max(scores))
        worst_right.append(said.worst is not None and scores[said.worst] == min(scores))
        queries += said.queries
        if said.best is not None and said.beats_champion is not False:
            champion = number, said.best
        elif champion is None:
            champion = number, 0  # as a run goes on from the first, where none was preferred yet
    assert champion is not None, "there is a round"
    return Search(pool.share(drawn[champion]), tuple(best_right), tuple(worst_right), queries)


def _question(
    pool: Pool, number: int, drawn: Mapping[tuple[int, int], int], champion: tuple[int, int] | None, seed: int
) -> Question:
    def entrant(at: tuple[int, int]) -> Entrant:
        score = pool.scores[drawn[at]]
        outcome = Outcome({pool.metric: Interval.alone(score)}, {}, (), (), (), 0, 0.0)
        return Entrant(at, pool.programs[drawn[at]], outcome, {pool.metric: (score,)}, Path(), None)

    entrants = tuple(entrant((number, index)) for index in range(CANDIDATES))
    return Question(pool.task, number, entrants, None if champion is None else entrant(champion), Path(), seed)


def spec_of(judge: str, metric: str) -> str:
    """The judge as a run names it, by the pool's metric."""
    return f"metric:{metric}" if judge == ORACLE else judge.replace("metric:", f"metric:{metric},")


def study(task_id: str, repetitions: int) -> list[dict[str, Any]]:
    """A row for each judge."""
    own, rows = pool_of(task_id), []
    for name in JUDGES:
        judge = None if name == COIN else find_judge(spec_of(name, own.metric))
        found = [search(own, judge, seed) for seed in range(repetitions)]
        reached = confidence_interval([each.reached for each in found])
        rows.append(
            {
                "task": task_id,
                "judge": name,
                "metric": own.metric,
                "programs": len(own.scores),
                "rounds": ROUNDS,
                "candidates": CANDIDATES,
                "repetitions": repetitions,
                "reached": [round(part, 4) for part in reached],
                "best_right": round(float(np.mean([each.best_right for each in found])), 4),
                "worst_right": round(float(np.mean([each.worst_right for each in found])), 4),
                "queries": round(float(np.mean([each.queries for each in found])), 1),
            }
        )
    return rows


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table of `docs/results.md`."""
    by_judge = {(row["task"], row["judge"]): row for row in rows}
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    heads = [f"`{task}` ({by_judge[task, ORACLE]['programs']} programs)" for task in tasks]
    lines = [f"| judge | comparisons | {' | '.join(heads)} |", f"| --- | --- |{' --- |' * len(tasks)}"]
    for judge, label in JUDGES.items():
        own = [by_judge[task, judge] for task in tasks]
        cells = [f"{_interval(row['reached'])}; {row['best_right']:.2f}, {row['worst_right']:.2f}" for row in own]
        lines.append(f"| {label} | {own[0]['queries']:.0f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _interval(reached: Sequence[float]) -> str:
    mean, low, high = reached
    return f"**{mean:.2f}** ({low:.2f} to {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON lines (unless --markdown)")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/results.md instead")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--repetitions", type=int, default=1000, help="searches of each task and judge (1000)")
    parser.add_argument("--out", type=Path, default=Path("judge_noise.jsonl"), help="of the rows, written anew")
    args = parser.parse_args()
    begun = whence()
    rows = [row | begun for task in args.tasks for row in study(task, args.repetitions)]
    args.out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(markdown(rows) if args.markdown else args.out.read_text(), end="\n" if args.markdown else "")


if __name__ == "__main__":
    main()
