"""A server of viser's page that only this machine reaches, and only from that page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from reward_agent.errors import UsageError

HOST = "127.0.0.1"
OURS = (HOST, "localhost", "::1")
"""Names of this machine; a tunnel of the user's own (`ssh -L`) may have any port."""


def serve(port: int | None) -> Any:
    """A `viser.ViserServer` on loopback, at `port` or else a free one.

    Raises:
        UsageError: the port is taken, or is none.
    """
    import viser

    class Server(viser.ViserServer):  # type: ignore[misc]
        """Any page may ask a server of viser's to open itself to the internet; this one does not."""

        def request_share_url(self, verbose: bool = True) -> None:
            return None

    if port is not None and not 0 < port < 65536:
        raise UsageError(f"There is no port {port}: give one between 1 and 65535, or none for a free one.")
    with _quiet():
        server = Server(host=HOST, port=port or 0, label="reward-agent", verbose=False)
        if port is not None and server.get_port() != port:
            server.stop()
            raise UsageError(
                f"Port {port} of {HOST} is taken, maybe by another view: close that, or leave the port out for a "
                "free one."
            )
    _guard(server)
    return server


def stop(server: Any) -> None:
    """End it; its port is free when this returns."""
    with _quiet():
        server.stop()


def is_ours(headers: Mapping[str, str]) -> bool:
    """Whether a request was meant for this machine (its `Host`) and, from a browser, made by the page itself.

    Other sites may be let through to loopback by a name that they own, and browsers let every site open WebSockets.
    """
    host, origin = headers.get("Host", ""), headers.get("Origin")
    try:
        return urlsplit(f"//{host}").hostname in OURS and (origin is None or urlsplit(origin).netloc == host)
    except ValueError:
        return False


def _guard(server: Any) -> None:
    """Close foreign connections before a word is read or said on them.

    viser gives its handlers no headers and its own checks are none. The page that it serves to whoever asks is the same
    for everybody; all that is ours goes over the connection.
    """
    sockets = server._websock_server
    connections = sockets._live_connections

    @sockets.on_client_connect  # type: ignore[untyped-decorator, unused-ignore]
    async def refuse(client: Any) -> None:
        connection = connections[client.client_id]
        if is_ours(connection.request.headers):
            return
        del connections[client.client_id]
        await connection.close(1008, "This view is for pages of this machine.")
        # any other exception is printed with its traceback; none at all would go on with the connection
        raise asyncio.CancelledError

    sockets.disconnect_all_clients()  # whoever came before: pages connect again by themselves


@contextmanager
def _quiet() -> Iterator[None]:
    """viser tells the terminal of itself when it starts and stops, whatever is asked of it."""
    import rich

    console = rich.get_console()
    before, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = before
