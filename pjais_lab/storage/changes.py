"""What applying events touched, and what rebuilding a table gave."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

__all__ = ["Changes", "Keys", "RebuildReport"]

Keys = frozenset[tuple[str, str | None]] | None
"""(entity id, persona id) of the rows touched; None when there are too many to tell."""


class Changes(msgspec.Struct, frozen=True):
    """What one application of events touched.

    Attributes:
        position: of the state after it.
        tables: table -> (entity id, persona id) of the rows touched, or None when there are too
            many to tell; ``events`` stands for the log itself.
    """

    position: int
    tables: Mapping[str, Keys]


class RebuildReport(msgspec.Struct, frozen=True):
    """What rebuilding a table gave.

    Attributes:
        table: its name.
        rows: rows rebuilt, deleted entities among them.
        elapsed_s: seconds it took.
        is_same: whether the rows equal those from before; None when that was not asked.
    """

    table: str
    rows: int
    elapsed_s: float
    is_same: bool | None = None
