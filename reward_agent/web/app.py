"""The application: static files, what goes wrong, and the routes of `run_routes` and `rank_routes`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from reward_agent.drawing import stylesheet
from reward_agent.errors import RewardAgentError
from reward_agent.web import rank_routes, run_routes
from reward_agent.web.paths import NothingThereError
from reward_agent.web.requests import BadRequestError, page

STATIC = {
    "htmx.min.js": "text/javascript",
    "htmx.LICENSE.txt": "text/plain",
    "films.js": "text/javascript",
    "ranking.js": "text/javascript",
    "page.css": "text/css",
    "icon.svg": "image/svg+xml",
}


def make_app(root: Path) -> FastAPI:
    """The application over the runs in `root`; `guard.Guard` goes around it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _tell_errors(app)

    @app.get("/static/{name}")
    def static(name: str) -> Response:
        if name == "drawing.css":
            return Response(stylesheet(), media_type="text/css")
        if name not in STATIC:
            raise NothingThereError("There is no such file.")
        return Response(files("reward_agent.web").joinpath("static", name).read_bytes(), media_type=STATIC[name])

    app.include_router(run_routes.routes(root))
    app.include_router(rank_routes.routes(root))
    return app


def _tell_errors(app: FastAPI) -> None:
    """Each as a page with a paragraph; none says where in the program it was."""

    def tell(code: int, told: str) -> Response:
        return page("error.html.jinja", code=code, status=code, told=told)

    @app.exception_handler(NothingThereError)
    async def nothing(request: Request, error: NothingThereError) -> Response:
        return tell(404, str(error))

    @app.exception_handler(BadRequestError)
    async def bad(request: Request, error: BadRequestError) -> Response:
        return tell(400, str(error))

    @app.exception_handler(RequestValidationError)
    async def unreadable(request: Request, error: RequestValidationError) -> Response:
        return tell(404, "There is no such page here.")

    @app.exception_handler(RewardAgentError)
    async def broken(request: Request, error: RewardAgentError) -> Response:
        return tell(409, str(error))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return tell(500, "Something went wrong here that nobody expected. The terminal of the server tells what.")

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        known = {404: "There is no such page here.", 405: "That cannot be asked of this page."}
        return tell(error.status_code, known.get(error.status_code, str(error.detail)))
