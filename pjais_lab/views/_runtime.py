"""The browser's half, carried once per kernel, and the comm that requests come on.

A view's own ``_esm`` is a loader of a few lines that waits for the bundle: twenty views share one,
and so do the kernels of a page, one after the other. Requests come on the runtime's comm, which
Python publishes on only to answer, in the context of the request: ipykernel sends the next message
of a comm to where the last publisher on it ran, and after a push from a cell that is the main
thread, which is busy while a cell runs.
"""

from __future__ import annotations

import contextlib
import math
import re
import threading
import time
import weakref
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

import traitlets

from pjais_lab import __version__
from pjais_lab.errors import ViewError
from pjais_lab.views import _marimo
from pjais_lab.views._repeats import Request
from pjais_lab.views._requests import Answers, Operations
from pjais_lab.views._widget import Widget

__all__ = ["LOADER", "SYMBOL", "bundle", "free_route", "runtime", "sender", "with_loader"]

_LATELY_S: Final = 10.0  # two heartbeats of a page
_DRAW: Final = re.compile(r"\bexport\s+(async\s+)?(function|const|let)\s+draw\b")
SYMBOL: Final = f"pjais_lab@{__version__}"
"""Where a page keeps the bundle; it carries the version, as one page may show two of them."""
LOADER: Final = f"""\
const g = globalThis[Symbol.for("{SYMBOL}")] ??= Promise.withResolvers();
export default {{
  async render(context) {{ return (await g.promise).render(context); }},
}};
"""
"""The whole ``_esm`` of a view. Only drawing waits for the bundle: a model that is not ready within
two seconds gets no message from anywidget any more, though it is shown."""
_LOAD: Final = f"""\
const g = globalThis[Symbol.for("{SYMBOL}")] ??= Promise.withResolvers();
const load = (bundle) => {{
  if (g.isLoading || !bundle) return;
  g.isLoading = true;
  const url = URL.createObjectURL(new Blob([bundle], {{ type: "text/javascript" }}));
  import(url).catch(g.reject).finally(() => URL.revokeObjectURL(url));
}};
"""
"""Evaluates the bundle unless the page has done so, as for the kernel before a restart; the model of one
that is gone has it no more."""
_CARRIER: Final = f"""\
{_LOAD}
export default {{
  initialize({{ model }}) {{
    load(model.get("_bundle"));
    g.promise.then((page) => page.carry(model));
  }},
}};
"""
"""The ``_esm`` of the runtime."""
_OWN: Final = LOADER.replace(").render(context)", ").render(context, draw)")


def with_loader(source: str | Path) -> str:
    """The ``_esm`` of a view with a module of its own: its source, and the loader after it.

    Args:
        source: an ES module that exports a function ``draw``, or its file.

    Raises:
        ViewError: the file cannot be read, or exports no ``draw``.
    """
    where = "The module of a view"
    if isinstance(source, Path):
        where = f"The module {source}"
        try:
            source = source.read_text(encoding="utf-8")
        except OSError as error:
            msg = f"{where} cannot be read: {error.strerror}."
            raise ViewError(msg, hint="Give its path, or its text.") from error
    if not _DRAW.search(source):
        msg = f"{where} exports no function 'draw'."
        raise ViewError(msg, hint="Write: export function draw({ view, kit }) { … }")
    return f"{source}\n{_OWN}"


@cache
def bundle(name: str = "runtime.js") -> str:
    """The text of a built file.

    Raises:
        ViewError: this installation was never built.
    """
    path = files("pjais_lab.views") / "static" / name
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        msg = f"The browser's half of the views is missing: there is no {path}."
        hint = (
            "In a checkout run 'make lab' or 'python hatch_build.py'; else install the wheel again."
        )
        raise ViewError(msg, hint=hint) from error
    return text.replace("__PJAIS_SYMBOL__", SYMBOL)


def free_route(comm: Any) -> None:
    """Let the next message of a comm go where the browser addressed it, not to the last publisher.

    ipykernel 7 keeps that in an attribute nobody documents; where it is missing nothing is to do.
    """
    with contextlib.suppress(AttributeError):
        del comm._reply_subshell_id  # noqa: SLF001


def sender(view: Any) -> Callable[[dict[str, Any], list[bytes]], None]:
    """Sends on a view's comm without holding the view."""
    me = weakref.ref(view)

    def send(message: dict[str, Any], buffers: list[bytes]) -> None:
        found = me()
        if found is not None and found.comm is not None:
            found.pushed()
            found.send(message, buffers)
            free_route(found.comm)

    return send


class Shown(Protocol):
    """A view, as the runtime knows it."""

    operations: Operations

    @property
    def model_id(self) -> str:
        """The id of its comm."""
        ...

    def heard(self, kind: str, page: str, said: dict[str, Any]) -> None:
        """A page said something that needs no answer."""
        ...


