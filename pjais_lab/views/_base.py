"""The base of every view: one Python class here, one TypeScript module in ``js/src/views``.

A view says what it shows as named parts (a polars frame or JSON), and follows live queries; the
transport carries what has changed. It needs no thread, no trait and no message of its own.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar, Final
from uuid import uuid4

import polars as pl
import traitlets

from pjais_lab.core.spelling import check_keywords
from pjais_lab.errors import ViewError
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.views import _cells, _fallback
from pjais_lab.views._following import Following
from pjais_lab.views._requests import Operations, answer, is_answer, operations
from pjais_lab.views._runtime import LOADER, runtime, sender, with_loader
from pjais_lab.views._transport import ERROR, QUERY, Channel, encode
from pjais_lab.views._widget import Widget

__all__ = ["NOTHING_YET", "View"]

_FIRST_LIMIT: Final = 20_000
NOTHING_YET: Final[dict[str, Any]] = {"seq": -1, "parts": {}}
"""What a view opens with that has everything sent to whoever shows it."""


class View(Widget):
    """Something of a lab, shown live under a cell.

    A subclass names its TypeScript module in ``kind``, takes strict keywords, and in its
    ``__init__`` calls ``super().__init__(title)``, then ``follow`` and ``put``. The view opens when
    ``__init__`` is done.

    Args:
        title: what is written above it.
    """

    kind: ClassVar[str] = "own"
    """The name of the module in ``js/src/views`` that draws it."""
    module: ClassVar[str | Path] = ""
    """Or a JavaScript module of its own, or its file. It exports ``draw({ view, kit })``, which
    gives what ``kit.html`` makes; ``kit`` has the pieces that our own views are made of."""
    operations: Operations
    """What the browser may ask; made from the methods marked with ``answer``."""

    _is_shut = True  # until there is something to shut

    _code: ClassVar[str] = LOADER
    _kind = traitlets.Unicode().tag(sync=True)
    _title = traitlets.Unicode().tag(sync=True)
    _rt = traitlets.Unicode().tag(sync=True)
    _me = traitlets.Unicode().tag(sync=True)
    _first = traitlets.Dict().tag(sync=True)

    def __init__(self, title: str) -> None:
        self.is_ready = self._is_shut = False
        self.main: LiveQuery | None = None  # whose SQL and answer are the view's
        self._queries: dict[str, LiveQuery] = {}
        self.following = Following()
        self._taking = threading.Lock()
        self._channel = Channel(sender(self))
        self._runtime = runtime()
        self._birth = _cells.here()
        me = uuid4().hex
        super().__init__(
            esm=self._runtime.esm(self._code),
            _kind=self.kind,
            _title=title,
            _rt=self._runtime.model_id,
            _me=me,
            model_id=me,
        )
        self._runtime.welcome(self)

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Make keywords strict and open the view when the outermost ``__init__`` is done."""
        super().__init_subclass__(**keywords)
        if any(is_answer(member) for member in vars(cls).values()) or not hasattr(
            cls, "operations"
        ):
            cls.operations = operations(cls)
        if "module" in vars(cls):
            cls._code = with_loader(cls.module)
        if "__init__" in vars(cls):
            cls.__init__ = _strict(cls.__init__)  # type: ignore[method-assign]

    # ------------------------------------------------------------ for the user
    @property
    def sql(self) -> str:
        """The query behind what is shown; the main one that it follows."""
        return _followed(self).sql

    @property
    def frame(self) -> pl.DataFrame:
        """What that query answers now."""
        return _followed(self).frame

    @property
    def error(self) -> str | None:
        """What the strip under the view says; None when all is well."""
        found = self._channel.get(ERROR)
        return None if found is None else str(found)

    def to_html(self, path: str | Path | None = None) -> str:
        """The view as it is now, as a standalone page that needs no network and no kernel.

        Args:
            path: where to write it; nowhere if None.
        """
        text = _fallback.page(self._title, self.static())
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def close(self) -> None:
        """Stop following and take the view off every page; closing twice is fine."""
        if self._is_shut:
            return
        self._is_shut = True
        for query in self._queries.values():
            query.close()
        self.following.close()
        _cells.forget(self)
        if self.comm is not None:
            self._runtime.views.pop(self.model_id, None)
        super().close()
        # ipywidgets takes the display away with the comm; the static view stays.
        with suppress(AttributeError):
            del self._repr_mimebundle_

    # ------------------------------------------------------------ for subclasses
    def put(self, name: str, value: object) -> None:
        """Show a part: a polars frame or what JSON can say. From any thread, at once."""
        self._channel.put(name, value)

    def put_later(self, name: str, make: Callable[[], object]) -> None:
        """Show what ``make`` gives when it is about to be sent, at most 20 times a second."""
        self._channel.put_later(name, make)

    def follow(
        self,
        name: str,
        query: LiveQuery,
        shape: Callable[[pl.DataFrame], object] | None = None,
        *,
        is_main: bool = False,
    ) -> None:
        """Show a live query's answer, and its errors under the view.

        Args:
            name: the part's name in TypeScript.
            query: closed with the view.
            shape: makes what is shown of the frame; the frame itself if None.
            is_main: whether it is the one that ``sql`` gives; the footer shows it and its time.
        """
        self._queries[name] = query
        if is_main:
            self.main = query
        me = weakref.ref(self)

        def moved(_change: object) -> None:
            view = me()
            if view is not None:
                view._take(name, query, shape)  # noqa: SLF001 - itself

        self.following.add(query, moved, ["frame", "error"])
        query.wait()
        self._take(name, query, shape)

    def sections(self) -> Iterable[str]:
        """The static view: pieces of inert HTML. The frame's first rows if nothing else is said."""
        yield _fallback.table("", self.frame)

    def refresh(self) -> None:
        """Called every few seconds while a page shows the view, for what no query tells."""

    # ------------------------------------------------------------ how it works
    def static(self) -> str:
        """The view as inert HTML."""
        return _fallback.whole(self._title, self, self.error)

    @answer
    def snapshot(self) -> str:
        """The static view, for the browser to keep in a saved notebook."""
        return self.static()

    def heard(self, kind: str, page: str, said: dict[str, Any]) -> None:
        """A page shows the view, has painted a push, or shows it no more."""
        seq = said.get("seq")
        if kind == "attach":
            self.following.resume()
            self.refresh()
            self._channel.attach(page, seq if isinstance(seq, int) else -1)
        elif kind == "ack" and isinstance(seq, int):
            self._channel.acknowledge(seq)
        elif kind == "bye" and self._channel.detach(page):
            (self.close if _cells.is_outdated(self._birth) else self.following.rest)()

    def pushed(self) -> None:
        """Newer parts are on their way; what the view opened with is not kept, nor given to new pages."""
        self._trait_values["_first"] = NOTHING_YET

    @property
    def is_shown(self) -> bool:
        """Whether a page shows it."""
        return self._channel.is_shown

    def open(self) -> None:
        """Open the comm, once everything is there to be shown."""
        if not self.is_ready or self._me in self._runtime.views:
            return
        _cells.note(self, self._birth)
        said, buffers = encode(self._channel.begin())
        for part in said.values():
            if "arrow" in part:
                part["arrow"] = buffers[part["arrow"]]
        is_small = sum(map(len, buffers)) < _FIRST_LIMIT
        self._first = {"seq": 0, "parts": said} if is_small else NOTHING_YET
        self._runtime.views[self._me] = self  # a page may ask before the next line is done
        super().open()
        self._runtime.watch(self.comm, self._comm_closed)

    def _take(
        self, name: str, query: LiveQuery, shape: Callable[[pl.DataFrame], object] | None
    ) -> None:
        """A live query has moved; in the hub's thread, which an error here must not reach."""
        with self._taking:  # read and put together, or an older frame could come last
            try:
                failure: BaseException | None = query.failure
                if failure is None:
                    frame = query.copy(wait=False)
                    self._channel.put(name, shape(frame) if shape is not None else frame)
                    if query is self.main:
                        self._channel.put(QUERY, {"sql": self.sql, "ms": query.elapsed_ms})
            except Exception as error:  # noqa: BLE001 - shown where it belongs
                failure = error
            self._channel.fail(failure, name)

    def _comm_closed(self, _message: object) -> None:
        self.close()

    def __repr__(self) -> str:
        """Its name, title and state."""
        state = ", closed" if self._is_shut else ""
        return f"{type(self).__name__}({self._title!r}{state})"

    def _repr_mimebundle_(self, **_keywords: object) -> Any:
        """The live view, and the static one for where nothing runs, unless a page sees to that."""
        plain = {"text/plain": repr(self)}
        if self.comm is None or not self._runtime.is_saved:
            plain["text/html"] = self.static()
        if self.comm is None:
            return plain
        data, metadata = super()._repr_mimebundle_() or ({}, {})
        return data | plain, metadata | {"pjais_lab": {"model_id": self.model_id}}


def _strict(init: Callable[..., None]) -> Callable[..., None]:
    code: Any = init.__code__
    known = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]

    @wraps(init)
    def call(self: View, *args: Any, **keywords: Any) -> None:
        check_keywords(type(self).__name__, keywords, known)
        init(self, *args, **keywords)
        if type(self).__init__ is call:
            self.is_ready = True
            self.open()

    return call


def _followed(view: View) -> LiveQuery:
    found = view.main
    if found is None:
        msg = f"{type(view).__name__} does not say what it shows: it follows no main query."
        hint = "Call self.follow(name, query, is_main=True), or give it 'sql' and 'frame'."
        raise ViewError(msg, hint=hint)
    return found
