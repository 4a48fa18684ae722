"""Who judges transitions of a key room how rightly: models that read the screen, and programs that tell subgoals.

    python benchmarks/calm_offline.py --make                 # plays the dataset again, and trains for 100k steps
    python benchmarks/calm_offline.py --program FILE.py --json
    python benchmarks/calm_offline.py --llm manual:claude --batch 25 --record --markdown

Truth is the game's own state (`envs/minihack/labels.py`): no person labelled anything; `--annotations` takes labels of
other origin. A program is scored on every labelled transition of the dataset and on a balanced choice of them (as many
that reached a subgoal as reached none); a model on a balanced sample, the same for each view and each set of subgoals.
What is distilled from those judgements (`--distil`) is scored on all the other transitions.
A fault, which is what cannot be understood of a reply, is counted and in no score. Intervals are of a bootstrap over
trajectories.

Subgoals are the paper's own (`preset`), or those in a file: lines of `name: what is then so`, or a program that tells
them, as a run of `--method calm` finds. Where a found one goes by another name than the truth's, `--same FOUND=PRESET`
has it scored as that one; "any subgoal" counts all that were found, in so far harder than the preset ones'.

With `--llm manual` it ends with code 4 as often as replies are awaited, and names the prompts; started again it goes
on. Replies recorded under benchmarks/results/calm/ are laid where they are awaited.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from calm_replies import KEPT, Recorder, keep_replies, replies_of
from jobs import whence
from replies import lay_replies

from reward_agent.checked import changed, read
from reward_agent.crediting import Reached
from reward_agent.crediting.cache import Judgements
from reward_agent.crediting.distilling import learnt_from
from reward_agent.crediting.programs import said_by, subgoals_of, told_by
from reward_agent.crediting.scores import Judged, Score, Scores, score
from reward_agent.crediting.screens import ScreenReader
from reward_agent.crediting.trajectories import Place, Trajectory, balanced, lay_over, read_trajectories
from reward_agent.crediting.view import View
from reward_agent.envs.registry import find_task
from reward_agent.errors import RewardAgentError, UsageError, WaitingForPersonError
from reward_agent.llm import LLM, Options, connect
from reward_agent.program import Fault, Program, read_program
from reward_agent.sources.distilled import How
from reward_agent.subgoals import Subgoal, read_subgoals
from reward_agent.task import Task

DATA = KEPT / "keyroom-s5.jsonl.gz"
FIGURES = ("accuracy", "precision", "recall", "f1")


def program_from(path: Path) -> Program:
    found = read_program(path)
    if isinstance(found, Fault):
        raise UsageError(f"{path} holds no program: {found.message}")
    return found


def subgoals_from(name: str, task: Task) -> tuple[Subgoal, ...]:
    """`preset`, or those of a file."""
    if name == "preset":
        return task.subgoals
    path = Path(name)
    return subgoals_of(program_from(path), task) if path.suffix in (".py", ".md") else read_subgoals(path)


def as_named(said: Reached | Fault, same: Mapping[str, str]) -> Reached | Fault:
    return said if isinstance(said, Fault) else {same.get(name, name): value for name, value in said.items()}


def labelled(trajectories: Sequence[Trajectory]) -> list[Place]:
    return [
        Place(number, step)
        for number, each in enumerate(trajectories)
        for step, said in enumerate(each.reached)
        if said is not None
    ]


def judged(
    trajectories: Sequence[Trajectory],
    places: Sequence[Place],
    said: Sequence[Reached | Fault],
    same: Mapping[str, str],
) -> Iterator[Judged]:
    for place, each in zip(places, said, strict=True):
        truth = trajectories[place.trajectory].reached[place.step]
        assert truth is not None
        yield Judged(trajectories[place.trajectory].id, truth, as_named(each, same))


def of_program(path: Path, trajectories: Sequence[Trajectory], same: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Rows of a program: on all that is labelled, and balanced."""
    told = told_by(program_from(path), find_task(trajectories[0].task), trajectories)
    for name, places in (("all", labelled(trajectories)), ("balanced", balanced(trajectories))):
        said = [told[place.trajectory][place.step] for place in places]
        scores = score(list(judged(trajectories, places, said, same)))
        yield {"judge": path.name, "kind": "program", "subgoals": path.name, "on": name, **figures(scores)}


def read_sample(
    llm: LLM,
    subgoals: Sequence[Subgoal],
    view: View,
    trajectories: Sequence[Trajectory],
    judgements: Judgements,
    *,
    sample: int,
    batch: int,
    seed: int = 0,
) -> dict[Place, Reached | Fault]:
    """What a model says of a balanced sample, episode by episode where `batch` is 0.

    Raises:
        WaitingForPersonError: replies are awaited.
    """
    places = balanced(trajectories, seed, sample)
    reader = ScreenReader(
        llm,
        find_task(trajectories[0].task),
        subgoals,
        view,
        batch=batch or 1,
        whole=not batch,
        judgements=judgements,
    )
    if not batch:
        said = read_whole(reader, trajectories, places)
    else:
        said = reader.read([trajectories[place.trajectory].glimpse(place.step) for place in places])
    return dict(zip(places, said, strict=True))