def hear(those: Runtime | Unshared, said: Any, tell: Callable[..., None]) -> None:
    """A message from the browser, or several, in whatever thread the host gives it; never waits.

    Args:
        those: what knows the views.
        said: the message.
        tell: answers it.
    """
    if not isinstance(said, dict):
        return
    for one in said.get("all", [said]):
        _hear_one(those, str(said.get("page")), one, tell)


def _hear_one(
    those: Runtime | Unshared, page: str, said: dict[str, Any], tell: Callable[..., None]
) -> None:
    kind = str(said.get("t"))
    if kind == "hello":
        is_main = threading.current_thread() is threading.main_thread()
        tell({"t": "hello", "page": page, "main": is_main})
        if said.get("saves"):
            those.saved()
        if "was" in said:  # before it was loaded anew; its last words may be lost
            for shown in list(those.views.values()):
                shown.heard("bye", str(said["was"]), {})
        return
    view = those.views.get(str(said.get("view")))
    if view is None:
        tell({"t": "gone", "page": page, "view": said.get("view"), "req": said.get("req")})
    elif kind == "ask":
        request, args = _request(view, page, said), said.get("args", {})
        head = {"t": "answer", "page": page, "req": said.get("req")}
        those.answers.ask(
            request,
            lambda: view.operations.call(view, request.op, args),
            lambda body, buffers: tell(head | body, buffers),
        )
    else:
        view.heard(kind, page, said)


def _request(view: Shown, page: str, said: dict[str, Any]) -> Request:
    number, op = said.get("req"), str(said.get("op"))
    return Request(
        (page, view.model_id, number if isinstance(number, int) else 0),
        op,
        (view.model_id, f"{page}/{said.get('channel')}"),
        view.model_id if op in view.operations.changing else "",
        bool(said.get("again")),
        bool(said.get("outrun")),
    )


class Unshared:
    """Stands in for the runtime in marimo: every view brings the bundle, and hears on its own comm."""

    model_id = ""
    is_saved = False

    def __init__(self) -> None:
        self.views: weakref.WeakValueDictionary[str, Shown] = weakref.WeakValueDictionary()
        self.answers = Answers()

    def esm(self, own: str) -> str:
        """A view's code, and the bundle with it."""
        return _marimo.esm(own, _LOAD, bundle())

    def saved(self) -> None:
        """No page of marimo keeps what views look like."""

    def welcome(self, view: Any) -> None:
        """A view hears on its own comm."""
        view.on_msg(lambda shown, said, _buffers: hear(self, said, shown.send))

    def watch(self, comm: Any, closed: Callable[[object], None]) -> None:
        """Call back when a comm is closed."""
        _marimo.on_close(comm, closed)


class Runtime(Widget):
    """The model that carries the bundle; it is never shown."""

    _me = traitlets.Unicode().tag(sync=True)
    _bundle = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        self._saved_at = -math.inf
        self.views: weakref.WeakValueDictionary[str, Shown] = weakref.WeakValueDictionary()
        self.answers = Answers()
        me = uuid4().hex
        super().__init__(esm=_CARRIER, _bundle=bundle(), _me=me, model_id=me)
        free_route(self.comm)
        self.on_msg(lambda _widget, said, _buffers: hear(self, said, self.tell))

    @property
    def is_saved(self) -> bool:
        """Whether a page that keeps what views look like when it saves the notebook was heard lately."""
        return time.monotonic() - self._saved_at < _LATELY_S

    def saved(self) -> None:
        """A page that keeps what views look like is there."""
        self._saved_at = time.monotonic()

    def esm(self, own: str) -> str:
        """A view's code."""
        return own

    def welcome(self, view: object) -> None:
        """A view is heard on this comm."""

    def watch(self, comm: Any, closed: Callable[[object], None]) -> None:
        """Call back when a comm is closed."""
        free_route(comm)
        comm.on_close(closed)

    def tell(self, message: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """Answer the browser."""
        comm = self.comm
        if comm is not None:
            self.send(message, buffers)
            free_route(comm)

    def close(self) -> None:
        """Stop answering."""
        self.answers.close()
        super().close()


_LOCK: Final = threading.Lock()
_CURRENT: Final[list[Runtime]] = []
_UNSHARED: Final = Unshared()


def runtime() -> Runtime | Unshared:
    """This kernel's runtime; it must be there before the first view, and outlives them all."""
    if _marimo.is_host():
        return _UNSHARED
    with _LOCK:
        if not _CURRENT or _CURRENT[0].comm is None:
            _CURRENT[:] = [Runtime()]
        return _CURRENT[0]
