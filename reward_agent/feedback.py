"""What is said back to a model: a training's outcome as text, faults with their lines, program text marked as data.

Only term names, numbers and the word `task_score` go in: no metric by its name, no code, nothing it reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from reward_agent.history import Interval, Outcome
from reward_agent.program import Fault, Program
from reward_agent.sandbox.text import clean
from reward_agent.task import Metric, Task

POINTS = 10
"""Values shown of a series."""
DOMINANT = 0.9
"""Share of all reward above which a term dominates."""
STILL = 0.01
"""Relative range below which a series counts as constant."""
TREND = 0.3
"""Difference of the last third from the first, as a share of the range, that counts as rising or falling."""
MAX_MESSAGE = 1500
MAX_FAULTS = 8
AUTOMATIC = "(Automatic description; no person watched the policy.)"
AUTOMATIC_OF_PLANNER = "(Automatic description; these are no person's words.)"
PLANNED = "The planner acted on the reward; no policy was trained."


def as_data(text: str, limit: int = MAX_MESSAGE) -> str:
    """Text that came out of a program or a reply, bounded and cleaned, between marks it cannot close itself."""
    inside = clean(text, limit).replace("```", "'''").replace("<<<", "< < <").replace(">>>", "> > >")
    return f"<<<\n{inside}\n>>>"


def fenced(source: str) -> str:
    """A program as a Markdown block, whatever backticks it holds."""
    fence = "```"
    while fence in source:
        fence += "`"
    return f"{fence}python\n{source.rstrip()}\n{fence}"


def faults_text(faults: Sequence[Fault], program: Program | None) -> str:
    """Faults for the model, each with its line of the program; what they quote is marked as data."""
    lines = program.source.splitlines() if program else []
    shown = []
    for fault in faults[:MAX_FAULTS]:
        where = f", line {fault.line}" if fault.line else ""
        text = fault.message
        if fault.line and 0 < fault.line <= len(lines):
            text += f"\n    {fault.line} | {lines[fault.line - 1].strip()[:160]}"
        shown.append(f"[{fault.stage}{where}]\n{as_data(text)}")
    if len(faults) > MAX_FAULTS:
        shown.append(f"… and {len(faults) - MAX_FAULTS} more.")
    return "\n".join(shown)


def deciding(task: Task, *outcomes: Outcome) -> Metric | None:
    """The metric that models are told as `task_score` of these outcomes: the one that decides between them.

    That is the first, which the best is chosen by; or the graded one (`Task.graded`) as long as nothing succeeds. What
    is not scored has no say. None of a task without metrics, of which no score is told.
    """
    if not task.metrics:
        return None
    first = task.metrics[0]
    nothing_succeeds = all(outcome.metrics[first.name].mean == 0 for outcome in outcomes if outcome.scored)
    return task.graded if first.kind == "success" and nothing_succeeds else first


def scored(metric: Metric | None, outcome: Outcome) -> str:
    """What a training, or a whole look, reached, as `task_score 0.42`."""
    if metric is None:
        return "acted on, and not scored"
    if outcome.stopped_of is not None:
        return "a look that was not scored"
    return f"task_score {_number(outcome.metrics[metric.name].mean)}"


def reflection(metric: Metric | None, outcome: Outcome) -> str:
    """How a training went: every term, task_score and episode length at about ten points, and what stands out.

    After Eureka (Ma et al., 2024), whose feedback is these same statistics. The task_score is that of `deciding`; where
    there is no metric, nothing is said of one.
    """
    course = outcome.success if metric and metric.kind == "success" else outcome.task_score
    head = _head_of_look(metric, outcome) if outcome.by == "planner" else _head(metric, outcome, course)
    lines = [
        *head,
        *(_series(f"term {_name(name)}", values) for name, values in outcome.terms.items()),
    ]
    lines += [f"Note: {note}" for note in notes(outcome, course)]
    return "\n".join(line for line in lines if line)


def automatic_words(task: Task, outcome: Outcome) -> str:
    """Plain words on an outcome where no person gives any; labelled so. A departure from Text2Reward's paper."""
    label = [AUTOMATIC_OF_PLANNER, PLANNED] if outcome.planned else [AUTOMATIC]
    words = _words_of_look if outcome.by == "planner" else _words
    return " ".join([*label, *words(task, outcome), *_changes(outcome), *notes(outcome, outcome.task_score)])


