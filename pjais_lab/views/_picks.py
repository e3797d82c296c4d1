"""Picked rows as a predicate: by their ids, or by all that is shown of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pjais_lab.core.predicate import All, AnyOf, IsNull, OneOf, Predicate
from pjais_lab.storage.relation import Column

__all__ = ["found_by", "joined"]

_CUT: Final = "…"
_ID: Final = "id"


def found_by(row: Mapping[str, Any], columns: Iterable[Column]) -> Predicate:
    """What finds a row, and those that look the same.

    Args:
        row: as a page shows it.
        columns: what there is.
    """
    if row.get(_ID) is not None:
        return OneOf(_ID, [row[_ID]])
    whole = {c.name: row[c.name] for c in columns if c.kind != "blob" and not _is_cut(row[c.name])}
    return All([IsNull(n) if v is None else OneOf(n, [v]) for n, v in whole.items()])


def _is_cut(value: Any) -> bool:
    return isinstance(value, str) and value.endswith(_CUT)


def joined(picked: Sequence[Predicate]) -> Predicate | None:
    """What finds any of these rows; None when there are none."""
    ids = [p for p in picked if isinstance(p, OneOf)]
    if picked and len(ids) == len(picked):
        return OneOf(_ID, [v for p in ids for v in p.values])
    return AnyOf(picked) if picked else None
