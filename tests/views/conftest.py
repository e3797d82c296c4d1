"""The browser's end of the comms, without a browser."""

from __future__ import annotations

import gc
import io
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import comm
import ipywidgets
import polars as pl
import pytest
from comm.base_comm import BaseComm

from pjais_lab.views import _runtime
from pjais_lab.views._base import View


def is_let_go(held: weakref.ref[Any], seconds: float = 5.0) -> bool:
    """Whether nobody holds it any more; a thread that was just telling it something may, a moment."""
    until = time.monotonic() + seconds
    gc.collect()
    while held() is not None and time.monotonic() < until:
        time.sleep(0.02)
        gc.collect()
    return held() is None


class Message:
    """What the kernel said on a comm, and when."""

    def __init__(self, comm_id: str, kind: str, data: dict[str, Any], buffers: list[bytes]) -> None:
        self.comm_id, self.kind, self.buffers = comm_id, kind, buffers
        self.content = data.get("content", {})
        self.data = data
        self.at = time.monotonic()

    @property
    def parts(self) -> dict[str, Any]:
        """What the parts of a push or an answer are."""
        return {
            name: pl.read_ipc_stream(io.BytesIO(self.buffers[part["arrow"]]))
            if "arrow" in part
            else part["json"]
            for name, part in self.content["parts"].items()
        }


class Wire:
    """Every comm of this process: what was said, and a way to answer."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.comms: weakref.WeakValueDictionary[str, BaseComm] = weakref.WeakValueDictionary()
        self.news = threading.Condition()

    def heard(self, message: Message) -> None:
        with self.news:
            self.messages.append(message)
            self.news.notify_all()

    def of(self, widget: Any, kind: str) -> list[Message]:
        """Messages of a kind (``push``, ``answer``, ``comm_open``…) on a widget's comm."""
        comm_id = widget if isinstance(widget, str) else widget.model_id
        with self.news:
            mine = [m for m in self.messages if m.comm_id == comm_id]
        return [m for m in mine if kind in {m.kind, m.content.get("t")}]

    def until(self, condition: Callable[[], Any], seconds: float = 10) -> Any:
        """What the condition gives once it holds; looked at whenever something is said."""
        with self.news:
            assert self.news.wait_for(condition, seconds), "it did not happen"
            return condition()

    def say(self, **message: Any) -> None:
        """A page says something to the kernel."""
        data = {"method": "custom", "content": {"page": "page", **message}}
        self.comms[_runtime.runtime().model_id].handle_msg(
            {"content": {"data": data}, "buffers": []}
        )

    def show(self, view: View, *, seq: int = 0) -> None:
        """A page shows a view; it acknowledges nothing by itself."""
        self.say(t="attach", view=view.model_id, seq=seq)

    def paint(self, view: View, seq: int) -> None:
        self.say(t="ack", view=view.model_id, seq=seq)

    def ask(
        self,
        view: View | str,
        op: str,
        req: int = 1,
        channel: str = "",
        *,
        again: bool = False,
        outrun: bool = False,
        **args: Any,
    ) -> None:
        """A page asks something."""
        key = view if isinstance(view, str) else view.model_id
        more = {k: True for k, is_so in {"again": again, "outrun": outrun}.items() if is_so}
        self.say(t="ask", view=key, op=op, req=req, channel=channel or op, args=args, **more)

    def answers(self, req: int = 1) -> Message:
        """The answer to a request."""

        def found() -> list[Message]:
            said = self.of(_runtime.runtime(), "answer")
            return [m for m in said if m.content["req"] == req]

        return self.until(found)[0]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    made = Wire()

    class WireComm(BaseComm):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            made.comms[self.comm_id] = self
            raw = [bytes(b) for b in buffers or []]
            made.heard(Message(self.comm_id, msg_type, data or {}, raw))

    monkeypatch.setattr(comm, "create_comm", WireComm)
    _drop_runtime()
    yield made
    ipywidgets.Widget.close_all()
    _drop_runtime()


def _drop_runtime() -> None:
    """The runtime lives as long as its kernel; here a kernel lives as long as a test."""
    for runtime in _runtime._CURRENT:
        runtime.close()
    _runtime._CURRENT.clear()
