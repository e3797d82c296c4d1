"""Opening workspaces for commands."""

from __future__ import annotations

import importlib
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pjais_lab as pj
from pjais_lab.errors import NotFoundError

if TYPE_CHECKING:
    from pjais_lab.lab.lab import Lab

__all__ = ["attached", "persona_id", "rows_of"]


@contextmanager
def attached(path: Path, *, create: bool = False) -> Generator[Lab]:
    """An open lab that is closed whatever happens.

    Args:
        path: the workspace's directory.
        create: make it if it is not there.

    Raises:
        WorkspaceNotFoundError: there is none, and ``create`` is False.
    """
    lab = pj.open(path, create=create)
    _let_waits_be_interrupted()
    try:
        yield lab
    finally:
        lab.close()


def _let_waits_be_interrupted() -> None:
    """Polars handles Ctrl-C such that a waiting main thread would sleep on; let it wake."""
    if hasattr(signal, "siginterrupt") and threading.current_thread() is threading.main_thread():
        importlib.import_module("polars")  # its handler must be there before it is changed
        signal.siginterrupt(signal.SIGINT, True)


def rows_of(lab: Lab, sql: str, **params: Any) -> list[tuple[Any, ...]]:
    """The rows of a query as tuples."""
    return lab.query(sql, **params).rows()


def persona_id(lab: Lab, name: str) -> str:
    """The id of a persona given by name or id.

    Raises:
        NotFoundError: there is none.
    """
    found = rows_of(
        lab, "SELECT id::VARCHAR FROM personas WHERE name = $name OR id::VARCHAR = $name", name=name
    )
    if found:
        return str(found[0][0])
    names = [str(n) for (n,) in rows_of(lab, "SELECT name FROM personas ORDER BY name LIMIT 20")]
    hint = f"There are {', '.join(names)}." if names else "There are no personas yet."
    raise NotFoundError(f"There is no persona {name!r}.", hint=hint, name=name)