def traces(outcome: Outcome) -> str:
    """How the terms and the length of episodes went: all of `reflection` that no metric has a part in."""
    lines = [
        _series("episode_length", outcome.episode_length),
        *(_series(f"term {_name(name)}", values) for name, values in outcome.terms.items()),
    ]
    lines += [f"Note: {note}" for note in _notes_on_terms(outcome)]
    return "\n".join(line for line in lines if line)


def notes(outcome: Outcome, score: Sequence[float]) -> list[str]:
    """What stands out in an outcome, in sentences; `score` is the course of what it is judged by."""
    return [*_notes_on_score(outcome, score), *_notes_on_terms(outcome)]


def _notes_on_score(outcome: Outcome, score: Sequence[float]) -> Iterator[str]:
    total = _finite(outcome.episode_return)
    if _trend(total) > 0 and _trend(score) < 0:
        yield "The total reward rose while the task_score fell: the reward is being won by other behaviour."
    elif _trend(total) > 0 and len(score) > 2 and _is_still(score):
        yield "The total reward rose while the task_score did not move: the reward leads elsewhere."
    no_number = any(math.isnan(value.mean) for value in outcome.metrics.values()) or any(map(math.isnan, score))
    if no_number and outcome.stopped_of is None:
        whose = "planner" if outcome.planned else "policy"
        what = f"The {whose}'s behaviour gave no number to score it by"
        yield f"{what}, which counts as the worst score there is."
    best = max(_finite(score), default=math.nan)
    if len(score) > 2 and score[-1] < best - 0.25 * (best - min(_finite(score))):
        yield f"The task_score had reached {_number(best)} and fell back to {_number(score[-1])}."


def _notes_on_terms(outcome: Outcome) -> Iterator[str]:
    course = {"planner": "all that was played", "practice": "the whole practice"}.get(outcome.by, "the whole training")
    sizes = {name: _mean([abs(v) for v in _last_third(values)]) for name, values in outcome.terms.items()}
    whole = sum(sizes.values())
    for name, size in sizes.items():
        if len(sizes) > 1 and whole > 0 and size / whole > DOMINANT:
            yield f"The term {_name(name)} makes {size / whole:.0%} of all reward by size; the others are hardly heard."
    for name, values in outcome.terms.items():
        if all(value == 0 for value in values):
            yield f"The term {_name(name)} was 0 throughout: it never paid."
        elif len(values) > 2 and _is_still(values):
            yield f"The term {_name(name)} stayed constant over {course}."
    if outcome.bad_rewards:
        yield f"The reward was not finite {outcome.bad_rewards} times (counted as 0): guard its arithmetic."


def _words(task: Task, outcome: Outcome) -> Iterator[str]:
    graded, who = task.graded, _who(outcome)
    succeeded = _succeeded(task, outcome)
    if succeeded and outcome.planned and succeeded.single and math.isfinite(succeeded.mean):
        yield _done(succeeded.mean)
    elif succeeded:
        yield f"{who} does what was asked in {_percent(succeeded.mean)} of episodes."
    if graded and graded.kind == "fitness":
        told = f"a task_score of {_number(outcome.metrics[graded.name].mean)}"
        yield f"{who} has {told}, which judges how near the behaviour comes; higher is better."
    score = _finite(outcome.task_score)
    if len(score) > 2:
        moved = {1: "rose", -1: "fell", 0: "did not clearly rise or fall"}[_trend(score)]
        what = "practice" if outcome.planned else "training"
        yield f"Over the {what} the task_score {moved}, from {_number(score[0])} to {_number(score[-1])}."
    lengths = _finite(outcome.episode_length)
    if lengths:
        share = lengths[-1] / task.horizon
        early = "episodes nearly always last to the end" if share > 0.95 else "episodes end early"
        if share < 0.3:
            early = "episodes end very early (a fall, or another way to end them)"
        yield f"In the end {early}: {_number(lengths[-1])} of {task.horizon} steps."


