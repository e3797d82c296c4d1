"""Field types with their ranges, for the definitions of events."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

__all__ = ["EntityId", "Label", "Percent", "Slug", "Unit"]

EntityId = Annotated[
    str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
"""The id of an entity: canonical lowercase UUID text."""

Label = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
"""A short text that is not blank, such as a name."""

Percent = Annotated[float, Meta(ge=0, le=100)]
"""From 0 to 100."""

Slug = Annotated[str, Meta(max_length=64, pattern=r"^[a-z][a-z0-9_.-]*$")]
"""A lower-case word of an open vocabulary."""

Unit = Annotated[float, Meta(ge=0, le=1)]
"""From 0 to 1."""
