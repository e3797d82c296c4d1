"""Jupyter's server tells the page which folders hold a workspace."""

from __future__ import annotations

import json
from typing import Any, Final

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError, authenticated

__all__ = ["ROUTE", "WorkspacesHandler"]

ROUTE: Final = "pjais-lab/workspaces"
_MARK: Final = "workspace.toml"
_MOST_NAMES: Final = 10_000


class WorkspacesHandler(APIHandler):
    """Of some folders of one folder, those with a workspace; the contents' own rules hold."""

    auth_resource = "contents"

    @authenticated
    @authorized("read")  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        """Answer ``{"folder": "a/b", "names": ["c", "d"]}`` with ``{"workspaces": ["d"]}``."""
        folder, names = _asked(self.get_json_body())
        holds: Any = self.contents_manager.file_exists
        found = [n for n in names if await ensure_async(holds(f"{folder}/{n}/{_MARK}".lstrip("/")))]
        self.finish(json.dumps({"workspaces": found}))


def _asked(body: Any) -> tuple[str, list[str]]:
    said = body if isinstance(body, dict) else {}
    folder, names = said.get("folder"), said.get("names")
    if (
        isinstance(folder, str)
        and isinstance(names, list)
        and len(names) <= _MOST_NAMES
        and all(isinstance(name, str) for name in names)
    ):
        return folder, names
    msg = (
        f"Expected a folder's path and at most {_MOST_NAMES} names of folders in it,"
        ' as {"folder": "a", "names": ["b"]}.'
    )
    raise HTTPError(400, msg)
