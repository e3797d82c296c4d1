"""Encoding many events at once: what ``codec.encode`` does, with one look at all of them together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from pjais_lab.core.codec import encode, encoder, list_decoder
from pjais_lab.core.event import Event

__all__ = ["encode_all"]


def encode_all(events: Sequence[Event], limit_bytes: int | None = None) -> list[str]:
    """The stored forms of many events, checked against their definitions.

    The same texts and the same refusals as ``encode`` gives one by one.

    Args:
        events: the contents.
        limit_bytes: the longest JSON allowed.

    Raises:
        RejectedError: the first event that is wrong is named.
    """
    if len(events) > 1:
        try:
            data = [encoder.encode(e) for e in events]
            if max(map(len, data)) <= (limit_bytes or 1 << 62) and _are_as_given(events, data):
                return [d.decode() for d in data]
        except (msgspec.ValidationError, TypeError, UnicodeError, OverflowError, RecursionError):
            pass  # one of them is wrong: find it
    return [encode(e, limit_bytes) for e in events]


def _are_as_given(events: Sequence[Event], data: Sequence[bytes]) -> bool:
    """Whether reading them back gives the very same events, and none holds a NUL."""
    by_class: dict[type[Event], tuple[list[Event], list[bytes]]] = defaultdict(lambda: ([], []))
    for event, text in zip(events, data, strict=True):
        given, texts = by_class[type(event)]
        given.append(event)
        texts.append(text)
    for cls, (given, texts) in by_class.items():
        joined = b"[" + b",".join(texts) + b"]"
        if b"\\u0000" in joined or list_decoder(cls).decode(joined) != given:
            return False
    return True
