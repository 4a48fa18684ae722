"""The session's loop: read a line, do it, show what came of it, until the person leaves."""

from __future__ import annotations

from reward_agent.cli.chatting.commands import Chat, Leave, go, perform
from reward_agent.cli.chatting.lines import Source
from reward_agent.errors import RewardAgentError, Terminated, WaitingForPersonError


def converse(chat: Chat, source: Source) -> int:
    """Until the person leaves, or the input ends; the exit code of the first line that failed, 0 where none did.

    A Ctrl-C ends what is under way; at the prompt it clears the line, and a second one leaves.

    Raises:
        Terminated: the process is to end.
        WaitingForPersonError: a reply is a person's to give, who is not here.
    """
    code, asked_to_leave = 0, False
    while True:
        try:
            line = source.read()
        except Terminated:
            raise
        except KeyboardInterrupt:
            if asked_to_leave:
                return code
            asked_to_leave = True
            chat.screen.note("Ctrl-C again, or Ctrl-D, leaves.")
            continue
        asked_to_leave = False
        if line is None:
            return code
        if not line:
            continue
        try:
            perform(chat, line)
        except Leave:
            return code
        except (Terminated, WaitingForPersonError):
            raise
        except KeyboardInterrupt:
            chat.screen.note("Stopped.")
        except (RewardAgentError, OSError) as error:
            chat.screen.trouble(error)
            code = code or exit_code(error)


def catch_up(chat: Chat) -> int:
    """Tell what was said before, and finish what a kill left undone; what the person stopped stays so.

    The exit code where that failed, which ends nothing, else 0.

    Raises:
        WaitingForPersonError: as `converse`.
    """
    chat.screen.story(chat.session.talk.in_force)
    last = chat.session.talk.last
    if not chat.session.unfinished or last is None:
        return 0
    if last.stopped:
        chat.screen.note("The last turn was stopped. `/go` tries again.")
        return 0
    chat.screen.note("The last turn was not finished; it goes on.")
    try:
        go.does(chat, "")
    except WaitingForPersonError:
        raise
    except (RewardAgentError, OSError) as error:
        chat.screen.trouble(error)
        return exit_code(error)
    return 0


def exit_code(error: RewardAgentError | OSError) -> int:
    """What a script is told of an error."""
    return error.exit_code if isinstance(error, RewardAgentError) else RewardAgentError.exit_code
