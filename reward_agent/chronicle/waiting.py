"""What a run that is not finished waits for from people, read off the files that it left for them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reward_agent.codec import decode
from reward_agent.config import RunConfig
from reward_agent.history import Judgement
from reward_agent.judges.sheets import ANSWERS, QUESTION
from reward_agent.messages import MAIN, Key
from reward_agent.program import TrainingFault
from reward_agent.search import folder_of
from reward_agent.spoken import WORDS
from reward_agent.trial import Trained
from reward_agent.variant import WORDS_OF


def waits_for(folder: Path, config: RunConfig, steps: Mapping[Key, Any], judgements: Mapping[int, Judgement]) -> str:
    """`judgement`, `reply` or `words`; empty where nobody is waited for."""
    if any(_is_open(path) for number, path in judging_folders(folder).items() if number not in judgements):
        return "judgement"
    if _asks_a_person(folder, steps):
        return "reply"
    return "words" if config.words == "file" and _wants_words(folder, steps) else ""


def answers_in(judging: Path) -> dict[str, Mapping[str, Any]]:
    """What raters have said so far of a round, by file; what cannot be read is left out."""
    read = {path.stem: _read(path) for path in sorted((judging / ANSWERS).glob("*.json"))}
    return {name: answer for name, answer in read.items() if answer}


def _is_open(judging: Path) -> bool:
    """A question that fewer raters have answered for good than are wanted."""
    question = _read(judging / QUESTION)
    if not question:
        return False
    wanted = question.get("raters")
    final = sum(answer.get("final") is True for answer in answers_in(judging).values())
    return final < (wanted if isinstance(wanted, int) else 1)


def _asks_a_person(folder: Path, steps: Mapping[Key, Any]) -> bool:
    """A prompt that `manual` left lies there without a reply."""
    for path in folder.glob("iter_*/cand_*/attempt_*/*prompt.md"):
        stage = path.name.removesuffix("prompt.md").rstrip(".") or MAIN
        iteration, candidate, attempt = (int(path.parents[up].name.rpartition("_")[2]) for up in (2, 1, 0))
        answered = path.with_name(path.name.replace("prompt.md", "reply.md")).is_file()
        if not answered and Key(iteration, candidate, attempt, stage) not in steps:
            return True
    return False


def _wants_words(folder: Path, steps: Mapping[Key, Any]) -> bool:
    """The latest round is trained, and nobody has said anything of it."""
    if not steps:
        return False
    last = max(key.iteration for key in steps)
    stages = {key: value for key, value in steps.items() if key.iteration == last}
    if any(key.stage in WORDS_OF.values() for key in stages):
        return False
    trained = {key for key, value in stages.items() if key.stage == "train"}
    accepted = {
        key[:2] for key, value in stages.items() if key.stage == "vet" and value["program"] and not value["faults"]
    }
    if not trained or accepted - {key[:2] for key in trained}:
        return False
    ends = [decode(Trained | TrainingFault, stages[key]) for key in trained]
    unsaid = not any((folder / folder_of(*key[:2]) / WORDS).is_file() for key in trained)
    return unsaid and any(isinstance(end, Trained) for end in ends)


def _read(path: Path) -> Mapping[str, Any]:
    """A file of JSON that anyone may have dropped; nothing where it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def judging_folders(folder: Path) -> dict[int, Path]:
    """A run's folders `judging`, by round; of folders that are named as rounds are."""
    found = {path: re.fullmatch(r"iter_([0-9]{1,4})", path.parent.name) for path in folder.glob("iter_*/judging")}
    return {int(match[1]): path for path, match in found.items() if match}
