"""ICPL beside Eureka and open loop: the same model, the same number of trainings, the first round shared.

    python benchmarks/icpl.py --root runs/icpl --llm manual:MODEL --out benchmarks/results/icpl.jsonl --markdown

Each task has three arms of five rounds of six candidates, 0.3M steps a training: `icpl`, whose judge is the task's
metric standing in for a person; `eureka`, which is told that metric; `open loop`, which asks the first prompt again
each round and is told nothing. The first prompt of all three is the same, so the first round's replies and trainings
are made once, by `icpl`, and copied. The best of each arm is trained again from scratch on three fresh seeds, and
scored on seeds that nothing was chosen by.

"No worse than Eureka" was settled before anything was run: the lower end of the 95 % interval (Welch's t) of ICPL's
winner less Eureka's, as a share of the way from acting at random to the task's expert reward (trained as long), lies
above -`MARGIN`.

With `--llm manual` it ends with code 4 as often as replies are awaited, and names the prompts; started again it goes
on. Replies that were recorded are laid where they are awaited, so that an experiment can go on elsewhere: `--record`
leaves those of an arm that is done under envs/*/recordings/<task>/, others under benchmarks/results/icpl/.
`--llm replay:` plays whole recordings. `--only-tell` runs nothing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jobs import whence
from replies import lay_replies
from scipy import stats

from reward_agent.agent import resume, synthesize
from reward_agent.codec import decode
from reward_agent.config import RunConfig
from reward_agent.errors import WaitingForPersonError
from reward_agent.history import Judgement
from reward_agent.judges.pairs import published_queries
from reward_agent.llm.recordings import write_recording
from reward_agent.program import TrainingFault
from reward_agent.result import load_result
from reward_agent.store import MANIFEST, read_steps
from reward_agent.trial import Trained

TASKS = ("mujoco/halfcheetah-run", "mujoco/hopper-forward")
ROUNDS, CANDIDATES, STEPS = 5, 6, 300_000
KEPT = Path(__file__).parent / "results" / "icpl"
MARGIN = 0.15
"""Of the way from random actions to the expert's reward."""


@dataclass(frozen=True)
class Arm:
    method: str
    without: tuple[str, ...] = ()
    recording: str = ""


ARMS = {
    "icpl": Arm("icpl", recording="icpl"),
    "eureka": Arm("eureka", recording="eureka-beside-icpl"),
    "open loop": Arm("icpl", ("feedback",), recording="icpl-open-loop"),
}


def folder_of(root: Path, task: str, arm: str) -> Path:
    return root / f"{task.rpartition('/')[2]}-{arm.replace(' ', '-')}"


def run(root: Path, task: str, arm: str, llm: str, jobs: int) -> None:
    """Go on with an arm until it is done or waits.

    Raises:
        WaitingForPersonError: replies are awaited.
    """
    folder, settings = folder_of(root, task, arm), ARMS[arm]
    if load_result(folder) is not None:
        return
    for recording in (recording_of(task, arm), replies_of(task, arm)):
        lay_replies(recording, folder)
    if arm != "icpl":
        share_first_round(folder_of(root, task, "icpl"), folder)
    if (folder / MANIFEST).exists():
        resume(folder, events=told)
        return
    if llm == "replay:":
        llm = f"replay:{task}/{settings.recording}"
    config = RunConfig(
        task=task,
        method=settings.method,
        without=settings.without,
        judge="metric" if settings.method == "icpl" else None,
        llm=llm,
        iterations=ROUNDS,
        candidates=CANDIDATES,
        budget=STEPS,
        jobs=jobs,
        tensorboard=False,
        video=False,
    )
    synthesize(config, events=told, root=root, name=folder.name)


def recording_of(task: str, arm: str) -> Path:
    """That ships with the task, of an arm that is done."""
    world, _, name = task.partition("/")
    return Path(__file__).parent.parent / "envs" / world / "recordings" / name / f"{ARMS[arm].recording}.jsonl"


def replies_of(task: str, arm: str) -> Path:
    """Those that there are of an arm that is under way."""
    return KEPT / f"{folder_of(KEPT, task, arm).name}.jsonl"


def share_first_round(source: Path, target: Path) -> None:
    """Give an arm the replies of the first round, and the trainings that are finished: their files are taken for it."""
    for reply in sorted(source.glob("iter_00/cand_*/attempt_*/reply.md")):
        copy = target / reply.relative_to(source)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(reply, copy)
    for ended in sorted(source.glob("iter_00/cand_*/eval.json")):
        for path in (path for path in ended.parent.iterdir() if path.is_file() and path.suffix != ".md"):
            copy = target / path.relative_to(source)
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)


def told(event: object) -> None:
    from reward_agent.cli.view import line

    text = line(event)  # type: ignore[arg-type]
    if text and type(event).__name__ not in ("TrainingProgress", "Asked"):
        print(text[:200], file=sys.stderr, flush=True)


