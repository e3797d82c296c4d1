"""Pushes to the browser: newest state wins, one push of a view on its way at a time.

Jupyter drops messages past a thousand a second and ZMQ drops them silently, so a view's state is
kept here and sent at most 20 times a second, numbered; the browser acknowledges what it has painted
and asks for everything again when a number is missing. The last state is always sent.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec
import polars as pl

from pjais_lab.views._pusher import pusher

__all__ = ["ERROR", "QUERY", "Channel", "encode"]

_GAP_S: Final = 0.05  # 20 pushes a second and view
_PATIENCE_S: Final = 1.0  # how long an acknowledgement is waited for
_FORGET_S: Final = 60.0  # a page that was not heard of for so long is gone
_PLAIN: Final = (
    *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
    *(pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Null, pl.Datetime),
)
"""What the browser's reader reads as it is; any other type goes as text."""
ERROR: Final = "$error"
"""The part that is shown as the strip under a view."""
QUERY: Final = "$query"
"""The part that the footer shows: SQL and milliseconds."""
Send: TypeAlias = Callable[[dict[str, Any], list[bytes]], None]


def encode(parts: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    """Parts of a state as JSON and binary frames: a frame is ``{"arrow": index}``, JSON ``{"json": …}``.

    Args:
        parts: name -> a polars frame, or what JSON can say.
    """
    said: dict[str, Any] = {}
    buffers: list[bytes] = []
    for name, value in parts.items():
        if isinstance(value, pl.DataFrame):
            said[name] = {"arrow": len(buffers)}
            buffers.append(_arrow(value))
        else:
            said[name] = {"json": msgspec.to_builtins(value, str_keys=True, enc_hook=str)}
    return said, buffers


def _arrow(frame: pl.DataFrame) -> bytes:
    """Arrow IPC as the browser's reader understands it: no string views, no exotic types."""
    stream = io.BytesIO()
    odd = [n for n, t in frame.schema.items() if not _is_plain(t)]
    # A frame that is written is locked; who then asks it something holds the GIL that the writer
    # needs, and both wait for ever. So a frame of our own is written.
    plain = frame.with_columns(_as_text(frame[name]) for name in odd) if odd else frame.clone()
    plain.write_ipc_stream(stream, compat_level=pl.CompatLevel.oldest())
    return stream.getvalue()


def _is_plain(kind: pl.DataType) -> bool:
    if isinstance(kind, pl.List):
        return _is_plain(pl.Series(dtype=kind.inner).dtype)
    if isinstance(kind, pl.Struct):
        return all(_is_plain(pl.Series(dtype=f.dtype).dtype) for f in kind.fields)
    return isinstance(kind, _PLAIN)


def _as_text(column: pl.Series) -> pl.Series:
    texts = [None if value is None else str(value) for value in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)


class Channel:
    """What one view shows, and what of it the browser has not seen.

    Args:
        send: takes a message and its buffers; called in the pusher's thread.
    """

    def __init__(self, send: Send) -> None:
        self.seq = 0
        self.pushes = 0
        self._send = send
        self._lock = threading.Lock()
        self._parts: dict[str, Any] = {}
        self._lazy: dict[str, Callable[[], Any]] = {}
        self._due: set[str] = set()
        self._is_full_due = False
        self._pages: dict[str, float] = {}
        self._failures: dict[str, str] = {}
        self._unacked: int | None = None
        self._sent_at = 0.0

    def put(self, name: str, value: Any) -> None:
        """Show another value; from any thread, at once, nothing is sent here."""
        with self._lock:
            if name in self._parts and _is_same(self._parts[name], value):
                return
            self._parts[name] = value
            self._due.add(name)
        pusher().wake(self)

    def put_later(self, name: str, make: Callable[[], Any]) -> None:
        """Show what ``make`` gives when it is about to be sent, so that it runs no more often than that."""
        with self._lock:
            self._lazy[name] = make
        pusher().wake(self)

    def begin(self) -> dict[str, Any]:
        """Every part as it is now, for the message that opens the view."""
        self._settle()
        with self._lock:
            self._due.clear()
            return dict(self._parts)

    def get(self, name: str) -> Any:
        """A part as it was last put."""
        with self._lock:
            return self._parts.get(name)

    def fail(self, error: BaseException | None, source: str = "") -> None:
        """Show an error under the view, in its own words; None takes away that of the same source."""
        with self._lock:
            if error is None:
                self._failures.pop(source, None)
            else:
                self._failures[source] = f"{type(error).__name__}: {error}"
            text = next(iter(self._failures.values()), None)
        self.put(ERROR, text)

    def attach(self, page: str, seq: int) -> None:
        """A page shows the view and has seen the push ``seq``.

        Args:
            page: which page.
            seq: another number than the last one gets everything, unless that is still on its way;
                -1 gets everything at once.
        """
        with self._lock:
            now = self._pages[page] = time.monotonic()
            is_late = self._unacked is None or now - self._sent_at > _PATIENCE_S
            if seq < 0 or (seq != self.seq and is_late):
                self._is_full_due = True
        pusher().wake(self)

    def detach(self, page: str) -> bool:
        """A page shows the view no more; True when none does."""
        with self._lock:
            self._pages.pop(page, None)
            if not self._pages:
                self._unacked = None  # nobody paints it any more; the next page need not wait
            return not self._pages

    @property
    def is_shown(self) -> bool:
        """Whether any page shows the view, as far as was heard lately."""
        now = time.monotonic()
        with self._lock:
            return any(now - heard <= _FORGET_S for heard in self._pages.values())

    def acknowledge(self, seq: int) -> None:
        """A page has painted the push ``seq``."""
        with self._lock:
            if seq == self._unacked:
                self._unacked = None
        pusher().wake(self)

    def due_at(self, now: float) -> float | None:
        """When the next push may leave; None when there is nothing to push, or nobody to see it."""
        with self._lock:
            gone = [p for p, heard in self._pages.items() if now - heard > _FORGET_S]
            for page in gone:
                del self._pages[page]
            if not self._pages or not (self._due or self._lazy or self._is_full_due):
                return None
            gap = _GAP_S if self._unacked is None else _PATIENCE_S
            return max(now, self._sent_at + gap)

    def push(self) -> None:
        """Send what has changed, or everything. Called in the pusher's thread."""
        self._settle()
        with self._lock:
            # After a push that nobody confirmed, the page may have missed it: say everything.
            is_full = self._is_full_due or self._unacked is not None
            names = list(self._parts) if is_full else [n for n in self._parts if n in self._due]
            self._due.clear()
            self._is_full_due = False
            self._sent_at = time.monotonic()
            if not names:
                return
            self.seq += 1
            self.pushes += 1
            self._unacked = self.seq
            message = {"t": "push", "seq": self.seq, "full": is_full}
            parts = {name: self._parts[name] for name in names}
        said, buffers = encode(parts)
        self._send(message | {"parts": said}, buffers)

    def _settle(self) -> None:
        with self._lock:
            lazy, self._lazy = self._lazy, {}
        for name, make in lazy.items():
            try:
                value = make()
            except Exception as error:  # noqa: BLE001 - shown where it belongs
                self.fail(error, name)
                continue
            self.fail(None, name)
            with self._lock:
                if name not in self._parts or not _is_same(self._parts[name], value):
                    self._parts[name] = value
                    self._due.add(name)


def _is_same(old: Any, new: Any) -> bool:
    if old is new:
        return True
    if isinstance(old, pl.DataFrame) or isinstance(new, pl.DataFrame):
        both = isinstance(old, pl.DataFrame) and isinstance(new, pl.DataFrame)
        return both and old.schema == new.schema and old.equals(new)
    return bool(old == new)
