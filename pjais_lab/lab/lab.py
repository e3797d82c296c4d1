"""Lab: an open workspace, the object a user holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pjais_lab.conversations import Conversations
from pjais_lab.core.intent import check_commit, given_by
from pjais_lab.core.spelling import spelled_methods
from pjais_lab.errors import NotFoundError
from pjais_lab.formats import load
from pjais_lab.lab import _repr
from pjais_lab.lab.past import PastLab
from pjais_lab.lab.status import Status, status_of
from pjais_lab.memories import Memories
from pjais_lab.personas import Personas
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.settings import Settings
from pjais_lab.simulation import START, SimulationReport, simulate
from pjais_lab.storage.verify import VerifyReport, verify

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.core.event import Draft, Event
    from pjais_lab.core.registry import Registry
    from pjais_lab.core.table import Table
    from pjais_lab.core.upcast import Upcaster
    from pjais_lab.formats import Report
    from pjais_lab.lab.parts import Parts
    from pjais_lab.reactive.commit import Command, Commit
    from pjais_lab.reactive.node import Node
    from pjais_lab.reactive.selection import Selection
    from pjais_lab.storage.changes import RebuildReport
    from pjais_lab.storage.state import State
    from pjais_lab.views.dashboard import Dashboard

__all__ = ["Lab"]


@spelled_methods
class Lab:
    """An open workspace. Made by ``pj.open``; also a context manager.

    Attributes:
        personas: the personas, by name or id.
        memories: record, recall, link, retier and forget.
        conversations: start, say and end.
        settings: the workspace's settings, a mapping.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        store = parts.store
        self.personas = Personas(store, parts.hub)
        self.memories = Memories(store)
        self.conversations = Conversations(store)
        self.settings = Settings(store)

    @property
    def path(self) -> Path:
        """The workspace's directory."""
        return self._parts.workspace.path

    @property
    def position(self) -> int:
        """The place in the log that this lab shows."""
        return self._parts.store.position

    def commit(
        self,
        *items: Draft | Event | Command,
        expected: int | None = None,
        key: str | None = None,
        actor: str | None = None,
        cause: str | None = None,
    ) -> Commit:
        """Append events and apply them, all or none; durable when it returns.

        Args:
            items: events, drafts (``event.on(persona, entity)``), or functions that read the store
                under the write lock and give drafts.
            expected: the position the log must still have.
            key: idempotency key; the same key again gives the first commit's position.
            actor: who did it, ``user:…``, ``plugin:…``, ``import:…``.
            cause: the id of the event these answer.

        Raises:
            RejectedError: an event is wrong or does not fit the state; nothing was stored.
            ConcurrencyError: the log is not at ``expected``; nothing was stored.
            ClockSkewError: the machine's clock fell behind the journal.
            ClosedError: the lab is closed.
        """
        check_commit(expected=expected, key=key, actor=actor, cause=cause)
        return self._parts.store.commit(
            *map(given_by, items), expected=expected, key=key, actor=actor, cause=cause
        )

    def batch(
        self, *, expected: int | None = None, key: str | None = None
    ) -> AbstractContextManager[None]:
        """Collect the commits of a ``with`` block into one: all or nothing, one refresh.

        Args:
            expected: the position the log must still have.
            key: idempotency key of the whole batch.

        Raises:
            RejectedError: an event does not fit; nothing was stored.
        """
        check_commit(expected=expected, key=key)
        return self._parts.store.batch(expected=expected, key=key)

    def query(self, sql: str, **params: Any) -> pl.DataFrame:
        """Answer a question about state (``memories``, …) and history (``events``).

        Args:
            sql: one SELECT in DuckDB's dialect; parameters are written ``$name``.
            params: their values.

        Raises:
            QueryError: the SQL is wrong, or would write.
            ClosedError: the lab is closed.
        """
        return self._parts.store.query(sql, **params)

    def live(self, sql: str, **params: Any) -> LiveQuery:
        """A query that answers again whenever the answer may have changed, in any process.

        Args:
            sql: one SELECT in DuckDB's dialect; parameters are written ``$name``.
            params: their values.

        Raises:
            QueryError: the SQL cannot be parsed, or would write.
            ClosedError: the lab is closed.
        """
        return self._parts.hub.live(sql, **params)

    def at(
        self, moment: int | datetime | str, *, clock: Literal["world", "commit"] = "world"
    ) -> PastLab:
        """A read-only lab at a past moment.

        Args:
            moment: a position of the log (int), or a time, UTC if naive.
            clock: whether a time means when things happened in the personas' world
                (``occurred_at``) or when they were committed. They differ only for events that were
                imported or simulated.

        Raises:
            SnapshotNotFoundError: the log has no such position, or the text is not a time.
        """
        return PastLab(self._parts, moment, clock)

    def declare(self, *declarations: type[Event] | Table | Upcaster) -> None:
        """Add events, tables and upcasters; a table that changed is rebuilt from the log, alone.

        Raises:
            DeclarationError: a name is taken, or a table reads an event of another kind.
            UpcastError: a chain of upcasters forks or leads nowhere.
        """
        self._parts.declare(self._parts.store.registry.add(*declarations))

    def load(self, path: str | Path, *, strict: bool = False, progress: bool = True) -> Report:
        """Import a file or folder; its format is recognised, a second load adds nothing.

        Args:
            path: what to import.
            strict: raise on the first bad row instead of reporting it.
            progress: show a progress bar on a terminal.

        Raises:
            FormatError: the format is not recognised, or ``strict`` met a bad row.
        """
        return load(self._parts.store, path, strict=strict, progress=progress)

    def simulate(
        self, *, personas: int, days: int, seed: int = 0, start: date = START
    ) -> SimulationReport:
        """Write the life of an invented town into this workspace.

        Args:
            personas: how many people live there.
            days: for how long.
            seed: which town; the same numbers give the same town.
            start: the first day, in the town's time.

        Raises:
            RejectedError: a number is out of range, or the town is here already.
        """
        return simulate(self._parts.store, personas=personas, days=days, seed=seed, start=start)

    def rebuild(self, table: str | None = None, *, verify: bool = False) -> list[RebuildReport]:
        """Recompute tables from the log.

        Args:
            table: one table; all of them if None.
            verify: compare each with what was there before.

        Raises:
            NotFoundError: there is no such table.
        """
        tables = self._parts.store.registry.tables
        if table is not None and table not in tables:
            msg = f"There is no table {table!r}; there are {', '.join(tables)}."
            raise NotFoundError(msg, table=table)
        return self._parts.rebuild(*([table] if table else tables), verify=verify)

    def seal(self) -> int:
        """Move the journal into the lake now and write a checkpoint; gives the sealed position.

        Raises:
            BusyError: another process is sealing.
            DiskFullError: there is no room; nothing was lost.
        """
        return self._parts.seal(force=True)

    def verify(self) -> VerifyReport:
        """Check every file of the workspace; problems name the file."""
        return verify(self._parts.workspace)

    @property
    def status(self) -> Status:
        """Positions, sizes, threads and the last errors, each a field of its own."""
        return status_of(self._parts)

    @property
    def state(self) -> State:
        """The state of this process, for whoever folds parts of its log."""
        return self._parts.state

    @property
    def tables(self) -> list[str]:
        """The names of the state tables."""
        return list(self._parts.store.registry.tables)

    @property
    def registry(self) -> Registry:
        """What is declared: events, tables and upcasters."""
        return self._parts.store.registry

    @property
    def live_nodes(self) -> list[Node]:
        """What is live: queries, computed values and models, inputs first."""
        return self._parts.hub.nodes

    @property
    def is_closed(self) -> bool:
        """Whether it has been closed."""
        return self._parts.is_closed

    def dashboard(
        self,
        *,
        selection: Selection | None = None,
        views: Sequence[Any] | None = None,
        shown: Iterable[str] | None = None,
        maximised: str | None = None,
        title: str | None = None,
    ) -> Dashboard:
        """The lab's views in one, sharing what is picked in any of them.

        Args:
            selection: the predicates that all of them share; a new one if None.
            views: rows of views, their classes, or titles of ``pj.views.panels``; all of those if
                None.
            shown: titles of the panels that are open; as last time in this kernel if None.
            maximised: title of the panel that fills the dashboard.
            title: what is written above it; the workspace's name if None.

        Raises:
            ViewError: there is no such view or panel.
        """
        from pjais_lab.views.dashboard import Dashboard, panels  # noqa: PLC0415 - lazy and upwards

        return Dashboard(
            panels if views is None else views,
            lab=self,
            selection=selection,
            shown=shown,
            maximised=maximised,
            title=self.path.name if title is None else title,
        )

    def on_close(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` when the lab closes; what is given takes that back."""
        return self._parts.on_close(callback)

    def close(self) -> None:
        """Stop the threads and let go of the files; closing twice is fine."""
        self._parts.close()

    def __enter__(self) -> Self:
        """The lab itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    def __repr__(self) -> str:
        """Name, counts and position."""
        return _repr.as_text(self._parts)

    def _repr_html_(self) -> str:
        return _repr.as_html(self._parts)
