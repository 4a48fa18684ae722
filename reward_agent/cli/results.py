"""How a plan and a result are told: what a run will do; its score beside the expert's and the floors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reward_agent.cli.board import cost, count, duration, interval
from reward_agent.history import Interval
from reward_agent.plugins import NOBODY
from reward_agent.program import DESCRIBED, REWARD

if TYPE_CHECKING:
    from reward_agent.config import RunConfig
    from reward_agent.plan import Plan
    from reward_agent.result import Result


def describe_plan(plan: Plan, config: RunConfig) -> str:
    """Some lines for a person."""
    from reward_agent.methods import find_method

    each = plan.steps // plan.trainings
    finals = count(plan.final_trainings - plan.expert_trainings, "training")
    expert = f" and {plan.expert_trainings} of the expert's beside it" if plan.expert_trainings else ""
    lasting = f", about {duration(plan.seconds)} on this machine ({plan.jobs} at a time)" if plan.seconds else ""
    if getattr(find_method(plan.method), "entry", "") == DESCRIBED:
        asked = "it judges transitions while the trainings go on"
    elif not plan.requests:
        asked = "no model is asked"
    elif plan.llm.startswith("replay:"):
        asked = "recorded replies; no model is asked, nothing is paid"
    elif plan.llm.startswith("manual"):
        asked = f"about {count(plan.requests, 'reply')}, repairs among them, from you or from a chat window of yours"
    else:
        price = "price not known" if plan.usd is None else f"about ${plan.usd:.2f}"
        asked = f"about {count(plan.requests, 'reply')}, {cost(plan.tokens, 0)}, {price}"
    return (
        f"{plan.task} by {plan.method}, {count(config.iterations, 'round')} of {config.candidates}\n"
        f"  trainings  {plan.trainings}: {plan.search_trainings} in the search; at the end {finals} from scratch of "
        f"the best reward{expert}\n"
        f"  each by    {plan.choice}\n"
        f"  steps      {plan.steps:,} ({each:,} each){lasting}\n"
        f"  model      {plan.llm}: {asked}{_judge(config)}"
    )


def _judge(config: RunConfig) -> str:
    """A line on who compares, where anyone does."""
    from reward_agent.judges.pairs import published_queries

    if config.judge is None:
        return ""
    comparisons = count(published_queries(config.candidates, config.iterations), "comparison")
    who = " (a metric in a person's place)" if config.judge.partition(":")[0] == "metric" else ""
    return f"\n  judge      {config.judge}{who}: about {comparisons}"


def describe_result(result: Result) -> str:
    """Several lines for a person."""
    which = "best of the search" if result.preferred else "the first that was judged, for none was ever preferred"
    found = f"{which}: iteration {result.iteration}, candidate {result.candidate} ({result.model})"
    if result.program.entry == DESCRIBED:
        found = f"the subgoals that were given, judged by {result.llm}"
    judged = f", judged by {result.judge} ({count(result.queries, 'comparison')})" if result.judge else ""
    lines = [
        f"{result.run}: “{result.instruction}”",
        f"  {found if result.llm != NOBODY else 'the reward that was given'}",
        f"  by {result.method}{f', {result.variant}' if result.variant else ''}{judged}",
        *([f"  subgoals pay {pay}"] if (pay := _pay(result)) else []),
        *scores({"this reward": result.metrics, _expert(result): result.expert or {}, **result.floors}),
        *(_over(result) if result.metrics else [_unscored(result)]),
        f"  {result.steps:,} steps trained in all, {cost(result.spent.tokens, result.spent.usd)}",
    ]
    counts = ", and counts as doing nothing" if result.metrics else ""
    lines += [f"  one training failed{counts}: {found.message}" for found in result.failed]
    lines += ["  UNSAFE: reward programs ran without the sandbox"] if result.unsafe else []
    names = [
        name
        for name in (result.reward.name, "policy.safetensors", "policy.json", "video.mp4")
        if (result.best / name).exists()
    ]
    return "\n".join([*lines, *(f"  {result.best / name}" for name in names)])


def _pay(result: Result) -> str:
    """How subgoals paid, where some did."""
    if result.program.entry == REWARD:
        return ""
    return ", ".join(f"{name} {value}" for name, value in result.shaping.items()) or "as usual"


def _expert(result: Result) -> str:
    return f"expert reward ({result.reward_version})" if result.reward_version else "expert reward"


def _over(result: Result) -> list[str]:
    """What the scores are over, how long an episode lasts and what the first metric counts: scores of one name differ
    in these."""
    first = next(iter(result.judged), None)
    trained = f"  over {count(result.trainings, 'training')} from scratch of {result.budget:,} steps"
    return [
        f"{trained}, {count(result.report_episodes, 'episode')} each, on seeds that nothing was chosen by",
        *([f"  episodes of {result.horizon:,} steps; {first}: {result.judged[first]}"] if first else []),
    ]


def _unscored(result: Result) -> str:
    trained = f"{count(result.trainings, 'training')} from scratch of {result.budget:,} steps"
    return f"  {trained}; no metric scores what its policy does: watch it"


def scores(by_whom: Mapping[str, Mapping[str, Interval]]) -> list[str]:
    """One line each: the mean of every metric with its 95 % interval; none without metrics."""
    width = max(map(len, by_whom))
    return [
        f"  {whose:{width}}  " + ", ".join(f"{name} {interval(value)}" for name, value in metrics.items())
        for whose, metrics in by_whom.items()
        if metrics
    ]