def _words_of_look(task: Task, outcome: Outcome) -> Iterator[str]:
    graded, succeeded = task.graded, _succeeded(task, outcome)
    if outcome.stopped_of is not None:
        yield _stopped(outcome, graded)
        return
    if succeeded and math.isfinite(succeeded.mean):
        yield _done(succeeded.mean)
    if graded and graded.kind == "fitness":
        told = f"a task_score of {_number(outcome.metrics[graded.name].mean)}"
        yield f"The episode has {told}, which judges how near the behaviour comes; higher is better."
    early = outcome.steps < task.horizon
    how = "ended early (a fall, or another way to end it)" if early else "lasted to its end"
    yield f"The episode {how}: {outcome.steps} of {task.horizon} steps."


def _changes(outcome: Outcome) -> Iterator[str]:
    changes = [
        f"{_name(name)} { ({1: 'rose', -1: 'fell', 0: 'changed little or without direction'}[_trend(values)]) }"
        f" ({_number(values[0])} to {_number(values[-1])} a step)"
        for name, values in outcome.terms.items()
        if values
    ]
    if changes:
        yield f"Of the terms, {', '.join(changes)}."


def _succeeded(task: Task, outcome: Outcome) -> Interval | None:
    """The share of successes, where the first metric is a success."""
    return next((outcome.metrics[metric.name] for metric in task.metrics[:1] if metric.kind == "success"), None)


def _head(metric: Metric | None, outcome: Outcome, course: Sequence[float]) -> Iterator[str]:
    if outcome.planned:
        yield PLANNED
    if metric is not None:
        final = outcome.metrics[metric.name]
        spread = "" if final.single else f" (95% interval {_number(final.low)} to {_number(final.high)})"
        yield f"task_score of {_who(outcome).lower()}: {_number(final.mean)}{spread}"
    if not outcome.planned:
        yield _series("task_score", course)
    yield _series("episode_length", outcome.episode_length)
    yield _series("total reward of an episode", outcome.episode_return)


def _head_of_look(metric: Metric | None, outcome: Outcome) -> Iterator[str]:
    yield PLANNED
    if outcome.stopped_of is not None:
        yield _stopped(outcome, metric)
    elif metric is not None:
        yield f"task_score of its one episode: {_number(outcome.metrics[metric.name].mean)}"
    yield f"steps played: {outcome.steps}"
    yield _series("total reward a step", outcome.episode_return)


def _done(success: float) -> str:
    return f"In its one episode what was asked was {'done' if success else 'not done'}."


def _who(outcome: Outcome) -> str:
    return "The planner" if outcome.planned else "The trained policy"


def _stopped(outcome: Outcome, metric: Metric | None) -> str:
    assert outcome.stopped_of is not None, "only of what was cut short"
    played = f"{_number(outcome.seconds)} of {_number(outcome.stopped_of)} s"
    return f"It was stopped after {played} of the episode{', so that it is not scored' if metric else ''}."


def _series(label: str, values: Sequence[float]) -> str:
    """`label: values at about ten points (max, mean, min)`; nothing for no values."""
    known = _finite(values)
    if not known:
        return ""
    if len(values) == 1:
        return f"{label}: {_number(values[0])}"
    step = max(1, math.ceil(len(values) / (POINTS + 2)))
    shown = list(values[::step])
    if (len(values) - 1) % step:
        shown.append(values[-1])
    listed = ", ".join(_number(value) for value in shown)
    return f"{label}: {listed} (max {_number(max(known))}, mean {_number(_mean(known))}, min {_number(min(known))})"


def _trend(values: Sequence[float]) -> int:
    """1 when a series rises, -1 when it falls, 0 when neither is clear."""
    known = _finite(values)
    if len(known) < 3 or _is_still(known):
        return 0
    change = (_mean(_last_third(known)) - _mean(known[: len(_last_third(known))])) / (max(known) - min(known))
    return 1 if change > TREND else -1 if change < -TREND else 0


def _is_still(values: Sequence[float]) -> bool:
    known = _finite(values)
    return bool(known) and max(known) - min(known) <= STILL * max(abs(value) for value in known)


def _last_third(values: Sequence[float]) -> list[float]:
    known = _finite(values)
    return known[-max(1, len(known) // 3) :]


def _finite(values: Sequence[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _number(value: float) -> str:
    value += 0.0  # no minus before a zero
    return f"{value:.3g}" if abs(value) < 1000 or not math.isfinite(value) else f"{value:.0f}"


def _name(name: str) -> str:
    return f"`{clean(name, 64)}`"


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
