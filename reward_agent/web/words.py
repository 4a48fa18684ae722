"""A person's words on a policy, from the page into the file that the run looks for."""

from __future__ import annotations

from reward_agent.chronicle import Chronicle
from reward_agent.files import write_atomically
from reward_agent.history import At
from reward_agent.spoken import WORDS
from reward_agent.web.paths import NothingThereError
from reward_agent.web.runs import MOST_WORDS, wants_words


def say(run: Chronicle, at: At, text: str) -> str:
    """Keep the words beside the candidate. What is wrong with them; nothing where they are kept.

    Raises:
        NothingThereError: the run has no such candidate.
    """
    candidate = run.candidate(at)
    if candidate is None:
        raise NothingThereError("This run has no such candidate.")
    if not text.strip():
        return "There are no words in it: write what the policy does, and what it should do better."
    if len(text) > MOST_WORDS:
        return f"That is longer than {MOST_WORDS:,} letters. Shorten it."
    if (candidate.folder / WORDS).exists():
        return "Somebody has said something of this policy already; a run hears the first words alone."
    if not wants_words(run, candidate):
        return "The run does not wait for words on this policy now."
    write_atomically(candidate.folder / WORDS, (text.replace("\r\n", "\n").strip() + "\n").encode())
    return ""
