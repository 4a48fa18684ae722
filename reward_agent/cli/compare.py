"""`reward-agent compare`: has this reward been seen before? Text and values beside the published one of its task."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import add_unsafe, find, read_program
from reward_agent.errors import UsageError

if TYPE_CHECKING:
    from reward_agent.comparison import Compared, Comparison
    from reward_agent.epic import Distance
    from reward_agent.scoring import Acting
    from reward_agent.task import Task

HELP = "compare a reward, or all of a run, with the one that is published for the task"


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("what", metavar="FILE|RUN", help="a file that holds a reward (- is standard input), or a run")
    add("--task", help="of a FILE: a task's id, or path/to/file.py:variable")
    what = "compare values also on what the best policy of this run of the task does; may be given several times"
    add("--policy", action="append", default=[], metavar="RUN", help=what)
    add_unsafe(parser)


def run(args: Namespace) -> Answer:
    from reward_agent.comparison import compare, compare_run
    from reward_agent.envs.registry import find_task
    from reward_agent.program import Fault

    if args.what != "-" and not Path(args.what).is_file():
        if args.task or args.policy:
            raise UsageError(
                f"There is no file {args.what}. (A run is compared without --task and --policy: it brings its own.)"
            )
        found = compare_run(find(args.what), unsafe=args.unsafe)
        return Answer(to_json(found), describe(found))
    if args.task is None:
        raise UsageError(f"Say which task the reward is for: `reward-agent compare {args.what} --task TASK`.")
    task, program = find_task(args.task), read_program(args.what)
    if isinstance(program, Fault):
        raise UsageError(f"{args.what} holds no reward program. {program.message}")
    policies = {name: each for run in args.policy for name, each in _policy(run, task, unsafe=args.unsafe).items()}
    found = compare({args.what: program}, task, policies, unsafe=args.unsafe)
    failed = isinstance(found.programs[args.what].values, Fault)
    return Answer(to_json(found), describe(found), exit_code=1 if failed else 0)


def to_json(found: Comparison) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "task": found.task,
        "published": found.published or None,
        "expert_sha256": found.expert.id,
        "rows": found.rows,
        "episodes": found.episodes,
        "policies": list(found.policies),
        "discount": found.discount,
        "others": dict(found.others),
        "programs": [{"program": name, **_plain(each)} for name, each in found.programs.items()],
    }


def describe(found: Comparison) -> str:
    """Some lines for a person."""
    whose = f"the published reward ({found.published})" if found.published else "the expert reward, which is ours"
    played = " and ".join(("random actions", *(f"{name} policy" for name in found.policies)))
    lines = [f"{found.task}: beside {whose}"]
    for name, each in found.programs.items():
        lines += [f"{name}", *(f"  {line}" for line in _lines(each))]
    if found.others:
        nearest = max(found.others, key=lambda task: found.others[task])
        mean = sum(found.others.values()) / len(found.others)
        lines.append(
            "text: the share that is the same, names aside; the published reward itself is like those of other tasks "
            f"of its world to {mean:.2f} on average and {found.others[nearest]:.2f} at most ({nearest})"
        )
    lines.append(
        f"EPIC: how far values are apart but for shaping, scale and shift, over {found.rows:,} transitions of {played} "
        f"(discount {found.discount:g}); 0 is the same, 0.71 unrelated, 1 opposite. In brackets: 95 % intervals, which "
        f"draw the {found.episodes} episodes anew"
    )
    return "\n".join(lines)


def _lines(each: Compared) -> list[str]:
    from reward_agent.program import Fault

    shared = ", ".join(f"{number:g}" for number in each.numbers.shared)
    numbers = f"{len(each.numbers.shared)} of the {each.numbers.known} published numbers"
    told = [f"text {each.text:.2f}; {numbers}{f' ({shared})' if shared else ''}"]
    if isinstance(each.values, Fault):
        return [*told, f"no values: {each.values.stage} fault: {each.values.message}"]
    lost = f"; {each.values.not_finite} rewards were no number" if each.values.not_finite else ""
    values = (
        f"EPIC distance {_distance(each.values.epic)}; as they are, shaping included, {_distance(each.values.direct)}"
    )
    return [*told, values + lost]


def _distance(found: Distance) -> str:
    if found.value != found.value:
        return "not defined (a reward is constant)"
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _plain(each: Compared) -> dict[str, Any]:
    from reward_agent.program import Fault

    plain: dict[str, Any] = {"text": each.text, "numbers": each.numbers._asdict()}
    if isinstance(each.values, Fault):
        return plain | {"epic": None, "direct": None, "fault": asdict(each.values)}
    distances = {"epic": each.values.epic._asdict(), "direct": each.values.direct._asdict()}
    return plain | distances | {"not_finite": each.values.not_finite, "fault": None}


def _policy(name: str, task: Task, *, unsafe: bool) -> dict[str, tuple[Task, Acting]]:
    """The best policy of a run of this task (or of it in disguise)."""
    from reward_agent.comparison import run_policies
    from reward_agent.envs.registry import find_task
    from reward_agent.optimise.policy import load_policy
    from reward_agent.store import read_manifest

    folder = find(name)
    of = find_task(read_manifest(folder).task)
    if of.undisguised.id != task.undisguised.id:
        raise UsageError(f"{name} is a run of {of.id}; a policy of {task.undisguised.id} is wanted.")
    found = {label: (its, path) for label, (its, path) in run_policies(folder, of).items() if its is of}
    if not found:
        raise UsageError(f"{name} has no best policy yet. `reward-agent resume {name}` goes on with it.")
    return {f"{name}'s best": (its, load_policy(path, unsafe=unsafe)) for its, path in found.values()}
