"""`reward-agent chat`: instruct, see what it leads to, correct, train, keep; at a terminal or from a script."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import RUNS, add_unsafe, as_typed, find, given, natural, positive
from reward_agent.cli.running import ASKED, add_asked
from reward_agent.errors import NoResultError, UsageError
from reward_agent.invocation import resume_command

if TYPE_CHECKING:
    from reward_agent.chat import ChatSettings, Session
    from reward_agent.cli.chatting.screen import Screen
    from reward_agent.config import RunConfig

HELP = "talk a reward into shape: say what you want, see what it leads to, correct, train, keep"


def add_arguments(parser: ArgumentParser) -> None:
    from reward_agent.cli.run import add_dividing
    from reward_agent.plugins import METHODS, NOBODY, OPTIMISERS, SCORES

    add = parser.add_argument
    add("task", metavar="TASK", nargs="?", help="a task's id, or path/to/file.py:variable; asked for unless given")
    add("--resume", metavar="RUN", help="go on with a chat: its folder, its name, or `last`")
    what = f"{METHODS.choices(but=SCORES)} (what suits the task)"
    add("--method", metavar="NAME", help=what)
    add_asked(parser, absent=SUPPRESS, but=NOBODY)
    add("--temperature", type=float, metavar="T", help="to sample at; the model's own unless given")
    add("--prompts", type=Path, metavar="DIR", help="a folder of prompt templates that go before the shipped ones")
    add("--init", metavar="FILE", help="a reward of your own to begin with")
    add_dividing(parser)
    add("--look", metavar="HOW", help="how rewards are looked at: planner, training or none (as the task's world can)")
    add("--look-budget", type=positive, metavar="STEPS", help="of a look that is a training (50,000)")
    add("--look-seconds", type=_seconds, metavar="S", help="of simulated time that the planner plays (an episode)")
    what = "a look begins where the one before it ended, instead of anew (planner)"
    add("--carry-on", action="store_true", help=what)
    add("--view", action="store_true", help="watch looks in the browser as the planner plays them")
    trainers = ", ".join(name for name in OPTIMISERS.names() if name != "mpc")
    add("--optimiser", metavar="NAME", help=f"of /train, and of looks that are trainings: {trainers} (ppo)")
    what = "settings for a class of tasks, of the optimiser or of the planner that looks; the task's own unless given"
    add("--preset", metavar="NAME", help=what)
    what = "change a setting of whichever of the two has it, as samples=8 or learning_rate=1e-3; may be given again"
    add("--set", action="append", default=[], dest="changes", metavar="NAME=VALUE", help=what)
    add("--budget", type=positive, metavar="STEPS", help="of /train where it is not said; the task's own unless given")
    add("--seed", type=natural, metavar="S", help="of everything random (0)")
    add("--out", type=Path, metavar="DIR", help=f"where the session's folder goes ({RUNS}/)")
    add_unsafe(parser)


def run(args: Namespace) -> Answer:
    from reward_agent.cli.chatting.screen import Screen

    if args.view:
        from reward_agent.live.components import require

        require()
    changes = {ASKED[name]: value for name, value in vars(args).items() if name in ASKED}
    screen = Screen()
    if args.resume is not None:
        refuse_others(args, ("resume", "view"), "A chat that goes on keeps its task and all that it was begun with")
        return again(find(args.resume, begins="chat"), changes, screen, view=args.view)
    from reward_agent.chat import start

    task = args.task or _asked_for()
    left_open = ["method"] if args.method is None else []
    config, settings = _asked(args, task, changes)
    session = start(config, settings, root=args.out or RUNS, left_open=left_open, events=screen, heard=screen)
    with session:
        return _talk(session, screen, view=args.view)


def refuse_others(args: Namespace, but: Collection[str], why: str) -> None:
    """Raises `UsageError` where something beside `but` was given that a chat which goes on cannot be told."""
    if others := given(args, but=(*ASKED, *but, "json")):
        told = ", ".join(as_typed(name) for name in ASKED)
        raise UsageError(
            f"{why}: leave out {', '.join(others)}. It can be told who is asked and for how long ({told}), and to open "
            "the view (`reward-agent chat --resume RUN --view`). `reward-agent chat TASK` begins another."
        )


def again(folder: Path, changes: Mapping[str, Any], screen: Screen | None = None, *, view: bool = False) -> Answer:
    """Go on with the chat in `folder`."""
    from reward_agent.chat import go_on
    from reward_agent.cli.chatting.screen import Screen

    screen = screen or Screen()
    with go_on(folder, changes=changes, events=screen, heard=screen) as session:
        return _talk(session, screen, view=view)


def _talk(session: Session, screen: Screen, *, view: bool) -> Answer:
    from reward_agent.cli.chatting.commands import COMMANDS, Chat
    from reward_agent.cli.chatting.lines import Piped, Typed
    from reward_agent.cli.chatting.loop import catch_up, converse

    chat = Chat(session, screen, wants_view=view)
    typed = sys.stdin.isatty() and sys.stdout.isatty()
    source = Typed(COMMANDS, session.run.folder) if typed else Piped(sys.stdin, screen.say)
    _greet(session, screen)
    before = session.talk
    goes_on = f"Saved. `{resume_command(session.run.folder)}` goes on from here."
    try:
        codes = catch_up(chat), converse(chat, source)
    except KeyboardInterrupt:
        screen.say(goes_on)
        raise
    finally:
        if chat.view is not None:
            chat.view.close()
    last = session.talk.last
    worked_on = last is not None and last is not before.turn(last.at)
    fruitless = NoResultError.exit_code if last is not None and worked_on and last.came_to_nothing else 0
    code = 0 if typed else next(filter(None, (*codes, fruitless)), 0)
    return Answer(session.to_json(), goes_on, exit_code=code)


def _greet(session: Session, screen: Screen) -> None:
    from reward_agent.chat.replayed import recording_of
    from reward_agent.cli.board import count
    from reward_agent.llm.recordings import shown_name

    task, settings, recording = session.ledger.folding.task, session.settings, recording_of(session.llm)
    how = {
        "planner": "the planner acts on it at once",
        "training": f"a short training of {settings.budget:,} steps",
        "none": "nobody looks until `/look`",
    }[settings.look or "none"]
    llm = f"replay:{shown_name(recording.path)}" if recording else session.llm.name
    screen.say(f"{session.run.id}: {task.id}, {session.method.name} with {llm}", "bold")
    screen.note(f"Its own instruction (`/go` takes it): {task.instruction}")
    screen.note(f"After each reward: {how}. Say what you want; /help lists the commands, Ctrl-D leaves.")
    if session.config.unsafe:
        screen.say("Reward programs run WITHOUT the sandbox (--unsafe).", "yellow")
    if recording:
        said = f"What the model says is recorded, whatever you say: {count(recording.turns, 'turn')} of words."
        screen.note(f"{said} Checks, looks and trainings are live.")


def _asked_for() -> str:
    """The task, chosen from those there are."""
    from reward_agent.cli.chatting.lines import choose
    from reward_agent.envs.registry import tasks

    known = {name: task.instruction for name, task in sorted(tasks().items()) if task.world.missing() is None}
    for name, instruction in known.items():
        print(f"{name:40} {instruction}")
    chosen = choose("Which task? ", known)
    if not chosen:
        raise UsageError("Name a task: `reward-agent chat TASK`. `reward-agent tasks` lists them.")
    return chosen


def _asked(args: Namespace, task: str, changes: Mapping[str, Any]) -> tuple[RunConfig, ChatSettings]:
    from reward_agent.chat import ChatSettings
    from reward_agent.chat.options import share_out
    from reward_agent.chat.settings import ROUNDS
    from reward_agent.cli.run import dividing, read_initial
    from reward_agent.config import RunConfig
    from reward_agent.envs.registry import find_task

    settings = ChatSettings(look=args.look, budget=args.look_budget, seconds=args.look_seconds, carry_on=args.carry_on)
    optimiser = args.optimiser or "ppo"
    shares = share_out(settings, find_task(task), optimiser, preset=args.preset, changes=args.changes)
    given = {**changes, "prices": tuple(changes["prices"])} if changes.get("prices") else dict(changes)
    if args.method is not None:
        given["method"] = args.method
    config = RunConfig(
        task=task,
        temperature=args.temperature,
        prompts=args.prompts,
        initial=read_initial(args.init),
        **dividing(args, task),
        optimiser=optimiser,
        preset=shares.preset,
        settings=shares.changes,
        iterations=ROUNDS,
        candidates=1,
        budget=args.budget,
        seed=args.seed or 0,
        jobs=1,
        tensorboard=False,
        unsafe=args.unsafe,
        **given,
    )
    return config, shares.settings


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no number of seconds.") from error