def row(root: Path, task: str, arm: str) -> dict[str, Any] | None:
    """What an arm came to; None while it has not ended."""
    folder = folder_of(root, task, arm)
    result, steps = load_result(folder), read_steps(folder) if (folder / MANIFEST).exists() else {}
    if result is None:
        return None
    trained = {
        (key.iteration, key.candidate): decode(Trained | TrainingFault, value)
        for key, value in steps.items()
        if key.stage == "train"
    }
    judged = {key.iteration: decode(Judgement, value) for key, value in steps.items() if key.stage == "judgement"}
    metric = next(iter(result.metrics))

    def of_round(number: int) -> list[float]:
        ended = [each for (iteration, _), each in sorted(trained.items()) if iteration == number]
        return [float(each.outcome.metrics[metric].mean) for each in ended if isinstance(each, Trained)]

    finals = [decode(Trained | TrainingFault, v) for k, v in steps.items() if k.stage.startswith("final/")]
    experts = [decode(Trained | TrainingFault, v) for k, v in steps.items() if k.stage.startswith("expert/")]
    rounds = [of_round(number) for number in range(ROUNDS)]
    return {
        "task": task,
        "arm": arm,
        "metric": metric,
        "rounds": rounds,
        "best_so_far": [
            max((score for scores in rounds[: number + 1] for score in scores), default=-np.inf)
            for number in range(ROUNDS)
        ],
        "winner": [result.iteration, result.candidate],
        # one that failed counts as doing nothing, as everywhere
        "finals": [
            float(np.mean(each.report[metric])) if isinstance(each, Trained) else result.floors["no-op"][metric].mean
            for each in finals
        ],
        "experts": [float(np.mean(each.report[metric])) for each in experts if isinstance(each, Trained)],
        "random": result.floors["random"][metric].mean,
        "queries_published": published_queries(CANDIDATES, ROUNDS) if judged and arm == "icpl" else 0,
        "queries_made": sum(judgement.queries for judgement in judged.values()) if arm == "icpl" else 0,
        "trainings": len(trained),
        "search_steps": sum(
            each.outcome.steps if isinstance(each, Trained) else each.steps for each in trained.values()
        ),
        "model": result.model,
        "replies": result.spent.replies,
    }


def difference(icpl: Sequence[float], eureka: Sequence[float], low: float, high: float) -> tuple[float, float, float]:
    """ICPL's mean less Eureka's with its 95 % interval (Welch's t), as a share of `high - low`."""
    interval = stats.ttest_ind(icpl, eureka, equal_var=False).confidence_interval(0.95)
    scale = high - low
    return (float(np.mean(icpl) - np.mean(eureka)) / scale, interval.low / scale, interval.high / scale)


def markdown(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The table of docs/results.md, and a line a task on the margin."""
    yield (
        "| task, metric | arm | best after round 1, 2, 3, 4, 5 | winner from scratch, 3 seeds (range) "
        "| trainings, steps | queries as published / made |"
    )
    yield "| --- | --- | --- | --- | --- | --- |"
    for each in rows:
        finals = each["finals"]
        best = ", ".join(f"{score:,.0f}" for score in each["best_so_far"])
        scratch = f"{np.mean(finals):,.0f} ({min(finals):,.0f} to {max(finals):,.0f})"
        queries = f"{each['queries_published']} / {each['queries_made']}" if each["queries_made"] else "none"
        yield (
            f"| `{each['task']}`, `{each['metric']}` | {each['arm']} | {best} | {scratch} | {each['trainings']}, "
            f"{each['search_steps'] / 1e6:.1f}M | {queries} |"
        )
    yield ""
    by_task: dict[str, dict[str, dict[str, Any]]] = {}
    for each in rows:
        by_task.setdefault(each["task"], {})[each["arm"]] = each
    for task, arms in by_task.items():
        if {"icpl", "eureka"} <= arms.keys():
            icpl, eureka = arms["icpl"], arms["eureka"]
            low, high = icpl["random"], float(np.mean(icpl["experts"]))
            mean, least, most = difference(icpl["finals"], eureka["finals"], low, high)
            verdict = "no worse" if least > -MARGIN else "not shown to be no worse"
            yield (
                f"- `{task}`: ICPL less Eureka {mean:+.2f} ({least:+.2f} to {most:+.2f}) of the way from random "
                f"({low:,.0f}) to the expert reward ({high:,.0f}) at the same steps: {verdict} than Eureka by the "
                f"margin of {MARGIN}. This is of one search each; the interval is over trainings of its winner."
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("runs/icpl"), help="the folder of its runs")
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=ARMS)
    parser.add_argument("--llm", default="manual", help="who writes; `replay:` plays each arm's own recording")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, help="rows of the arms that are done, as JSON lines")
    parser.add_argument("--record", action="store_true", help="leave each arm's replies as a recording")
    parser.add_argument("--only-tell", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="the tables, in place of JSON")
    args = parser.parse_args()
    waits = False
    if not args.only_tell:
        for task in args.tasks:
            for arm in args.arms:
                try:
                    run(args.root, task, arm, args.llm, args.jobs)
                except WaitingForPersonError as error:
                    waits = True
                    print(f"{task}, {arm}: {error}", file=sys.stderr, flush=True)
    kept = [json.loads(text) for text in args.out.read_text().splitlines()] if args.out and args.out.exists() else []
    rows = {(each["task"], each["arm"]): each for each in kept}
    here = whence()
    for task in args.tasks:
        for arm in args.arms:
            found = row(args.root, task, arm)
            if found is not None and found != {k: v for k, v in rows.get((task, arm), {}).items() if k not in here}:
                rows[task, arm] = found | here
            if args.record and (folder_of(args.root, task, arm) / MANIFEST).exists():
                done, under_way = recording_of(task, arm), replies_of(task, arm)
                write_recording(folder_of(args.root, task, arm), under_way if found is None else done)
                if found is not None:
                    under_way.unlink(missing_ok=True)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text("".join(json.dumps(each) + "\n" for each in rows.values()))
    print("\n".join(markdown([*rows.values()])) if args.markdown else json.dumps([*rows.values()]))
    sys.exit(WaitingForPersonError.exit_code if waits else 0)


if __name__ == "__main__":
    main()
