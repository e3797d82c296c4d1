"""Making the next items in a thread while the last ones are being used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

__all__ = ["ahead"]

_T = TypeVar("_T")
_END: Final = object()
_AT_ONCE: Final = 3


def ahead(items: Iterator[_T]) -> Generator[_T]:
    """The same items, a few of them made before they are asked for.

    The database writes without Python's lock, so that both go on at the same time.

    Args:
        items: used in one other thread, one step at a time.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="pjais-ahead") as pool:
        waiting = [pool.submit(next, items, _END) for _ in range(_AT_ONCE)]
        try:
            while True:
                item = waiting.pop(0).result()
                if item is _END:
                    return
                waiting.append(pool.submit(next, items, _END))
                yield item  # type: ignore[misc]
        finally:
            for future in waiting:
                future.cancel()
