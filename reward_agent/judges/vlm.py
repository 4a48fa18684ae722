"""`--judge vlm:PROVIDER:MODEL`: a model that sees is shown two clips, in both orders, and says which it prefers.

An answer that changes with the order is about the order, not about the clips: it counts as a tie. A pair takes two
requests, and one more for each answer that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reward_agent.errors import MissingComponentError, UsageError, unknown_name
from reward_agent.feedback import as_data
from reward_agent.history import At, Judgement, Remark
from reward_agent.judges import Desk, Entrant, Question
from reward_agent.judges.frames import Film, read_film, sheet
from reward_agent.judges.pairs import Answer, best_and_worst
from reward_agent.messages import PLACE, Message
from reward_agent.plugins import NOBODY, PROVIDERS
from reward_agent.task import Task

FRAMES, FEWEST, MOST = 12, 2, 24
"""Of each clip that are shown: unless told otherwise, and the range of what may be told."""
MAX_REPLY, MAX_REMARK = 4_000, 1_500
"""Characters of an answer that is shown again, and of words that are kept."""
_LAST_LINE = re.compile(r"[*_`\s]*PREFER:[*_`\s]*(FIRST|SECOND|TIE)[*_`.\s]*")
_READ: Mapping[str, Answer] = {"FIRST": "first", "SECOND": "second", "TIE": "tie"}
_TURNED: Mapping[Answer, Answer] = {"first": "second", "second": "first", "tie": "tie", "skip": "skip"}
_HOW = "Name the model that watches, as `vlm:openai:MODEL`, or with settings `vlm:frames=16,words:openai:MODEL`."


@dataclass(frozen=True)
class VlmJudge:
    """Asks a model that sees."""

    model: str
    """`provider:model`."""
    frames: int = FRAMES
    """Most that are shown of a clip."""
    words: bool = False
    """Ask also what the best still lacks."""
    wants_video: bool = True

    @property
    def name(self) -> str:
        settings = [f"frames={self.frames}"] * (self.frames != FRAMES) + ["words"] * self.words
        return ":".join(["vlm", *([",".join(settings)] if settings else []), self.model])

    def missing(self, task: Task) -> str | None:
        return None

    def compare(self, question: Question, desk: Desk) -> Judgement:
        films: dict[At, Film] = {}
        for entrant in (*question.entrants, *([question.champion] if question.champion else [])):
            film = read_film(entrant.video, self.frames) if entrant.video else None
            if film is not None:
                films[entrant.at] = film
        seen = tuple(entrant for entrant in question.entrants if entrant.at in films)
        if not seen:
            raise MissingComponentError(
                f"{self.name} has nothing to watch: no clip of any policy of this round could be made. `reward-agent "
                f"doctor` says what drawing lacks here; `{desk.resume}` then goes on, or goes on now with a `--judge` "
                "that needs no clips."
            )
        if unseen := [str(entrant.at[1]) for entrant in question.entrants if entrant.at not in films]:
            desk.tell(f"No clip could be made of candidate {', '.join(unseen)}, so {self.name} leaves it out.")
        watching = Watching(question.task.instruction, films, desk)
        judgement = best_and_worst(replace(question, entrants=seen), self.name, watching.prefer)
        if judgement.preferences and all(made.answer == "skip" for made in judgement.preferences):
            # the order of asking alone would choose
            judgement = replace(judgement, best=None, worst=None, beats_champion=None)
        if watching.both:
            judgement = replace(judgement, agreement=watching.alike / watching.both)
        desk.tell(watching.told(self.name, judgement.queries))
        if self.words and judgement.best is not None:
            text = watching.lacks((question.iteration, judgement.best))
            judgement = replace(judgement, remarks=(Remark(judgement.best, text, self.name, by="judge"),))
        return judgement


@dataclass
class Watching:
    """The comparisons of one round, and how alike their answers were in both orders."""

    instruction: str
    films: Mapping[At, Film]
    """By candidate; who is not in it cannot be compared."""
    desk: Desk
    pairs: int = 0
    requests: int = 0
    both: int = 0
    """Pairs with an answer in each order."""
    alike: int = 0
    """Those of them with the same answer."""
    quoted: str = field(init=False)

    def __post_init__(self) -> None:
        self.quoted = as_data(self.instruction.replace(PLACE, " "))

    def prefer(self, first: Entrant, second: Entrant) -> Answer:
        """The answer that is the same in both orders; a tie where they differ, a skip where one cannot be read."""
        pair, self.pairs = f"pair_{self.pairs:02d}", self.pairs + 1
        if first.at not in self.films or second.at not in self.films:
            return "skip"
        forth = self._ask(f"{pair}.forth", first.at, second.at)
        back = "skip" if forth == "skip" else _TURNED[self._ask(f"{pair}.back", second.at, first.at)]
        if "skip" in (forth, back):
            return "skip"
        self.both += 1
        self.alike += forth == back
        return forth if forth == back else "tie"

    def lacks(self, at: At) -> str:
        """What still differs from the instruction in a clip, in the model's words."""
        film = self.films[at]
        text = self.desk.templates.render("judges/vlm_words.jinja", instruction=self.quoted, film=film, place=PLACE)
        self.requests += 1
        return self.desk.ask("words", [Message("user", text, (sheet(film, "CLIP"),))]).text.strip()[:MAX_REMARK]

    def told(self, name: str, queries: int) -> str:
        """What the round's comparisons took, for the user."""
        alike = f"; {self.alike} of {self.both} answered alike in both orders" if self.both else ""
        return f"{name}: {queries} comparisons in {self.requests} requests{alike}."

    def _ask(self, name: str, first: At, second: At) -> Answer:
        films = [self.films[at] for at in (first, second)]
        text = self.desk.templates.render(
            "judges/vlm.jinja", instruction=self.quoted, first=films[0], second=films[1], place=PLACE
        )
        sheets = tuple(sheet(film, label) for film, label in zip(films, ("FIRST", "SECOND"), strict=True))
        messages = [Message("user", text, sheets)]
        said = ""
        for attempt in (0, 1):
            if attempt:
                again = self.desk.templates.render("judges/vlm_repair.jinja")
                messages += [Message("assistant", said[-MAX_REPLY:]), Message("user", again)]
            self.requests += 1
            said = self.desk.ask(f"{name}.{attempt}", messages).text
            answer = read_answer(said)
            if answer is not None:
                return answer
        return "skip"


