"""Which two clips a rater compares next: the best of K is found by K - 1 comparisons, the worst of the others by K - 2,
and one more compares the best with the champion, as `judges.pairs` does it for judges that answer at once."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from zlib import crc32

from reward_agent.judges.ballots import Pair
from reward_agent.judges.sheets import Sheet

Two = tuple[str, str]


def next_pair(sheet: Sheet, made: Sequence[Pair]) -> Two | None:
    """The next comparison after those that were made; None where all were."""
    plan = _plan(sheet)
    answers = iter(made)
    asked = next(plan, None)
    while asked is not None:
        pair = next(answers, None)
        if pair is None or (pair.first, pair.second) != asked:
            return asked
        try:
            asked = plan.send(pair.answer)
        except StopIteration:
            return None
    return None


def planned(sheet: Sheet) -> int:
    """How many comparisons there are in all."""
    own = len(sheet.clips) - (sheet.champion is not None)
    return max(0, own - 1) + max(0, own - 2) + (sheet.champion is not None and own > 0)


def _plan(sheet: Sheet) -> Generator[Two, str, None]:
    own = [clip for clip in sheet.ids if clip != sheet.champion]
    if not own:
        return
    best = own[0]
    for challenger in own[1:]:
        if (yield from _better(sheet, challenger, best)):
            best = challenger
    rest = [clip for clip in own if clip != best]
    worst = rest[0] if rest else None
    for challenger in rest[1:]:
        assert worst is not None, "there is one to compare with"
        if (yield from _better(sheet, worst, challenger)):
            worst = challenger
    if sheet.champion is not None:
        yield from _better(sheet, best, sheet.champion)


def _better(sheet: Sheet, clip: str, than: str) -> Generator[Two, str, bool]:
    """Whether it is; who stands first is drawn, the same each time."""
    turned = crc32(f"{sheet.iteration} {sorted((clip, than))}".encode()) & 1
    first, second = sorted((clip, than), reverse=bool(turned))
    answer = yield first, second
    return answer == ("first" if first == clip else "second")
