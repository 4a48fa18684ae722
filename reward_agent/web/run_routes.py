"""Pages of runs: the list, a run's rounds, a candidate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header
from fastapi.responses import RedirectResponse, Response

from reward_agent.chronicle import read_chronicle
from reward_agent.report.charts import candidate_charts
from reward_agent.web import runs
from reward_agent.web.films import film
from reward_agent.web.pages import live
from reward_agent.web.paths import NothingThereError, candidate_folder, open_video, run_folder
from reward_agent.web.requests import Form, news, page
from reward_agent.web.words import say

Range = Annotated[str | None, Header()]


def routes(root: Path) -> APIRouter:
    """Over the runs in `root`."""
    router = APIRouter()

    @router.get("/")
    def list_runs() -> Response:
        return page("runs.html.jinja", rows=live("/rows", "rows.html.jinja", rows=runs.rows(root)))

    @router.get("/rows")
    def list_rows(seen: str = "") -> Response:
        return news("/rows", "rows.html.jinja", seen, rows=runs.rows(root))

    @router.get("/runs/{run}")
    def show_run(run: str) -> Response:
        values = _values(root, run)
        rounds = live(_rounds(run), "rounds.html.jinja", going=values["run"].state != "finished", **values)
        return page("run.html.jinja", rounds=rounds, **values)

    @router.get("/runs/{run}/rounds")
    def show_rounds(run: str, seen: str = "") -> Response:
        values = _values(root, run)
        return news(_rounds(run), "rounds.html.jinja", seen, going=values["run"].state != "finished", **values)

    @router.get("/runs/{run}/candidates/{iteration}/{index}")
    def show_candidate(run: str, iteration: int, index: int) -> Response:
        return _candidate(root, run, iteration, index)

    @router.get("/runs/{run}/candidates/{iteration}/{index}/video.mp4")
    def show_video(run: str, iteration: int, index: int, range: Range = None) -> Response:
        folder = run_folder(root, run)
        if iteration in runs.open_rounds(folder):
            raise NothingThereError("This round is being judged: its clips are shown without names until then.")
        return film(*open_video(candidate_folder(folder, iteration, index), folder), range)

    @router.post("/runs/{run}/candidates/{iteration}/{index}/words")
    def take_words(run: str, iteration: int, index: int, fields: Form) -> Response:
        text = fields.get("text", "")
        candidate_folder(run_folder(root, run), iteration, index)
        told = say(read_chronicle(run_folder(root, run)), (iteration, index), text)
        if told:
            return _candidate(root, run, iteration, index, told=told, typed=text, code=409)
        return RedirectResponse(f"/runs/{quote(run, safe='')}/candidates/{iteration}/{index}", 303)

    return router


def _rounds(run: str) -> str:
    return f"/runs/{quote(run, safe='')}/rounds"


def _values(root: Path, run: str) -> dict[str, Any]:
    return {"folder": quote(run, safe=""), **runs.values_of(read_chronicle(run_folder(root, run)))}


def _candidate(
    root: Path, run: str, iteration: int, index: int, *, told: str = "", typed: str = "", code: int = 200
) -> Response:
    values = _values(root, run)
    chronicle = values["run"]
    candidate = chronicle.candidate((iteration, index))
    if candidate is None:
        raise NothingThereError("This run has no such candidate.")
    return page(
        "candidate.html.jinja",
        code=code,
        candidate=candidate,
        charts=candidate_charts(candidate, blind=chronicle.blind),
        being_judged=iteration in values["open_rounds"],
        judged=runs.round_of(chronicle, candidate).judgement,
        told=told,
        typed=typed,
        **values,
    )
