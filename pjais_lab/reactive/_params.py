"""Parameters of queries, as DuckDB takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pjais_lab.core.event import HasId

__all__ = ["plain"]


def plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters in which an object with an id stands for its id."""
    return {name: _plain(value) for name, value in params.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    return value.id if isinstance(value, HasId) else value
