"""What applying events touched, and what rebuilding a table gave."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from pjais_lab.core.event import Record
from pjais_lab.core.markup import card, count, grid, line
from pjais_lab.core.registry import Registry

__all__ = ["Changes", "Keys", "RebuildReport", "RebuildReports", "touched_by"]

_MANY_KEYS: Final = 1_000
_TABLES_SHOWN: Final = 20
_WORDS: Final = {None: "not compared", True: "the same", False: "DIFFERENT"}
_VERDICTS: Final = {None: "", True: ", the same as before", False: ", DIFFERENT from before"}

Keys = frozenset[tuple[str, str | None]] | None
"""(entity id, persona id) of the rows touched; None when there are too many to tell."""


class Changes(msgspec.Struct, frozen=True):
    """What one application of events touched.

    Attributes:
        position: of the state after it.
        tables: table -> (entity id, persona id) of the rows touched, or None when there are too
            many to tell; ``events`` stands for the log itself.
        names: of the events that were added; None when there may be others.
    """

    position: int
    tables: Mapping[str, Keys]
    names: frozenset[str] | None = None


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


class RebuildReports(list[RebuildReport]):
    """What rebuilding several tables gave; a list that shows itself well."""

    def __repr__(self) -> str:
        """A line for each table."""
        each = [
            f"{r.table}: {count(r.rows, 'row')}, {r.elapsed_s:.2f} s{_VERDICTS[r.is_same]}"
            for r in self[:_TABLES_SHOWN]
        ]
        if len(self) > _TABLES_SHOWN:
            each.append(f"… and {count(len(self) - _TABLES_SHOWN, 'more table')}")
        return "\n  ".join([f"Rebuilt {count(len(self), 'table')}", *each])

    def _repr_html_(self) -> str:
        rows = [(r.table, f"{r.rows:,}", f"{r.elapsed_s:.2f}", _WORDS[r.is_same]) for r in self]
        columns = ["table", "rows", "seconds", "compared with before"]
        table = grid(columns, rows, right=(False, True, True, False), most=_TABLES_SHOWN)
        foot = line(f"{sum(r.elapsed_s for r in self):.2f} s in all")
        return card("Rebuilt", count(len(self), "table"), table, foot)


def touched_by(
    records: Sequence[Record],
    registry: Registry,
    moves: Mapping[str, Sequence[str]],
    erasing: Collection[str],
) -> dict[str, Keys] | None:
    """Which rows of which tables some events move; None when one of them erases.

    Args:
        records: the events.
        registry: the declarations, for old names.
        moves: wire name -> tables.
        erasing: wire names that erase.
    """
    by_name: dict[str, set[tuple[str, str | None]]] = {}
    for r in records:
        by_name.setdefault(r.name, set()).add((r.entity_id or "", r.persona_id))
    tables: dict[str, set[tuple[str, str | None]]] = {"events": set()}
    for stored, keys in by_name.items():
        name = registry.newest(stored)
        if name in erasing:
            return None
        for table in ("events", *moves.get(name, ())):
            tables.setdefault(table, set()).update(keys)
    return {t: frozenset(k) if len(k) <= _MANY_KEYS else None for t, k in tables.items()}
