"""Pages of a round that people judge: the clips, an answer, and what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from reward_agent.judges.sheets import CLIPS
from reward_agent.web import runs
from reward_agent.web.films import film
from reward_agent.web.pages import live
from reward_agent.web.paths import NothingThereError, judging_folder, open_video, run_folder
from reward_agent.web.ranking import ALONE, Round, find_round, session, status
from reward_agent.web.requests import BadRequestError, Form, named, news, page


def routes(root: Path) -> APIRouter:
    """Over the runs in `root`."""
    router = APIRouter()

    @router.get("/runs/{run}/rank")
    def rank(run: str) -> Response:
        folder = run_folder(root, run)
        if waiting := runs.open_rounds(folder):
            return RedirectResponse(f"{_address(run)}/{waiting[-1]}", 303)
        values: dict[str, Any] = {"folder": quote(run, safe=""), "standing": runs.standing(folder)}
        return page("nothing.html.jinja", part=live(_when_open(run), "nothing_yet.html.jinja", **values), **values)

    @router.get("/runs/{run}/rank-when-open")
    def rank_when_open(run: str, seen: str = "") -> Response:
        folder = run_folder(root, run)
        if runs.open_rounds(folder):
            return Response(headers={"HX-Redirect": _address(run)})
        values: dict[str, Any] = {"folder": quote(run, safe=""), "standing": runs.standing(folder)}
        return news(_when_open(run), "nothing_yet.html.jinja", seen, **values)

    @router.get("/runs/{run}/rank/{iteration}")
    def rank_round(run: str, iteration: int, rater: str | None = None) -> Response:
        found = find_round(run_folder(root, run), iteration)
        if rater is None and found.sheet.raters == 1:
            rater = next((ballot.rater for ballot in found.box.all()), ALONE)
        if rater is None:
            return page("who.html.jinja", told="", given="", **status(found, ""))
        try:
            name = named(rater)
        except BadRequestError as error:
            return page("who.html.jinja", code=400, told=str(error), given=rater, **status(found, ""))
        return _session(found, name)

    @router.get("/runs/{run}/rank/{iteration}/status")
    def rank_status(run: str, iteration: int, rater: str, seen: str = "") -> Response:
        name = named(rater)
        found = find_round(run_folder(root, run), iteration)
        return news(_status(found, name), "status.html.jinja", seen, **status(found, name))

    @router.post("/runs/{run}/rank/{iteration}")
    def take_answer(run: str, iteration: int, request: Request, fields: Form) -> Response:
        found, rater = find_round(run_folder(root, run), iteration), named(fields.get("rater", ""))
        do, text, version = fields.get("do", ""), fields.get("text", ""), fields.get("version", "")
        if not (version.isascii() and version.isdigit() and len(version) < 10):
            raise BadRequestError("The form has no version of the answer that it changes. Load the page again.")
        click, force = fields.get("click", ""), fields.get("force") == "yes"
        try:
            saved = found.box.save(rater, do, text, int(version), click=click, force=force)
        except ValueError as error:
            raise BadRequestError(f"That cannot be done: {error}. Load the page again.") from error
        if saved.refused:
            return _session(found, rater, refused=(do, text), code=409)
        if request.headers.get("x-page"):  # the script, which takes what changed into the page it has
            return _session(found, rater)
        return RedirectResponse(f"{_address(run)}/{iteration}?rater={quote(rater, safe='')}", 303)

    @router.get("/runs/{run}/rank/{iteration}/clips/{clip}.mp4")
    def show_clip(run: str, iteration: int, clip: str, range: Annotated[str | None, Header()] = None) -> Response:
        folder = run_folder(root, run)
        if clip not in find_round(folder, iteration).sheet.ids:
            raise NothingThereError("There is no such clip.")
        return film(*open_video(judging_folder(folder, iteration) / CLIPS, folder, f"{clip}.mp4"), range)

    return router


def _session(found: Round, rater: str, *, refused: tuple[str, str] | None = None, code: int = 200) -> HTMLResponse:
    part = live(_status(found, rater), "status.html.jinja", **status(found, rater))
    return page("ranking.html.jinja", code=code, status_part=part, **session(found, rater, refused=refused))


def _address(run: str) -> str:
    return f"/runs/{quote(run, safe='')}/rank"


def _when_open(run: str) -> str:
    return f"/runs/{quote(run, safe='')}/rank-when-open"


def _status(found: Round, rater: str) -> str:
    return f"{_address(found.run.name)}/{found.number}/status?rater={quote(rater, safe='')}"
