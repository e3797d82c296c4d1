"""An anywidget that several threads may use, and of which a page may hold many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import traitlets
from anywidget import AnyWidget
from ipywidgets import Layout, widget_serialization
from ipywidgets.widgets.trait_types import InstanceDict

__all__ = ["Widget"]


class _OnceAsked(InstanceDict):  # type: ignore[misc]
    """A widget inside this one that is made, and sent, when somebody asks for it."""

    def get(self, obj: Any, cls: type[Any] | None = None) -> Any:
        """Make it now if nobody has asked before."""
        is_new = self.name not in obj._trait_values  # noqa: SLF001 - where traits lie
        found = super().get(obj, cls)
        if is_new and obj.comm is not None:
            obj.send_state(self.name)
        return found


class Widget(AnyWidget):
    """A widget without a class and a layout of its own, which anywidget and ipywidgets make for each."""

    _esm = traitlets.Unicode().tag(sync=True)
    _anywidget_id = traitlets.Unicode().tag(sync=True)
    layout = _OnceAsked(Layout).tag(sync=True, **widget_serialization)

    def __init__(self, *, esm: str, **traits: Any) -> None:
        self._guard = threading.RLock()
        cls = type(self)
        super().__init__(_esm=esm, _anywidget_id=f"{cls.__module__}.{cls.__qualname__}", **traits)

    def add_traits(self, **traits: Any) -> None:
        """Add traits, save those that are declared already."""
        new = {name: trait for name, trait in traits.items() if not self.has_trait(name)}
        if new:
            super().add_traits(**new)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> Any:  # noqa: FBT001, FBT002
        """As of every widget, without a layout that nobody has asked for."""
        if key is None and "layout" not in self._trait_values:
            key = [name for name in self.keys if name != "layout"]
        return super().get_state(key, drop_defaults)

    def set_state(self, sync_data: Any) -> None:
        """Take traits from the browser; one thread at a time."""
        with self._guard:
            super().set_state(sync_data)

    def send_state(self, key: Any = None) -> None:
        """Send traits to the browser; one thread at a time."""
        with self._guard:
            super().send_state(key)

    @contextmanager
    def hold_sync(self) -> Iterator[None]:
        """Send traits together at the end; one thread at a time."""
        with self._guard, super().hold_sync():
            yield
