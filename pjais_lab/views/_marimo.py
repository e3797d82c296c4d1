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


def esm(own: str, symbol: str, bundle: str) -> str:
    """The module of a view that loads the bundle by itself, once for a page.

    Args:
        own: the module, which waits for the bundle.
        symbol: where the page keeps the bundle.
        bundle: its text.
    """
    return f"""\
{{
  const at = Symbol.for({json.dumps(symbol)}), first = !(at in globalThis);
  const found = globalThis[at] ??= Promise.withResolvers();
  const text = new Blob([{json.dumps(bundle)}], {{ type: "text/javascript" }});
  const start = (made) => made.default.initialize({{ model: {{}} }});
  if (first) import(URL.createObjectURL(text)).then(start).catch(found.reject);
}}
{own}"""


def on_close(comm: Any, closed: Callable[[object], None]) -> None:
    """Call back when marimo closes a comm, as its cell runs again or is deleted; it tells nobody."""
    close = comm.close

    def call(*args: Any, **keywords: Any) -> None:
        close(*args, **keywords)
        closed(None)

    comm.close = call
