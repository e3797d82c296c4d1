"""One memory whole: its text, its links, what happened to it."""

from __future__ import annotations

import json
from typing import Any, Final

from pjais_lab.views.memory_table.undo import Asks

__all__ = ["details", "find"]

_LONGEST: Final = 100_000
_MOST: Final = 100
_SHORT: Final = 160
_FOUND: Final = 8
_QUIET: Final = frozenset(
    {"content", "content_type", "extra", "importance_raw", "importance_scale"}
)
_MEMORY: Final = """\
SELECT m.*, (SELECT p.name FROM personas p WHERE p.id = m.persona_id) AS persona
FROM memories m WHERE m.id = $id"""
_LINKS: Final = f"""\
SELECT l.way, l.relation, l.strength, l.other, left(m.content, {_SHORT}) AS content
FROM (
    SELECT 'to' AS way, relation, strength, target_id AS other, linked_at, id FROM links
    WHERE source_id = $id
    UNION ALL
    SELECT 'from', relation, strength, source_id, linked_at, id FROM links WHERE target_id = $id
) l LEFT JOIN memories m ON m.id = l.other ORDER BY l.linked_at DESC, l.id LIMIT {_MOST}"""  # noqa: S608
_EVENTS: Final = f"""\
SELECT id, name, occurred_at, committed_at, actor, args FROM events
WHERE persona_id = $persona AND entity_id = $id ORDER BY seq DESC LIMIT {_MOST}"""  # noqa: S608
_FIND: Final = f"""\
SELECT id, left(content, {_SHORT}) AS content,
    (SELECT p.name FROM personas p WHERE p.id = m.persona_id) AS persona
FROM memories m WHERE contains(lower(content), lower($text))
ORDER BY created_at DESC, id DESC LIMIT {_FOUND}"""  # noqa: S608


def details(lab: Asks, memory: str) -> dict[str, Any]:
    """A memory as the panel shows it.

    Args:
        lab: where.
        memory: its id.

    Raises:
        QueryError: it is no id.
    """
    found = lab.query(_MEMORY, id=memory).to_dicts()
    if not found:
        return {"id": memory, "is_alive": False}
    row = found[0]
    events = lab.query(_EVENTS, id=memory, persona=row["persona_id"]).to_dicts()
    links = lab.query(_LINKS, id=memory).to_dicts()
    names = ("kind", "content_type", "tier", "importance", "tags", "recalls", "persona", "source")
    times = ("created_at", "last_recalled_at", "revised_at", "expires_at")
    return {
        "id": memory,
        "is_alive": True,
        "content": row["content"][:_LONGEST],
        "is_cut": len(row["content"]) > _LONGEST,
        **{n: row[n] for n in names},
        **{n: None if row[n] is None else f"{row[n]:%Y-%m-%d %H:%M:%S}" for n in times},
        "links": links,
        "events": [_event(e) for e in events],
        "is_more": max(len(events), len(links)) == _MOST,
    }


def find(lab: Asks, text: str) -> list[dict[str, str]]:
    """The newest memories that contain a text, whatever its capitals.

    Args:
        lab: where.
        text: what to look for.
    """
    rows = lab.query(_FIND, text=text).rows()
    return [
        {"value": i, "label": f"{content} ({persona or 'nobody'})"} for i, content, persona in rows
    ]


def _event(event: dict[str, Any]) -> dict[str, str]:
    args = json.loads(event["args"] or "{}")
    said = {k: v for k, v in args.items() if k not in _QUIET and v not in (None, "", [], {})}
    is_old = abs((event["occurred_at"] - event["committed_at"]).total_seconds()) > 1
    return {
        "id": event["id"],
        "name": event["name"],
        "at": f"{event['occurred_at']:%Y-%m-%d %H:%M:%S}",
        "committed": f"{event['committed_at']:%Y-%m-%d %H:%M:%S}" if is_old else "",
        "actor": event["actor"],
        "said": ", ".join(f"{k} {_word(v)}" for k, v in said.items())[:_SHORT],
    }


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