def of_model(
    llm: LLM,
    subgoals: str,
    view: View,
    trajectories: Sequence[Trajectory],
    args: argparse.Namespace,
    judgements: Judgements,
    same: Mapping[str, str],
) -> dict[str, Any]:
    """Row of a model with one view and one set of subgoals.

    Raises:
        WaitingForPersonError: replies are awaited.
    """
    task, batch = find_task(trajectories[0].task), 0 if args.whole else args.batch
    wanted = subgoals_from(subgoals, task)
    said = read_sample(llm, wanted, view, trajectories, judgements, sample=args.sample, batch=batch, seed=args.seed)
    scores = score(list(judged(trajectories, list(said), list(said.values()), same)))
    return {
        "judge": llm.name,
        "kind": "model",
        "subgoals": subgoals if subgoals == "preset" else Path(subgoals).name,
        "on": f"sample of {len(said)}",
        "batch": batch,
        "view": asdict(view),
        **figures(scores),
    }


def of_distilled(
    how: str,
    llm: LLM,
    view: View,
    trajectories: Sequence[Trajectory],
    args: argparse.Namespace,
    judgements: Judgements,
) -> dict[str, Any]:
    """Row of what is distilled from a model's judgements of the sample: of all that is labelled but that sample.

    Raises:
        WaitingForPersonError: replies are awaited.
    """
    task = find_task(trajectories[0].task)
    said = read_sample(
        llm, task.subgoals, view, trajectories, judgements, sample=args.sample, batch=args.batch, seed=args.seed
    )
    taught = {place: each for place, each in said.items() if not isinstance(each, Fault)}
    told = said_by(learnt_from(trajectories, taught, task, distilling={"how": how}), task, trajectories)
    places = [place for place in labelled(trajectories) if place not in said]
    scores = score(list(judged(trajectories, places, [told[place.trajectory][place.step] for place in places], {})))
    return {
        "judge": f"{llm.name}, distilled ({how})",
        "kind": "distilled",
        "subgoals": "preset",
        "on": f"all but the {len(said)} judged",
        "batch": args.batch,
        "view": asdict(view),
        **figures(scores),
    }


def read_whole(
    reader: ScreenReader, trajectories: Sequence[Trajectory], places: Sequence[Place]
) -> list[Reached | Fault]:
    """All episodes are asked for before any is waited for."""
    told: dict[int, list[Reached | Fault]] = {}
    waiting: list[WaitingForPersonError] = []
    for number in dict.fromkeys(place.trajectory for place in places):
        try:
            told[number] = reader.read(trajectories[number].glimpses)
        except WaitingForPersonError as error:
            waiting.append(error)
    if waiting:
        raise WaitingForPersonError("\n".join(map(str, waiting)))
    return [told[place.trajectory][place.step] for place in places]


def figures(scores: Scores) -> dict[str, Any]:
    def of(each: Score) -> dict[str, Any]:
        counts = {"tp": each.true_positives, "fp": each.false_positives}
        counts |= {"fn": each.false_negatives, "tn": each.true_negatives}
        return counts | {name: getattr(each, name).in_data() for name in FIGURES}

    return {
        "judged": scores.judged,
        "faults": scores.faults,
        "trajectories": scores.trajectories,
        "any": of(scores.any),
        "by_subgoal": {name: of(each) for name, each in scores.by_subgoal.items()},
    }


def key_of(row: Mapping[str, Any]) -> str:
    """What a row is a measurement of."""
    return json.dumps([row.get(name) for name in ("judge", "subgoals", "on", "batch", "view")])


