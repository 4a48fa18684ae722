"""Does every metric judge whole episodes: a finite number, the same twice, of what it says it reads?"""

from __future__ import annotations

from collections.abc import Iterator

from reward_agent.conformance.finding import Finding, failed, listed, passed, warning
from reward_agent.conformance.subject import Subject, Whole
from reward_agent.errors import unknown_name
from reward_agent.metric_check import problem
from reward_agent.task import Episode, Metric, Termination

NAME = "metrics"


def metrics(subject: Subject) -> Iterator[Finding]:
    """Every metric, if any, scores episodes of no, of random and of held actions."""
    task = subject.task
    known = subject.full.by_path
    for reader, fields in _readers(subject):
        lacking = [path for path in fields if path not in known]
        if lacking:
            yield failed(
                NAME,
                f"{reader} reads `{lacking[0]}`. {unknown_name('state field', lacking[0], known)}",
                contract="A metric and a termination name the fields they read, hidden ones included.",
                change="Name a field of the task's schema (after `hide` and `rename`).",
            )
            return
    if not task.metrics:
        yield passed(NAME, "There are none: what is done here is judged by comparison alone.")
        return
    scores: dict[str, list[float]] = {}
    for metric in task.metrics:
        for whole in subject.episodes:
            episode = _episode(subject, metric, whole)
            who = f"The metric `{metric.name}`, on {len(whole.actions)} steps of {whole.policy} from seed {whole.seed},"
            if wrong := problem(metric, episode):
                yield failed(
                    NAME,
                    f"{who} {wrong}.",
                    contract="A metric scores any episode of at least one step, reads just the fields it names, and "
                    "gives one finite float, the same for the same episode; a success is 1.0 or 0.0.",
                    change="Name in `fields` all that `score` reads; guard short episodes, divisions and empty "
                    "selections; keep no memory, draw nothing, write into no input.",
                )
                return
            scores.setdefault(metric.name, []).append(float(metric.score(episode)))
    constant = [name for name, values in scores.items() if len(set(values)) == 1]
    tried = f"{len(subject.episodes)} episodes of no, random and held actions"
    if len(constant) == len(scores):
        told = listed([f"`{name}` {scores[name][0]:.4g}" for name in constant])
        yield warning(
            NAME,
            f"No metric tells {tried} apart: {told} in all of them.",
            contract="Where nothing succeeds yet, a graded metric should tell better from worse.",
            change="Give the task a metric of kind `fitness` that rises with every step in the right direction, or see "
            "that these episodes are rightly alike.",
        )
    else:
        ranges = [f"`{name}` {min(values):.4g} to {max(values):.4g}" for name, values in scores.items()]
        yield passed(NAME, f"Over {tried}: {listed(ranges)}.")


def _readers(subject: Subject) -> Iterator[tuple[str, tuple[str, ...]]]:
    for metric in subject.task.metrics:
        yield f"The metric `{metric.name}`", metric.fields
    if isinstance(subject.task.terminates, Termination):
        yield "The task's termination", subject.task.terminates.fields


def _episode(subject: Subject, metric: Metric, whole: Whole) -> Episode:
    """An episode with just the fields that the metric names."""
    schema = subject.full.select(metric.fields)
    states = whole.states[:, subject.full.indices(schema.by_path)]
    dt = subject.task.world.dt
    return Episode(schema.view(states), whole.actions.copy(), whole.terminated, schema.constants_view(), dt)
