"""Raters who err: how a stand-in that knows the true values answers as people do.

After B-Pref (Lee et al., 2021): mistakes, ties, left-out pairs, and preferences that are only likely (Bradley and
Terry, 1952). Differences are told as shares of the range that a round's values span, its champion's among them, so that
one setting suits every metric.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from reward_agent.checked import Checked, Count, NotNegative, Share
from reward_agent.history import CHAMPION, At, Judgement, Preference
from reward_agent.judges import Entrant, Question
from reward_agent.judges.agreement import kendall_w, order_of
from reward_agent.judges.pairs import Answer, best_and_worst, generator

Key = tuple[float, ...]
"""A value to compare by; what follows it breaks exact ties."""


@dataclass(frozen=True)
class Noise(Checked):
    """How raters err; as it is, they never do.

    Raises:
        UsageError: a value is out of its range.
    """

    mistakes: Share = 0.0
    """Probability that an answer is turned round."""
    ties: Share = 0.0
    """Two that differ by no more than this share of the range are a tie."""
    skips: Share = 0.0
    """Probability that a pair is left out."""
    poor: Share = 0.0
    """A pair is left out where both are within this lowest share of the range."""
    temperature: NotNegative = 0.0
    """Of Bradley and Terry's model, in shares of the range: two that differ by one temperature are told apart rightly
    in 73 % of answers. 0: always."""
    raters: Count = 1
    """Each errs on their own; the majority of those who prefer one decides."""


@dataclass(frozen=True)
class Rater:
    """One of them, asked about one round."""

    noise: Noise
    values: Mapping[At, Key]
    random: np.random.Generator
    low: float
    span: float
    """Range of the values, from `low`."""

    def answer(self, first: Entrant, second: Entrant) -> Answer:
        draws = self.random.random(3)  # as many for every answer, so that one setting moves no other's chances
        left, right = self.values[first.at], self.values[second.at]
        if draws[0] < self.noise.skips or (self.noise.poor and max(self._share(left), self._share(right)) <= 0):
            return "skip"
        if left == right or (self.noise.ties and abs(left[0] - right[0]) <= self.noise.ties * self.span):
            return "tie"
        prefers_first = left > right
        if self.noise.temperature and self.span:
            prefers_first = draws[1] < _likely((left[0] - right[0]) / (self.span * self.noise.temperature))
        return "first" if prefers_first != (draws[2] < self.noise.mistakes) else "second"

    def _share(self, value: Key) -> float:
        """How far it is above what counts as poor; not above 0 where it is poor."""
        return value[0] - self.low - self.noise.poor * self.span


@dataclass
class Panel:
    """The raters of one round; what each answered is kept for their agreement."""

    raters: Sequence[Rater]
    said: list[list[Preference]] = field(init=False)

    def __post_init__(self) -> None:
        self.said = [[] for _ in self.raters]

    def answer(self, first: Entrant, second: Entrant) -> Answer:
        answers = [rater.answer(first, second) for rater in self.raters]
        for answer, said in zip(answers, self.said, strict=True):
            said.append(Preference(first.at, second.at, answer))
        for_first, for_second = answers.count("first"), answers.count("second")
        if for_first != for_second:
            return "first" if for_first > for_second else "second"
        return "skip" if set(answers) == {"skip"} else "tie"


def judged(question: Question, judge: str, noise: Noise, values: Mapping[At, Key]) -> Judgement:
    """What the raters make of a round whose true values these are. The same question gets the same answers."""
    known = [value[0] for value in values.values() if math.isfinite(value[0])]
    low, span = (min(known), max(known) - min(known)) if known else (0.0, 0.0)
    panel = Panel(
        [Rater(noise, values, generator(question, f"rater {n}"), low, span) for n in range(1, noise.raters + 1)]
    )
    judgement = best_and_worst(question, judge, panel.answer)
    if noise.raters == 1:
        return judgement
    numbers = {entrant.at: entrant.at[1] for entrant in question.entrants}
    if question.champion:
        numbers[question.champion.at] = CHAMPION
    rankings = {
        f"rater {n}": order_of((numbers[made.first], numbers[made.second], made.answer) for made in said)
        for n, said in enumerate(panel.said, 1)
    }
    queries = judgement.queries * noise.raters
    return replace(judgement, queries=queries, rankings=rankings, agreement=kendall_w(rankings.values()))


def _likely(difference: float) -> float:
    """The logistic function, which `math.exp` alone would overflow in."""
    return 0.5 * (1.0 + math.tanh(0.5 * difference))
