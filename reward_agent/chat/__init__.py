"""A session with a person, over a run's folder: instruct, see, correct, train, keep. Any method and task serve it.

`start` and `go_on` give a `Session`; `talk.py` says what its state is, as a fold over the journal. Nothing here reads
from or writes to a terminal: `cli/chatting` does.
"""

from __future__ import annotations

from reward_agent.chat.looking import Look, Looker
from reward_agent.chat.session import Session
from reward_agent.chat.settings import ChatSettings
from reward_agent.chat.starting import go_on, start
from reward_agent.chat.talk import Talk, Turn

__all__ = ["ChatSettings", "Look", "Looker", "Session", "Talk", "Turn", "go_on", "start"]
