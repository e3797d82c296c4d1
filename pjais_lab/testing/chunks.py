"""Commits made by hand, for tests of journals and of what reads them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pjais_lab.core.event import Chunk, Record
from pjais_lab.core.ids import clock_of, mint
from pjais_lab.storage.journal import Journal

__all__ = ["next_chunk"]


def next_chunk(
    journal: Journal,
    args: int | Sequence[str] = 1,
    *,
    persona_id: str | None = None,
    origin: str | None = None,
) -> Chunk:
    """A commit that follows the journal's head; append it under the same lock.

    Args:
        journal: where it will be appended.
        args: how many events, or the JSON content of each.
        persona_id: whose they are.
        origin: the replica that wrote them; the journal's own if None.
    """
    contents = [f'{{"n":{i}}}' for i in range(args)] if isinstance(args, int) else list(args)
    writer = origin or journal.replica
    head, base = journal.head(), journal.vector().get(writer, 0)
    now_ms = time.time_ns() // 1_000_000
    _, ids = mint(clock_of(journal.last_id(), writer), now_ms, len(contents))
    records = tuple(
        Record(
            head + n,
            ids[n - 1],
            "v1.Tested",
            ids[n - 1],
            persona_id,
            1,
            now_ms * 1000,
            writer,
            base + n,
            "user:test",
            None,
            content,
        )
        for n, content in enumerate(contents, 1)
    )
    return Chunk(head + 1, head + len(records), writer, base + len(records), records)
