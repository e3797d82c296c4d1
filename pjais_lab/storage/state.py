"""The state of one process: DuckDB tables that follow the log.

Everything here can be thrown away and rebuilt. One application of events is one DuckDB
transaction: the events enter ``log.tail``, each table they move is folded and merged, the position
advances; a reader sees all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import duckdb

from pjais_lab.core.block import Block
from pjais_lab.core.event import Chunk
from pjais_lab.errors import InternalError
from pjais_lab.storage._inserts import block_to_arrow
from pjais_lab.storage._log import EVENT_NAMES
from pjais_lab.storage._single import are_few, merge_each
from pjais_lab.storage._tables import StateTables
from pjais_lab.storage._whole import merge_into, partials
from pjais_lab.storage.changes import Changes, touched_by
from pjais_lab.storage.duck import quote, transaction, translated

__all__ = ["State"]


class State(StateTables):
    """Tables in schema ``state`` that follow the log; views for users in ``main``.

    Args:
        con: an in-memory DuckDB, owned by this state.
        registry: the declarations.
        router: gives a persona's shard.
    """

    def ingest(self, chunks: Sequence[Chunk]) -> Changes:
        """Apply commits that follow the position, in one transaction.

        Raises:
            StorageError: DuckDB refused; the state is as before.
            InternalError: an event between the position and these is missing.
        """
        records = [r for c in chunks for r in c.records if r.seq > self.position]
        if not records:
            return Changes(self.position, {})
        if records[0].seq != self.position + 1:
            msg = f"Event {records[0].seq:,} cannot be applied: the state is at {self.position:,}."
            raise InternalError(msg, hint="Run 'pjais verify'.", position=self.position)
        registry, cursor = self.registry, self.cursor()
        with self.lock, translated("applying events"):
            with transaction(cursor):
                self._append(cursor, records)
                source = f"(SELECT {EVENT_NAMES} FROM log.tail WHERE seq > {self.position})"
                if not self._has_erased and are_few(records, registry, self._erasing):
                    for r in records:
                        tables = [
                            (registry.tables[t], self._plans[t])
                            for t in self._moves.get(r.name, ())
                        ]
                        merge_each(cursor, tables, r, self.router)
                else:
                    self._apply(cursor, source, {r.name for r in records}, self.position)
            touched = touched_by(records, registry, self._moves, self._erasing)
            self._lives.forget(None if touched is None else (r.entity_id for r in records))
            self.position = records[-1].seq
        if touched is None:
            return self.all_changed()
        return Changes(self.position, touched, self._known_as({r.name for r in records}))

    def ingest_blocks(self, blocks: Iterable[Block]) -> Changes:
        """Apply bulk commits that follow the position, in one transaction.

        Args:
            blocks: in order, each taken once it is durable; while the next one is being made, this
                one's rows go in. None of their events erases.

        Raises:
            StorageError: DuckDB refused; the state is as before.
        """
        cursor, names, last = self.cursor(), set[str](), self.position
        with self.lock, translated("applying events"):
            with transaction(cursor):
                with ThreadPoolExecutor(1, "pjais-fill") as pool:
                    filled: list[Future[None]] = []
                    for block in blocks:
                        names.update(block.name)
                        last = block.seq_last
                        filled.append(pool.submit(self._fill, cursor, block))
                for future in filled:
                    future.result()
                source = f"(SELECT {EVENT_NAMES} FROM log.tail WHERE seq > {self.position})"
                self._apply(cursor, source, names, self.position)
            self._lives.forget()
            self.position = last
        moved = {t for n in names for t in self._moves.get(n, ())}
        return Changes(self.position, dict.fromkeys(("events", *moved)), self._known_as(names))

    def _fill(self, cursor: duckdb.DuckDBPyConnection, block: Block) -> None:
        self._insert(cursor, block_to_arrow(block, self.router))

    def start(self, position: int, loaded: Collection[str], unsealed: Sequence[Chunk]) -> list[str]:
        """Take up the log at a position, after ``mark_sealed`` and a checkpoint.

        Args:
            position: the last event in the loaded tables; the mark when none was loaded.
            loaded: tables that a checkpoint has filled; the others are rebuilt.
            unsealed: the journal's commits after the mark.

        Returns:
            The tables that were rebuilt.
        """
        with self.lock:
            behind = [r for c in unsealed for r in c.records if self.mark < r.seq <= position]
            with translated("taking up the log"):
                cursor = self.cursor()
                if behind:
                    self._append(cursor, behind)
                self.position = position
                if "_erased" not in loaded and self._erasing:
                    self._erase(cursor, f"(SELECT {EVENT_NAMES} FROM log.history)", self._erasing)
                row = cursor.execute("SELECT count(*) FROM state._erased").fetchone()
                self._has_erased = bool(row and row[0])
            self._lives.forget()
            missing = [t for t in self._plans if t not in loaded] if position else []
            if missing:
                self.rebuild(*missing)
            return missing

    def ingest_sealed(self, through: int) -> Changes:
        """Apply events that only the lake still has, up to ``through``; see ``mark_sealed``."""
        with self.lock, translated("applying sealed events"):
            cursor = self.cursor()
            where = f"seq > {self.position} AND seq <= {through}"
            source = f"(SELECT {EVENT_NAMES} FROM log.history WHERE {where})"
            with transaction(cursor):
                names = {
                    r[0] for r in cursor.execute(f"SELECT DISTINCT name FROM {source}").fetchall()
                }
                self._apply(cursor, source, names, self.position)
            self._lives.forget()
            self.position = through
        return self.all_changed()

    def _apply(
        self, cursor: duckdb.DuckDBPyConnection, source: str, names: set[str], after: int
    ) -> None:
        source = self._upcasting.widen(cursor, source, names, after)
        newest = {self.registry.newest(n) for n in names}
        erasing = newest & self._erasing
        if erasing:
            self._erase(cursor, source, erasing)
        moved = {t for n in newest for t in self._moves.get(n, ())}
        for table in self._plans:
            if table in moved:
                plan = self._plans[table]
                fold = partials(cursor, plan, source, newest, has_erased=self._has_erased)
                merge_into(cursor, plan, fold, f"state.{table}", source, newest)

    def _erase(self, cursor: duckdb.DuckDBPyConnection, source: str, names: set[str]) -> None:
        self._has_erased = True
        wanted = ", ".join(map(quote, sorted(names)))
        cursor.execute(
            f"INSERT INTO state._erased SELECT DISTINCT persona_id FROM {source} s"
            f" WHERE name IN ({wanted}) AND persona_id NOT IN (SELECT persona_id FROM state._erased)"
        )
        gone = "persona_id IN (SELECT persona_id FROM state._erased)"
        for table in self._plans:
            cursor.execute(f"DELETE FROM state.{table} WHERE {gone}")
        for part in ("tail", "upcasted"):
            cursor.execute(
                f"UPDATE log.{part} SET args = NULL WHERE {gone} AND name NOT IN ({wanted})"
            )

    def _known_as(self, names: Collection[str]) -> frozenset[str]:
        """Names of events as they are stored, and as they are called now."""
        return frozenset((*names, *map(self.registry.newest, names)))

    def all_changed(self) -> Changes:
        """Changes that make everything that reads the state look again."""
        return Changes(self.position, dict.fromkeys(self.tables))
