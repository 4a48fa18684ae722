"""The session's loop: read a line, do it, show what came of it, until the person leaves."""

from __future__ import annotations

from reward_agent.cli.chatting.commands import Chat, Leave, go, perform
from reward_agent.cli.chatting.lines import Source
from reward_agent.errors import RewardAgentError, Terminated, WaitingForPersonError


def converse(chat: Chat, source: Source) -> bool:
    """Until the person leaves, or the input ends; whether the last thing that was wanted could be done.

    A Ctrl-C ends what is under way; at the prompt it clears the line, and a second one leaves.

    Raises:
        Terminated: the process is to end.
        WaitingForPersonError: a reply is a person's to give, who is not here.
    """
    well, asked_to_leave = True, False
    while True:
        try:
            line = source.read()
        except Terminated:
            raise
        except KeyboardInterrupt:
            if asked_to_leave:
                return well
            asked_to_leave = True
            chat.screen.note("Ctrl-C again, or Ctrl-D, leaves.")
            continue
        asked_to_leave = False
        if line is None:
            return well
        if not line:
            continue
        try:
            perform(chat, line)
            well = True
        except Leave:
            return well
        except (Terminated, WaitingForPersonError):
            raise
        except KeyboardInterrupt:
            chat.screen.note("Stopped.")
        except (RewardAgentError, OSError) as error:
            chat.screen.trouble(error)
            well = False


def catch_up(chat: Chat) -> None:
    """Tell what was said before, and finish what a kill left undone; what the person stopped stays so."""
    chat.screen.story(chat.session.talk.in_force)
    last = chat.session.talk.last
    if not chat.session.unfinished or last is None:
        return
    if last.stopped:
        chat.screen.note("The last turn was stopped. `/go` tries again.")
        return
    chat.screen.note("The last turn was not finished; it goes on.")
    try:
        go.does(chat, "")
    except WaitingForPersonError:
        raise
    except RewardAgentError as error:
        chat.screen.trouble(error)
