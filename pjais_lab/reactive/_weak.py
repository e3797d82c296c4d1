"""A bag of weak references that threads may fill while another one walks it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["WeakBag"]

_T = TypeVar("_T")


class WeakBag(Generic[_T]):
    """Holds objects without keeping them alive; iterating walks a copy made in one step."""

    def __init__(self) -> None:
        self._refs: dict[int, weakref.ref[_T]] = {}

    def add(self, item: _T) -> None:
        """Hold ``item`` for as long as somebody else does."""
        refs, key = self._refs, id(item)

        def forget(_: object) -> None:
            refs.pop(key, None)

        refs[key] = weakref.ref(item, forget)

    def discard(self, item: _T) -> None:
        """Let go of ``item``, if it is here."""
        self._refs.pop(id(item), None)

    def __contains__(self, item: object) -> bool:
        ref = self._refs.get(id(item))
        return ref is not None and ref() is item

    def __iter__(self) -> Iterator[_T]:
        return iter([item for ref in list(self._refs.values()) if (item := ref()) is not None])

    def __len__(self) -> int:
        return len(self._refs)