def markdown(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    heads = ("judge", "shown", "subgoals", "transitions (trajectories)", "faults", "subgoal", *FIGURES)
    yield f"| {' | '.join(heads)} |"
    yield "| --- " * len(heads) + "|"
    for row in rows:
        for name, each in {"any": row["any"], **row["by_subgoal"]}.items():
            told = " | ".join(_figure(each[figure]) for figure in FIGURES)
            yield (
                f"| `{row['judge']}` | {_shown(row)} | {row['subgoals']} | {row['judged']:,} ({row['trajectories']}), "
                f"{row['on']} | {row['faults']} | {name if name == 'any' else f'`{name}`'} | {told} |"
            )
    notes: dict[str, list[str]] = {}
    for row in rows:
        if row.get("note"):
            notes.setdefault(row["note"], []).append(f"`{row['judge']}` ({_shown(row)}; {row['subgoals']})")
    if notes:
        yield ""
    for note, told in notes.items():
        yield f"- {', '.join(told)}: {note}"


def _shown(row: Mapping[str, Any]) -> str:
    if row["kind"] != "model":
        return "fields of the state"
    usual = asdict(View())
    changes = [f"{n}={v}".lower() for n, v in row["view"].items() if v != usual[n] and n != "observation"]
    size = f"{row['batch']} a prompt" if row["batch"] else "whole episodes"
    return ", ".join([row["view"]["observation"], size, *changes])


def _figure(value: Mapping[str, float | None]) -> str:
    if value["mean"] is None:
        return "none"
    ends = "" if value["low"] is None else f" ({value['low']:.2f} to {value['high']:.2f})"
    return f"{value['mean']:.2f}{ends}"


def same_from(words: Sequence[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if wrong := [word for word, (_, separator, _) in zip(words, pairs, strict=True) if not separator]:
        raise UsageError(f"--same {wrong[0]!r} names no two subgoals: write FOUND=PRESET.")
    return {found: preset for found, _, preset in pairs}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--make", action="store_true", help="play the dataset anew")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--annotations", type=Path, help="JSON lines of labels in place of the game's own")
    parser.add_argument("--program", type=Path, action="append", default=[], help="tells subgoals")
    parser.add_argument("--llm", help="PROVIDER:MODEL that reads screens")
    parser.add_argument("--observation", nargs="+", choices=("crop", "full"), default=("crop", "full"))
    parser.add_argument("--subgoals", nargs="+", default=("preset",), metavar="preset|FILE")
    parser.add_argument("--same", nargs="+", default=(), metavar="FOUND=PRESET")
    parser.add_argument("--set", nargs="+", default=(), metavar="NAME=VALUE", help="of the view, as message=false")
    parser.add_argument("--sample", type=int, default=120, help="transitions that a model judges")
    parser.add_argument("--batch", type=int, default=1, help="transitions a prompt")
    parser.add_argument("--whole", action="store_true", help="whole episodes, one a prompt")
    parser.add_argument(
        "--distil", nargs="+", default=(), choices=get_args(How), help="what was judged, for all the others"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--root", type=Path, default=Path("runs/calm-offline"), help="for prompts and judgements")
    parser.add_argument("--record", action="store_true", help="keep the replies under benchmarks/results/calm")
    parser.add_argument("--out", type=Path, help="rows as JSON lines; new ones take the place of the same")
    parser.add_argument("--note", help="of the rows: what is to be known of how they came about")
    parser.add_argument("--json", action="store_true", help="the rows on one line (the default)")
    parser.add_argument("--markdown", action="store_true", help="tables")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    if not (args.make or args.program or args.llm):
        sys.exit("Say who judges: `--program FILE`, or `--llm PROVIDER:MODEL`; `--make` plays the dataset anew.")
    try:
        sys.exit(work(args))
    except RewardAgentError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def work(args: argparse.Namespace) -> int:
    if args.make:
        from calm_dataset import make

        make(args.data, args.root / "training")
    trajectories = read_trajectories(args.data)
    if args.annotations:
        trajectories = lay_over(trajectories, args.annotations)
    same, rows, waits = same_from(args.same), [], False
    for path in args.program:
        rows += of_program(path, trajectories, same)
    if args.llm:
        options = Options(temperature=0.0, folder=args.root)
        lay_replies(replies_of(args.llm), args.root)
        said = args.root / replies_of(args.llm).name
        llm, judgements = Recorder(connect(args.llm, options), said), Judgements(args.root / "judgements.jsonl")
        for subgoals in args.subgoals:
            for observation in args.observation:
                view = changed(View(observation=observation), read(View(), args.set))
                try:
                    rows.append(of_model(llm, subgoals, view, trajectories, args, judgements, same))
                    if subgoals == "preset" and observation == args.observation[0]:
                        rows += [of_distilled(how, llm, view, trajectories, args, judgements) for how in args.distil]
                except WaitingForPersonError as error:
                    waits = True
                    print(f"{subgoals}, {observation}: {error}", file=sys.stderr)
        judgements.close()
        if args.record and said.is_file():
            keep_replies(said, replies_of(args.llm))
    if args.note:
        rows = [row | {"note": args.note} for row in rows]
    if args.out:
        lines = args.out.read_text().splitlines() if args.out.exists() else []
        kept = {key_of(row): row for row in map(json.loads, lines)}
        here = whence()
        kept |= {key_of(row): row | here for row in rows}
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text("".join(json.dumps(row) + "\n" for row in kept.values()))
        rows = [*kept.values()]
    print("\n".join(markdown(rows)) if args.markdown else json.dumps(rows))
    return WaitingForPersonError.exit_code if waits else 0


if __name__ == "__main__":
    main()
