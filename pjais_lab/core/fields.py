"""Field types with their ranges, for the definitions of events."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Final

from msgspec import Meta

__all__ = ["WORDS", "EntityId", "Label", "Percent", "Scale", "Slug", "Unit"]

_ID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"
_SLUG: Final = r"^[a-z][a-z0-9_.-]*\Z"
_NOT_BLANK: Final = r"\S"
_SCALE: Final = r"^\d+(\.\d+)?-\d+(\.\d+)?\Z"

WORDS: Final = MappingProxyType(
    {
        _ID: "an id (lower-case UUID text)",
        _SLUG: "a lower-case word of letters, digits, '_', '.' and '-', such as 'fact'",
        _NOT_BLANK: "text that is not blank",
        _SCALE: "two numbers such as '1-10'",
    }
)
"""What a pattern asks for, in words, for messages."""

EntityId = Annotated[str, Meta(pattern=_ID)]
"""The id of an entity: canonical lowercase UUID text."""

Label = Annotated[str, Meta(min_length=1, max_length=200, pattern=_NOT_BLANK)]
"""A short text that is not blank, such as a name."""

Percent = Annotated[float, Meta(ge=0, le=100)]
"""From 0 to 100."""

Scale = Annotated[str, Meta(pattern=_SCALE)]
"""The two ends of a scale, such as ``1-10``."""

Slug = Annotated[str, Meta(max_length=64, pattern=_SLUG)]
"""A lower-case word of an open vocabulary."""

Unit = Annotated[float, Meta(ge=0, le=1)]
"""From 0 to 1."""
