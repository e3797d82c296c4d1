"""What a memory is made of, as values: tiers, relations, scales of importance."""

from __future__ import annotations

import re
from typing import Any, Final, Literal, get_args

from pjais_lab.errors import RejectedError

__all__ = [
    "CONTENT_TYPES",
    "KINDS",
    "RELATIONS",
    "SCALES",
    "TIERS",
    "ContentType",
    "Relation",
    "RetierReason",
    "Tier",
    "scale_importance",
]

ContentType = Literal["text", "image", "audio", "video", "file"]
Relation = Literal["references", "similar", "related", "causal", "temporal", "evidence"]
RetierReason = Literal["access_pattern", "importance_change", "age_decay", "manual", "optimization"]
Tier = Literal["hot", "warm", "cold"]

CONTENT_TYPES: Final[tuple[str, ...]] = get_args(ContentType)
RELATIONS: Final[tuple[str, ...]] = get_args(Relation)
TIERS: Final[tuple[str, ...]] = get_args(Tier)

KINDS: Final = ("event", "thought", "chat", "conversation", "learning", "preference", "fact")
"""Kinds of memory with a meaning here; the vocabulary is open, any lower-case word will do."""

_SCALE: Final = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)", re.ASCII)

SCALES: Final = ("0-1", "0-100", "1-10")
"""Scales of importance seen in the wild."""


def scale_importance(raw: float, scale: str) -> float:
    """Importance from 0 to 1.

    Args:
        raw: importance as it was given.
        scale: the two ends of its scale, one of ``SCALES`` or any other such pair.

    Raises:
        RejectedError: the scale is not two rising numbers, or ``raw`` is no number or lies outside.

    >>> scale_importance(70, "0-100"), scale_importance(10, "1-10")
    (0.7, 1.0)
    """
    bottom, top = _ends(scale)
    if type(raw) is bool or not isinstance(raw, (int, float)):
        msg = f"The importance {raw!r} is of type {type(raw).__name__}; expected a number."
        raise RejectedError(msg, raw=raw)
    if not bottom <= raw <= top:
        msg = f"The importance {raw} lies outside its scale {scale}."
        hint = "Give the scale it is on, such as scale='1-10'." if scale == "0-1" else None
        raise RejectedError(msg, hint=hint, raw=raw, scale=scale)
    return (raw - bottom) / (top - bottom)


def _ends(scale: Any) -> tuple[float, float]:
    found = _SCALE.fullmatch(scale) if isinstance(scale, str) else None
    bottom, top = (float(found[1]), float(found[2])) if found else (0.0, 0.0)
    if not bottom < top:
        msg = f"The importance scale {scale!r} is not two rising numbers such as '1-10'."
        raise RejectedError(msg, scale=scale)
    return bottom, top
