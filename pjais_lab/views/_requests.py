"""Requests from the browser: named, checked, answered by two threads while a cell runs."""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import itertools
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, TypeVar, get_type_hints

import msgspec
import polars as pl

from pjais_lab.core.spelling import near
from pjais_lab.errors import ViewError
from pjais_lab.views._repeats import OutrunError, Repeats, Request
from pjais_lab.views._transport import encode

__all__ = ["Answers", "Operations", "answer", "arguments", "is_answer", "operations"]

_F = TypeVar("_F", bound=Callable[..., Any])
_MARK: Final = "_pjais_answers"
_WORKERS: Final = 2
_TURN_S: Final = 0.0002  # Python's own 5 ms are lost at each of the dozen hand-overs of an answer
Reply = Callable[[dict[str, Any], list[bytes]], None]


class Operations(msgspec.Struct, frozen=True):
    """What the browser may ask of a kind of view.

    Attributes:
        checks: operation -> the type that its arguments must convert to.
        changing: those that give nothing, and so change something: they run in the order in which
            they were asked, whichever thread is free.
    """

    checks: Mapping[str, type[Any]]
    changing: frozenset[str] = frozenset()

    def call(self, view: object, op: str, args: Any) -> Any:
        """Answer one request.

        Raises:
            ViewError: there is no such operation, or the arguments do not fit it.
        """
        kind = self.checks.get(op)
        if kind is None:
            msg = f"{type(view).__name__} answers no request {op!r}."
            raise ViewError(msg, hint=near(op, self.checks), op=op)
        try:
            given = msgspec.convert(args, kind)
        except msgspec.ValidationError as error:
            msg = f"The request {op!r} was asked wrongly: {error}."
            raise ViewError(msg, op=op) from error
        return getattr(view, op)(**msgspec.structs.asdict(given))


def answer(function: _F) -> _F:
    """A decorator: the browser may call this method by its name.

    Its parameters are keywords with annotations, which what the browser sends is checked against.
    It runs in a thread of its own while a cell runs, and gives JSON or a polars frame. One that is
    annotated to give None changes something: those of a view run one after the other, and each once.
    Any other may run twice, as its answer may be lost on the way.
    """
    setattr(function, _MARK, True)
    return function


def is_answer(member: object) -> bool:
    """Whether the browser may call it."""
    return bool(getattr(member, _MARK, False))


def operations(cls: type[Any]) -> Operations:
    """The methods of a view that are marked with ``answer``."""
    checks: dict[str, type[Any]] = {}
    changing: set[str] = set()
    for name in dir(cls):
        function = inspect.getattr_static(cls, name)
        if not is_answer(function):
            continue
        checks[name] = arguments(function, f"{cls.__name__}.{name}")
        if function.__annotations__.get("return", ...) in {None, "None"}:
            changing.add(name)
    return Operations(checks, frozenset(changing))


def arguments(function: Callable[..., Any], name: str, given: int = 1) -> type[Any]:
    """What the arguments of a method must convert to.

    Args:
        function: annotated.
        name: of the type that is made.
        given: how many of its first parameters are not the browser's.
    """
    parameters = list(inspect.signature(function).parameters.values())[given:]
    own = SimpleNamespace(__annotations__={p.name: p.annotation for p in parameters})
    names: dict[str, Any] = getattr(function, "__globals__", {})
    hints = get_type_hints(own, names, include_extras=True)
    fields: list[Any] = [
        (p.name, hints[p.name])
        if p.default is inspect.Parameter.empty
        else (p.name, hints[p.name], p.default)
        for p in parameters
    ]
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)


class Answers:
    """Runs requests; of those on one channel only the newest is answered.

    From then on a cell that computes gives way to other threads at once.
    """

    def __init__(self) -> None:
        sys.setswitchinterval(min(sys.getswitchinterval(), _TURN_S))
        self._lock = threading.Lock()
        self._count = itertools.count(1)
        self._repeats = Repeats()
        self._newest: dict[tuple[str, str], int] = {}
        self._lines: dict[str, deque[Callable[[], None]]] = {}
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="pjais-answer")

    def ask(self, request: Request, work: Callable[[], Any], reply: Reply) -> None:
        """Answer in another thread; one that was asked before may be answered at once.

        Args:
            request: what is asked.
            work: gives the answer.
            reply: sends it. Called in the context of the caller, so that ipykernel still knows
                which of the browser's connections asked.
        """
        known = self._repeats.begin(request)
        if known is not None:
            if known:
                reply(known, [])
            return
        key, line = request.channel, request.line
        with self._lock:
            number = self._newest[key] = next(self._count)

        def run() -> None:
            said: dict[str, Any] = {"superseded": True}
            buffers: list[bytes] = []
            try:
                if line or self._newest.get(key) == number:
                    said, buffers = _answer(work)
                if not self._forget(key, number):
                    said, buffers = {"superseded": True}, []
            finally:
                self._repeats.end(request, said)
            reply(said, buffers)

        job = partial(contextvars.copy_context().run, run)
        if not line:
            self._pool.submit(job)
            return
        with self._lock:
            is_first = line not in self._lines
            self._lines.setdefault(line, deque()).append(job)
        if is_first:
            self._pool.submit(self._drain, line)

    def _drain(self, line: str) -> None:
        """Run what stands in a line, until it is empty."""
        while True:
            with self._lock:
                if not self._lines[line]:
                    del self._lines[line]
                    return
                job = self._lines[line].popleft()
            with contextlib.suppress(Exception):  # its page is gone; the next one's may be there
                job()

    def _forget(self, key: tuple[str, str], number: int) -> bool:
        """True if no newer request has come meanwhile."""
        with self._lock:
            is_newest = self._newest.get(key) == number
            if is_newest:
                del self._newest[key]
            return is_newest

    def close(self) -> None:
        """Finish nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _answer(work: Callable[[], Any]) -> tuple[dict[str, Any], list[bytes]]:
    try:
        value = work()
        is_parts = isinstance(value, dict) and any(
            isinstance(v, pl.DataFrame) for v in value.values()
        )
        parts, buffers = encode(value if is_parts else {"value": value})
    except OutrunError:
        return {"superseded": True}, []
    except Exception as error:  # noqa: BLE001 - the browser shows it in its own words
        return {"error": f"{type(error).__name__}: {error}"}, []
    return {"parts": parts, "many": is_parts}, buffers
