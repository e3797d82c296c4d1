"""Observers that do not keep alive whom they tell."""

from __future__ import annotations

import weakref
from collections.abc import Callable

__all__ = ["calls"]


def calls(method: Callable[[], None]) -> Callable[..., bool]:
    """An observer that calls a method without holding its object; False when that is gone."""
    me = weakref.WeakMethod(method)

    def call(_change: object = None) -> bool:
        found = me()
        if found is not None:
            found()
        return found is not None

    return call