def read_answer(text: str) -> Answer | None:
    """The answer in a reply's last line; None where that line is none of those asked for."""
    lines = text.strip().splitlines()
    found = _LAST_LINE.fullmatch(lines[-1]) if lines else None
    return _READ[found[1]] if found else None


def make(setting: str) -> VlmJudge:
    """`setting` is `PROVIDER:MODEL`, or settings and a colon before it: `frames=N` and `words`, between commas.

    Raises:
        UsageError: it names no model or provider, or a setting that there is not.
    """
    head, _, rest = setting.partition(":")
    known = {name for name in PROVIDERS.names() if name != NOBODY}
    if head in known and (rest or head == "manual"):
        return VlmJudge(setting)
    if not rest and (not head or head in known):
        raise UsageError(f"`vlm{':' * bool(setting)}{setting}` names no model. {_HOW}")
    if not rest or not ("=" in head or "words" in head.split(",")):
        raise unknown_name("provider of models", head, known, hint=_HOW)
    judge = make(rest)
    for each in head.split(","):
        name, _, value = each.partition("=")
        if each == "words":
            judge = replace(judge, words=True)
        elif name != "frames":
            raise unknown_name("setting of `vlm`", name, ("frames", "words"), hint=_HOW)
        elif not value.isdecimal() or not FEWEST <= int(value) <= MOST:
            raise UsageError(f"`{each}`: a clip is shown as {FEWEST} to {MOST} frames.")
        else:
            judge = replace(judge, frames=int(value))
    return judge
