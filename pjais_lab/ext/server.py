"""An extension of Jupyter's server: what a kernel says reaches the page at once.

Jupyter leaves Nagle's algorithm on for its websockets (TCP_NODELAY off), so that a small message
may wait for the acknowledgement of the one before it, some 40 ms. Installing this package turns it
on, by a file in ``etc/jupyter/jupyter_server_config.d``. The extension also tells the one of
JupyterLab which folders hold a workspace.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from jupyter_server.utils import url_path_join

from pjais_lab.ext._workspaces import ROUTE, WorkspacesHandler

__all__ = ["_jupyter_server_extension_points", "_load_jupyter_server_extension", "at_once"]

_MARK = "_pjais_at_once"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "pjais_lab.ext.server"}]


def _load_jupyter_server_extension(server: Any) -> None:
    web = server.web_app
    web.add_handlers(".*$", [(url_path_join(web.settings["base_url"], ROUTE), WorkspacesHandler)])
    opened: Callable[..., Awaitable[None]] = KernelWebsocketHandler.open
    if not hasattr(opened, _MARK):
        KernelWebsocketHandler.open = at_once(opened)  # type: ignore[assignment, method-assign]


def at_once(opened: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """A websocket's ``open`` that first turns off the waiting of small messages."""

    @wraps(opened)
    async def open_at_once(self: Any, *args: Any, **keywords: Any) -> None:
        self.set_nodelay(True)
        await opened(self, *args, **keywords)

    setattr(open_at_once, _MARK, True)
    return open_at_once
