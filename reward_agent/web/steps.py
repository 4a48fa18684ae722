"""What one click does to a rater's answer. Pure: `step(ballot, "best:a", ...)` gives the next answer.

Some move what is there, as `up:c`: who sends one twice does it twice, which the ballot box keeps from happening.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast, get_args

from reward_agent.judges.ballots import Ballot, Groups, Mode, Pair, require
from reward_agent.judges.paired import next_pair
from reward_agent.judges.pairs import Answer
from reward_agent.judges.sheets import Sheet

TEXTS = ("words", "remark")
"""Steps that keep what was typed."""


def step(ballot: Ballot, do: str, text: str, sheet: Sheet) -> Ballot:
    """The answer after a click, or after something was typed.

    Args:
        ballot: before.
        do: the step and what it is about, as `mode:rank`, `best:a`, `best:` (nobody), `pair:a:b:first`, `up:c`.
        text: what was typed, for `words` and `remark:a`.
        sheet: the question.

    Raises:
        ValueError: there is no such step, and why.
    """
    name, _, about = do.partition(":")
    if name in ("best", "worst", "place", "out", "up", "down", "tie", "remark") and about not in (*sheet.ids, ""):
        raise ValueError("there is no such clip")
    match name:
        case "mode" if about in get_args(Mode):
            changed = replace(ballot, mode=cast(Mode, about))
        case "best":
            changed = replace(ballot, best=about or None, worst=None if about == ballot.worst else ballot.worst)
        case "worst":
            changed = replace(ballot, worst=about or None, best=None if about == ballot.best else ballot.best)
        case "pair":
            changed = replace(ballot, pairs=(*ballot.pairs, *_pair(ballot, about, sheet)))
        case "place" | "out" | "up" | "down" | "tie" if about:
            changed = replace(ballot, ranking=_moved(ballot.ranking or (), name, about) or None)
        case "none":
            changed = replace(ballot, none_right=about == "yes")
        case "words":
            changed = replace(ballot, words=text, none_right=_none_right(ballot, text))
        case "remark" if about:
            kept = {clip: said for clip, said in ballot.remarks.items() if clip != about}
            changed = replace(ballot, remarks=kept | ({about: text} if text.strip() else {}))
        case "submit":
            changed = replace(ballot, final=True)
        case "reopen":
            changed = replace(ballot, final=False)
        case _:
            raise ValueError("there is no such step")
    require(changed, sheet.ids)
    if ballot.final and name not in ("submit", "reopen") and changed != ballot:
        changed = replace(changed, final=False)  # what was handed in is open again when it changes
    return changed


def handed_in(ballot: Ballot) -> Ballot:
    """As others read it: with the answer of the way that the rater compared by, alone."""
    if not ballot.final:
        return ballot
    ways = {
        "best": replace(ballot, ranking=None, pairs=()),
        "pairs": replace(ballot, ranking=None, best=None, worst=None),
        "rank": replace(ballot, pairs=(), best=None, worst=None),
    }
    return ways[ballot.mode]


def _none_right(ballot: Ballot, words: str) -> bool:
    """A reason says that none is right; where one is deleted it says so no longer."""
    return bool(words.strip()) or (ballot.none_right and not ballot.words.strip())


def _pair(ballot: Ballot, about: str, sheet: Sheet) -> Iterator[Pair]:
    """The comparison, where it is the one that is to be made; nothing where it was made already."""
    first, _, rest = about.partition(":")
    second, _, answer = rest.partition(":")
    if answer not in get_args(Answer):
        raise ValueError("there is no such answer")
    pair = Pair(first, second, cast(Answer, answer))
    if next_pair(sheet, ballot.pairs) == (first, second):
        yield pair
    elif not ballot.pairs or ballot.pairs[-1] != pair:
        raise ValueError("these two are not to be compared now")


def _moved(ranking: Groups, how: str, clip: str) -> Groups:
    """The ranking after one clip was placed last, taken out, moved by a place, or tied with those above it."""
    groups = [list(group) for group in ranking]
    at = next((index for index, group in enumerate(groups) if clip in group), None)
    if how == "place":
        return ranking if at is not None else (*ranking, (clip,))
    if at is None:
        return ranking
    alone = groups[at] == [clip]
    groups[at].remove(clip)
    if how == "tie" and at > 0:
        groups[at - 1].append(clip)
    elif how == "up":
        groups.insert(max(0, at - 1) if alone else at, [clip])
    elif how == "down":
        groups.insert(at + 2 if alone else at + 1, [clip])
    elif how != "out":
        return ranking
    return _whole(groups)


def _whole(groups: Sequence[Sequence[str]]) -> Groups:
    return tuple(tuple(group) for group in groups if group)
