"""marimo as a host: it runs no model's code before it shows it, and ties every comm to a cell.

So no model can carry the bundle for all views, nor hear for them: each view brings the bundle,
which marimo and the page keep once, and hears on its own comm.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, Final

__all__ = ["esm", "is_host", "on_close"]

_SEEN: Final[list[bool]] = []
"""Not empty once a view was made in a cell of marimo: it does not know itself in other threads."""


def is_host() -> bool:
    """Whether this code runs in a marimo notebook."""
    marimo: Any = sys.modules.get("marimo")
    if marimo is not None and not _SEEN and marimo.running_in_notebook():
        _SEEN.append(True)
    return bool(_SEEN)


def esm(own: str, load: str, bundle: str) -> str:
    """The module of a view that brings the bundle by itself.

    Args:
        own: the module, which waits for the bundle.
        load: declares a function ``load`` that takes the bundle.
        bundle: its text.
    """
    return f"{{\n{load}load({json.dumps(bundle)});\n}}\n{own}"


def on_close(comm: Any, closed: Callable[[object], None]) -> None:
    """Call back when marimo closes a comm, as its cell runs again or is deleted; it tells nobody."""
    close = comm.close

    def call(*args: Any, **keywords: Any) -> None:
        close(*args, **keywords)
        closed(None)

    comm.close = call
