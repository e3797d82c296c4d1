"""Finishing erasures that a kill cut short: out of the journal, out of the lake.

An erasure is one event, durable before anything is removed; the removing is repeated until it is
seen to be done. A note in the journal says up to which event that was seen.
"""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

import duckdb

from pjais_lab.errors import BusyError
from pjais_lab.storage.duck import quote, translated
from pjais_lab.storage.journal import Journal

__all__ = ["Erasing", "finish_in_journal", "has_erased"]

_NOTE: Final = "erased_through"


class Erasing(Protocol):
    """What this needs of the state: its log, and the erased personas it knows."""

    @property
    def position(self) -> int:
        """The last event applied."""
        ...

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held by whoever changes tables and position."""
        ...

    @property
    def erasing_names(self) -> tuple[str, ...]:
        """Wire names of the events that erase."""
        ...

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for the calling thread."""
        ...


def has_erased(state: Erasing) -> bool:
    """Whether anybody was ever erased here."""
    with translated("looking for erased personas"):
        row = state.cursor().execute("SELECT 1 FROM state._erased LIMIT 1").fetchone()
    return row is not None


def finish_in_journal(journal: Journal, state: Erasing) -> int:
    """Take the content of erased personas out of the journal, if a kill left some there.

    Args:
        journal: where the erasures were committed.
        state: what this process knows of it.

    Returns:
        How many events lost their content.
    """
    if not has_erased(state):
        return 0
    seen = max(int(journal.meta_get(_NOTE) or 0), journal.floor())
    with state.lock:
        through = state.position
    names = ", ".join(map(quote, state.erasing_names))
    with translated("looking for unfinished erasures"):
        personas = (
            state.cursor()
            .execute(
                "SELECT DISTINCT persona_id FROM log.history"
                f" WHERE seq > {seen} AND seq <= {through} AND name IN ({names})"
            )
            .fetchall()
        )
    if not personas:
        return 0
    count = 0
    with contextlib.suppress(BusyError):  # somebody is writing; the next look finds it again
        for (persona,) in personas:
            count += journal.scrub(str(persona))
        if journal.settle():
            journal.meta_set(_NOTE, str(through))
    return count
