"""A process that seals and compacts a journal's events over and over, and says how far it is.

Usage: python sealer_process.py FOLDER. Started by the break tests, which kill it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pjais_lab.core.event import Event, event
from pjais_lab.core.merge import Last, src
from pjais_lab.core.registry import Registry
from pjais_lab.core.shard import HashRouter
from pjais_lab.core.table import Table
from pjais_lab.storage import checkpoint
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.storage.compaction import compact
from pjais_lab.storage.duck import connect
from pjais_lab.storage.lake import Lake
from pjais_lab.storage.seal import Sealer
from pjais_lab.storage.settings import Seal
from pjais_lab.storage.state import State
from pjais_lab.testing.chunks import next_chunk


@event("v1.Tested", entity="test", effect="create")
class Trial(Event):
    """An event as ``next_chunk`` makes them."""

    n: int


REGISTRY = Registry().add(Trial, Table("tests", "test", {"n": Last("BIGINT", (src(Trial, "n"),))}))


def main(folder: Path) -> None:
    """Boot as a lab does, then append, apply, seal and compact until killed."""
    con = connect(1)
    journal = SqliteJournal(folder / "journal.sqlite")
    lake = Lake(con, folder / "lake", HashRouter(4))
    state = State(con, REGISTRY, HashRouter(4))
    mark = lake.mark()
    if mark:
        state.mark_sealed(lake.events_sql(mark), mark)
        loaded = checkpoint.load(lake, state, head=journal.head())
        state.start(
            loaded.position or mark, loaded.tables, journal.read(max(mark, journal.floor()))
        )
        if state.position < journal.floor():
            state.ingest_sealed(mark)
    sealer = Sealer(journal, lake, state, Seal(events=1))
    while True:
        with journal.lock():
            journal.append(next_chunk(journal, 700))
        print(journal.head(), flush=True)
        state.ingest(journal.read(state.position))
        sealer.seal_once()
        compact(lake, min_runs=3, grace_s=0.5)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
