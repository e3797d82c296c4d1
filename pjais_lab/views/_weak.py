"""Observers that do not keep alive whom they tell."""

from __future__ import annotations

import weakref
from collections.abc import Callable

__all__ = ["calls"]


def calls(method: Callable[[], None]) -> Callable[[object], None]:
    """An observer that calls a method without holding its object."""
    me = weakref.WeakMethod(method)

    def call(_change: object) -> None:
        found = me()
        if found is not None:
            found()

    return call
