"""`reward-agent run`: from a sentence to a reward program, a policy, a score and the whole record."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import RUNS, add_labels, add_training, add_unsafe, natural, positive, read_program
from reward_agent.errors import UsageError

if TYPE_CHECKING:
    from reward_agent.config import RunConfig
    from reward_agent.program import Program
    from reward_agent.subgoals import Subgoal

HELP = "have a model write rewards for a task, train on them, keep the best"
DISGUISED = "run the task under other names and in turned axes, with the world's words (SEED, 0) or those in a file"


def add_arguments(parser: ArgumentParser) -> None:
    from reward_agent.cli.running import add_judge, add_model
    from reward_agent.plugins import METHODS

    add = parser.add_argument
    add("task", metavar="TASK", help="a task's id (`reward-agent tasks`), or path/to/file.py:variable")
    add("--method", metavar="NAME", help=f"{METHODS.choices()} (eureka)")
    add_model(parser)
    add("--temperature", type=float, metavar="T", help="to sample at; the model's own unless given")
    add("--prompts", type=Path, metavar="DIR", help="a folder of prompt templates that go before the shipped ones")
    add("--init", metavar="FILE", help="a reward of your own to improve")
    add_judge(parser)
    what = (
        "leave a part of the method out, as an ablation (icpl: traces, differences, bad, feedback); may be given again"
    )
    add("--without", action="append", default=[], metavar="PART", help=what)
    what = "expert rewards of the most similar other tasks to show (0; with --method text2reward, 1 is its few-shot)"
    add("--examples", type=natural, default=0, metavar="N", help=what)
    what = "a control: tell the model the benchmark's name for the task and no instruction"
    add("--disguise", nargs="?", type=_seed_or_file, const=0, metavar="SEED|FILE", help=DISGUISED)
    add("--only-name", action="store_true", help=what)
    add_dividing(parser)
    add_training(parser)
    add("--iterations", type=natural, metavar="N", help="rounds of feedback (3, or as many as a recording has)")
    add("--candidates", type=positive, metavar="K", help="rewards a round (3, or as many as a recording has)")
    add(
        "--budget",
        type=positive,
        metavar="STEPS",
        help="environment steps of one training; the task's own unless given",
    )
    add(
        "--final-seeds",
        type=positive,
        metavar="N",
        help="trainings of the best reward, from scratch (3; planner 1)",
    )
    add("--seed", type=natural, default=0, metavar="S", help="of everything random (0)")
    add("--out", type=Path, default=RUNS, metavar="DIR", help=f"where the run's folder goes ({RUNS}/)")
    add("--story", action="store_true", help="tell it to somebody who sees a run for the first time")
    add_unsafe(parser)


def add_dividing(parser: ArgumentParser) -> None:
    """The options of a method that divides tasks."""
    add = parser.add_argument
    what = (
        "with --method calm or oni: given subgoals, in a file of lines `name: what is then so`, or `card` for the "
        "task's own"
    )
    add("--subgoals", metavar="FILE|card", help=what)
    what = (
        "with --method calm or oni: how subgoals pay (weight, decay, ordered, potential, discount, goal); may be given "
        "again"
    )
    add("--shape", action="append", default=[], metavar="NAME=VALUE", help=what)
    add_labels(parser)


def run(args: Namespace) -> Answer:
    from reward_agent.agent import prepare, synthesize
    from reward_agent.cli.results import describe_plan
    from reward_agent.cli.running import asking, confirm, finished, person, person_is_there, telling
    from reward_agent.left_open import OPEN
    from reward_agent.plan import make_plan

    left_open = [name for name in OPEN if getattr(args, name, None) is None]
    ready = prepare(_config(args), root=args.out, left_open=left_open)
    config = ready.config
    assert config.llm is not None
    replayed = config.llm.startswith("replay:")
    if replayed and args.llm is None:
        print("No --llm was named and no key is set: the recorded session of this task is replayed.")
        print("What the model says is recorded; checks, sandbox, training and scores are live.\n")
    if replayed and config.initial:
        print("The recorded replies know nothing of the reward in --init: name a model with --llm to improve it.\n")
    plan = make_plan(config, task=ready.task, root=args.out)
    print(describe_plan(plan, config), flush=True)
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not (args.yes or args.json)
    if asks and not confirm("Start?"):
        return Answer({"started": False}, "Nothing was started.")
    asked, heard = person_is_there(args, replayed=replayed), person_is_there(args, replayed=False)
    with telling(plan.steps, story=args.story, replayed=replayed) as view:
        result = synthesize(
            ready,
            events=view,
            ask_person=person(view) if asked else None,
            ask_line=asking(view) if heard else None,
            root=args.out,
        )
    return finished(result, story=args.story)


def _seed_or_file(text: str) -> int | Path:
    return int(text) if text.isdecimal() else Path(text)


def _config(args: Namespace) -> RunConfig:
    from reward_agent.cli.options import optimiser_of
    from reward_agent.config import RunConfig
    from reward_agent.optimise.choice import read_changes

    given = {
        name: value
        for name, value in {
            "method": args.method,
            "words": args.words,
            "judge": args.judge,
            "iterations": args.iterations,
            "candidates": args.candidates,
            "optimiser": args.optimiser,
            "final_seeds": args.final_seeds,
        }.items()
        if value is not None
    }
    return RunConfig(
        task=args.task,
        llm=args.llm,
        temperature=args.temperature,
        base_url=args.base_url,
        prices=tuple(args.prices) if args.prices else None,
        prompts=args.prompts,
        initial=read_initial(args.init),
        examples=args.examples,
        only_name=args.only_name,
        without=tuple(args.without),
        **dividing(args, args.task),
        disguise=args.disguise,
        preset=args.preset,
        settings=read_changes(optimiser_of(args), args.changes),
        budget=args.budget,
        seed=args.seed,
        jobs=args.jobs,
        max_tokens=args.token_budget,
        max_usd=args.money_budget,
        unsafe=args.unsafe,
        **given,
    )


def dividing(args: Namespace, task: str) -> dict[str, Any]:
    """What the options of `add_dividing` say, by name in `RunConfig`.

    Raises:
        UsageError: subgoals, or how they pay, cannot be meant so.
    """
    said = {"subgoals": read_given(args.subgoals, task), "shaping": read_shaping(args.shape), "labels": args.labels}
    return said if args.label_errors is None else {**said, "label_errors": args.label_errors}


def read_given(said: str | None, task: str) -> tuple[Subgoal, ...]:
    """The subgoals of `--subgoals`.

    Raises:
        UsageError: there are none.
    """
    from reward_agent.envs.registry import find_task
    from reward_agent.subgoals import given_subgoals

    return () if said is None else given_subgoals(said, find_task(task).subgoals, task)


def read_shaping(words: Sequence[str]) -> dict[str, Any]:
    """What `--shape` changes of how subgoals pay.

    Raises:
        UsageError: there is no such setting, or a text that is no value of it.
    """
    from reward_agent.checked import read
    from reward_agent.sources.shaping import Shaping

    return read(Shaping(), words, "--shape")


def read_initial(location: str | None) -> Program | None:
    """The reward in the file of `--init`, if it is given.

    Raises:
        UsageError: the file holds none.
    """
    from reward_agent.program import Fault

    if location is None:
        return None
    program = read_program(location)
    if isinstance(program, Fault):
        raise UsageError(f"{location} holds no reward program. {program.message}")
    return program
