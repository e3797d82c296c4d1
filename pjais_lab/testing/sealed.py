"""Events made by SQL, as many as wanted, for tests of what reads the lake."""

from __future__ import annotations

from pjais_lab.core.ids import natural_id
from pjais_lab.core.shard import HashRouter

__all__ = ["made_events", "made_persona"]


def made_persona(number: int) -> str:
    """The id of the persona with that number."""
    return natural_id("made", str(number))


def made_events(first: int, last: int, *, personas: int = 8, shards: int = 4) -> str:
    """A SELECT of events, the same each time: one of every persona in turn.

    The content of an event of persona ``p`` begins with ``mark-p``.

    Args:
        first: place of the first event.
        last: place of the last one.
        personas: how many personas there are.
        shards: how many shards they are spread over.
    """
    router = HashRouter(shards)
    ids = [made_persona(i) for i in range(personas)]
    rows = ", ".join(f"({i}, '{p}'::UUID, {router.shard_of(p)})" for i, p in enumerate(ids))
    return f"""
        SELECT seq, printf('019a0000-0000-7000-8000-%012x', seq)::UUID AS id,
          'v1.Noted' AS name, printf('019b0000-0000-7000-8000-%012x', seq)::UUID AS entity_id,
          persona_id, shard::USMALLINT AS shard, 1::INTEGER AS epoch,
          make_timestamp(1700000000000000 + seq * 1000) AS occurred_at,
          '0000000000a' AS origin, seq AS origin_seq, 'user:test' AS actor, NULL::UUID AS cause,
          '{{"text":"mark-' || persona_id || ' ' || hash(seq) || ' ' || hash(seq + 1) || '"}}' AS args
        FROM range({first}, {last} + 1) AS r(seq)
        JOIN (VALUES {rows}) AS p(number, persona_id, shard) ON number = seq % {personas}
    """  # noqa: S608
