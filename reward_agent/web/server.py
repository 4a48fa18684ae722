"""Serves the page on this machine alone."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from reward_agent.errors import UsageError
from reward_agent.web.components import require

HOST, PORT = "127.0.0.1", 8325
"""The port is the usual one, so that what a browser keeps unsent for it finds its way after a restart."""


def serve(root: Path, port: int | None, started: Callable[[str], None], path: str = "/") -> None:
    """Serve the runs in `root` until Ctrl-C.

    Args:
        root: the folder of runs.
        port: None for the usual one, or a free one where that is taken.
        started: gets the link, with its token, when the page can be had.
        path: of the page that the link leads to.

    Raises:
        UsageError: the port is taken.
        MissingComponentError: a package is missing.
    """
    require()
    import uvicorn

    from reward_agent.web.app import make_app
    from reward_agent.web.guard import Guard

    listening = _listen(port)
    number = listening.getsockname()[1]
    token = secrets.token_urlsafe(32)
    app = Guard(make_app(root), token, number)
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    with listening:
        started(f"http://{HOST}:{number}{quote(path)}?token={token}")
        server.run(sockets=[listening])


def _listen(port: int | None) -> socket.socket:
    wanted = [PORT, 0] if port is None else [port]
    for number in wanted:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, number))
            listening.listen(128)
            return listening
        except OSError as error:
            listening.close()
            if number == wanted[-1]:
                why = (error.strerror or "taken").lower()
                raise UsageError(
                    f"Port {number} of {HOST} cannot be had ({why}), maybe another page is served there: leave "
                    "`--port` out for a free one."
                ) from error
        except OverflowError as error:
            listening.close()
            raise UsageError(f"There is no port {port}: give one between 1 and 65535.") from error
    raise AssertionError("the last one is tried or refused")
