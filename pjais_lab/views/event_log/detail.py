"""One event whole: its envelope, its content as stored and as read, and what it hangs together with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pjais_lab.core.codec import decode
from pjais_lab.core.upcast import upcast
from pjais_lab.errors import LabError, ViewError
from pjais_lab.storage.duck import quote
from pjais_lab.views.event_log.text import in_one_line, read, tree

if TYPE_CHECKING:
    import uuid

    from pjais_lab.core.registry import Registry

__all__ = ["content", "event_of", "mark_of", "relations"]

_ENVELOPE: Final = (
    "seq, id, name, entity_id, persona_id, shard, epoch, occurred_at, committed_at, origin,"
    " origin_seq, actor, cause"
)
_BRIEF: Final = f"{_ENVELOPE}, left(CAST(args AS VARCHAR), 600) AS args"
_DEEPEST: Final = 20
_MOST: Final = 60
_TOGETHER: Final = 30
_AROUND: Final = 5
Ask = Callable[[str], pl.DataFrame]
Row = dict[str, Any]


def mark_of(registry: Registry, name: str) -> str:
    """What is odd about an event of that name: nothing, ``old``, or ``unknown``."""
    if name in registry.upcasters:
        return "old"
    return "" if name in registry.events else "unknown"


def event_of(ask: Ask, event_id: str) -> Row:
    """An event with all that is stored of it.

    Args:
        ask: answers SQL.
        event_id: which.

    Raises:
        ViewError: the log has none of that id.
    """
    what = f"{_ENVELOPE}, CAST(args AS VARCHAR) AS args"
    found = _rows(ask, what, f"id = {_id(event_id)}")
    if not found:
        msg = f"The log has no event {event_id}."
        raise ViewError(msg, hint="Its persona may have been erased.", id=event_id)
    return found[0]


def content(row: Row, registry: Registry) -> dict[str, Any]:
    """The content as stored, and as it is read today where that is something else.

    Args:
        row: from ``event_of``.
        registry: what is declared.
    """
    args, name = row["args"], str(row["name"])
    said: dict[str, Any] = {"mark": mark_of(registry, name), "trouble": None, "read": None}
    if args is None:
        return said | {"mark": "erased", "stored": []}
    try:
        said["stored"] = tree(read(args))
        if said["mark"] == "old":
            newest, fields = upcast(name, json.loads(args), registry.upcasters)
            said["read"] = {"name": newest, "lines": tree(fields)}
        elif not said["mark"]:
            decode(registry.events[name], args)
    except LabError as error:
        said["trouble"] = str(error)
    except (ValueError, RecursionError) as error:
        said |= {"stored": [(0, "", "text", args)], "trouble": f"It is no JSON: {error}."}
    return said


def relations(ask: Ask, row: Row) -> dict[str, list[Row]]:
    """What an event hangs together with, oldest first.

    Args:
        ask: answers SQL.
        row: from ``event_of``.

    Returns:
        ``causes``, the first one first; ``effects`` with their depth; ``together``, those of its
        commit; ``entity``, those before and after it about the same entity.
    """
    return {
        "causes": _causes(ask, row),
        "effects": _effects(ask, row),
        "together": _together(ask, row),
        "entity": _about(ask, row),
    }


def _causes(ask: Ask, row: Row) -> list[Row]:
    chain: list[Row] = []
    seen = {str(row["id"])}
    wanted = row["cause"]
    while wanted is not None and str(wanted) not in seen and len(chain) < _DEEPEST:
        seen.add(str(wanted))
        found = _near(ask, row, f"id = {_id(wanted)}")
        if not found:
            chain.append({"id": str(wanted), "seq": None, "name": "", "said": ""})
            break
        chain.append(_short(found[0]))
        wanted = found[0]["cause"]
    chain.reverse()
    return chain


def _near(ask: Ask, row: Row, where: str) -> list[Row]:
    """First among the same persona's events, which lie in one place of the lake."""
    same = _same_persona(row)
    return (same and _rows(ask, _BRIEF, f"{where}{same}")) or _rows(ask, _BRIEF, where)


def _effects(ask: Ask, row: Row) -> list[Row]:
    found: list[Row] = []
    parents = [str(row["id"])]
    seen = set(parents)
    for depth in range(_DEEPEST):
        if not parents or len(found) >= _MOST:
            break
        answers = ", ".join(map(_id, parents))
        rest = f"ORDER BY seq LIMIT {_MOST}"
        level = _rows(ask, _BRIEF, f"cause IN ({answers}) AND seq > {row['seq']}", rest)
        level = [e for e in level if str(e["id"]) not in seen]
        parents = [str(e["id"]) for e in level]
        seen.update(parents)
        found += [_short(e) | {"depth": depth, "cause": str(e["cause"])} for e in level]
    return _as_tree(found, str(row["id"]))[:_MOST]


def _as_tree(found: list[Row], root: str) -> list[Row]:
    """Each effect right after its cause."""
    by_cause: dict[str, list[Row]] = {}
    for one in found:
        by_cause.setdefault(one["cause"], []).append(one)
    ordered: list[Row] = []
    waiting = by_cause.get(root, [])[::-1]
    while waiting:
        one = waiting.pop()
        ordered.append(one)
        waiting += by_cause.get(one["id"], [])[::-1]
    return ordered


def _together(ask: Ask, row: Row) -> list[Row]:
    """A commit's events follow one another and bear one millisecond."""
    seq, at = int(row["seq"]), f"TIMESTAMP '{row['committed_at'].isoformat(sep=' ')}'"
    where = (
        f"seq BETWEEN {seq - _TOGETHER} AND {seq + _TOGETHER} AND committed_at = {at}"
        f" AND origin = {quote(row['origin'])} AND seq <> {seq}"
    )
    rest = f"ORDER BY abs(seq - {seq}), seq LIMIT {_TOGETHER}"
    return sorted(map(_short, _rows(ask, _BRIEF, where, rest)), key=lambda e: int(e["seq"]))


def _about(ask: Ask, row: Row) -> list[Row]:
    if row["entity_id"] is None:
        return []
    same = f"entity_id = {_id(row['entity_id'])}{_same_persona(row)}"
    before = _rows(
        ask, _BRIEF, f"{same} AND seq < {row['seq']}", f"ORDER BY seq DESC LIMIT {_AROUND}"
    )
    after = _rows(ask, _BRIEF, f"{same} AND seq > {row['seq']}", f"ORDER BY seq LIMIT {_AROUND}")
    return [*map(_short, reversed(before)), *map(_short, after)]


def _same_persona(row: Row) -> str:
    if row["persona_id"] is None:
        return ""
    return f" AND persona_id = {_id(row['persona_id'])} AND shard = {int(row['shard'])}"


def _short(row: Row) -> Row:
    kept = {name: row[name] for name in ("seq", "name", "occurred_at")}
    kept["occurred_at"] = row["occurred_at"].isoformat(sep=" ", timespec="seconds")
    return kept | {"id": str(row["id"]), "said": in_one_line(row["args"])}


def _rows(ask: Ask, what: str, where: str, rest: str = "ORDER BY seq") -> list[Row]:
    return ask(f"SELECT {what} FROM events WHERE {where} {rest}").to_dicts()  # noqa: S608 - all ours


def _id(value: str | uuid.UUID) -> str:
    return f"{quote(str(value))}::UUID"
