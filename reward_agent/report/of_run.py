"""The report of a run, finished or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reward_agent.chronicle import Chronicle, name_of, read_chronicle
from reward_agent.errors import UsageError
from reward_agent.files import write_atomically, writing
from reward_agent.history import Judgement
from reward_agent.judges.pairs import published_queries
from reward_agent.judging import ASKED
from reward_agent.messages import Reply
from reward_agent.report import MEGABYTES
from reward_agent.report.charts import candidate_charts, metric_charts, result_charts
from reward_agent.report.command import again
from reward_agent.report.films import Films, choose_films
from reward_agent.report.page import render
from reward_agent.scoring import SeedPlan

REPORT = "report.html"
SEEDS_TOLD = 5
"""Of a long list of seeds."""


@dataclass(frozen=True)
class Report:
    """A file that was written."""

    path: Path
    bytes: int
    state: str
    """Of the run: running, waiting, stopped or finished."""
    videos: int
    left_out: tuple[Path, ...]
    """Clips that there was no room for."""


def report_run(folder: Path, to: Path | None = None, videos: str = "best", megabytes: int = MEGABYTES) -> Report:
    """Write the report of the run in `folder`, by default into it; over one that is there.

    Args:
        folder: of the run, which may go on meanwhile.
        to: the file to write.
        videos: `all` clips that there are, the `best` of each round (and the worst that a judge told), or `none`.
        megabytes: of clips that the file may hold.

    Raises:
        UsageError: no run is there, it is a chat, or `videos` is none of these.
        RewardAgentError: the file cannot be written.
    """
    run, path = read_chronicle(folder), to or folder / REPORT
    if run.manifest.chat is not None:
        raise UsageError(f"{run.id} is a chat, which has no rounds to report. `{run.resume}` goes on with it.")
    films = choose_films(run, videos, megabytes)
    content = render_run(run, films).encode()
    with writing(path):
        write_atomically(path, content)
    return Report(path, len(content), run.state, len(films.addresses), films.left_out)


def render_run(run: Chronicle, films: Films) -> str:
    """The page itself."""
    return render(
        "run.html.jinja",
        run=run,
        result=run.result,
        films=films,
        again=again(run),
        result_charts=result_charts(run.result) if run.result else [],
        metric_charts=[] if run.blind else metric_charts(run),
        charts={each.at: candidate_charts(each, blind=run.blind) for each in run.candidates},
        queries=_queries(run),
        seeds=_seeds(run),
        replies=_models(run),
        name=name_of,
    )


def _queries(run: Chronicle) -> Mapping[str, int] | None:
    """Comparisons as they were made, and as ICPL's paper counts them, for the rounds that were judged."""
    judgements: list[Judgement] = list(run.judgements.values())
    if not judgements:
        return None
    candidates, rounds = run.config.candidates, len(judgements)
    return {
        "made": sum(judgement.queries for judgement in judgements),
        "published": published_queries(candidates, rounds),
        "candidates": candidates,
        "rounds": rounds,
    }


def _seeds(run: Chronicle) -> list[tuple[str, str]]:
    """What each is of, and the seeds."""
    config = run.config
    plan = {
        "trainings from scratch": [SeedPlan.final_seed(config.seed, i) for i in range(config.final_seeds)],
        "select episodes": SeedPlan.select_seeds(config.seed, config.select_episodes).tolist(),
        "report episodes": SeedPlan.report_seeds(config.seed, config.report_episodes).tolist(),
    }
    told = [("run", str(config.seed))]
    told += [
        (f"training of {name_of(candidate.at)}", str(SeedPlan.training_seed(config.seed, *candidate.at)))
        for candidate in run.candidates
        if candidate.trained is not None
    ]
    return told + [(what, _listed(seeds)) for what, seeds in plan.items()]


def _listed(seeds: list[int]) -> str:
    more = f" and {len(seeds) - SEEDS_TOLD} more" if len(seeds) > SEEDS_TOLD else ""
    return ", ".join(map(str, seeds[:SEEDS_TOLD])) + more


def _models(run: Chronicle) -> list[dict[str, Any]]:
    """The models that replied, as replies name them, and what for: replies, tokens, first and last date, settings."""
    found: dict[tuple[str, str], list[Reply]] = {}
    for key, reply in run.replies.items():
        found.setdefault((reply.model, "judges" if key.stage.startswith(ASKED) else "writes"), []).append(reply)
    return [
        {
            "model": model,
            "does": does,
            "replies": len(replies),
            "tokens_in": sum(reply.usage.input_tokens for reply in replies),
            "tokens_out": sum(reply.usage.output_tokens for reply in replies),
            "dates": sorted({reply.date[:10] for reply in replies if reply.date}),
            "replayed": all(reply.replayed for reply in replies),
            "settings": replies[-1].settings,
        }
        for (model, does), replies in found.items()
    ]
