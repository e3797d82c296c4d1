"""The store: commit = lock, catch up, check, append, apply, notify."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pjais_lab.core.block import Block
from pjais_lab.core.event import Chunk, Draft, Event, Record, moment
from pjais_lab.core.ids import clock_of, mint
from pjais_lab.errors import ClockSkewError, ConcurrencyError, RejectedError
from pjais_lab.reactive._admission import Prepared, Stamp, admit
from pjais_lab.reactive._staging import Columns, StagedBatch, block_of, open_batch, opened_batch
from pjais_lab.reactive._view import StoreView
from pjais_lab.reactive.commit import Command, Commit, prepare
from pjais_lab.storage.interrupts import interruptible, shielded

if TYPE_CHECKING:
    from pjais_lab.storage.clock import Clock
    from pjais_lab.storage.journal import Journal
    from pjais_lab.storage.notify import Notifier
    from pjais_lab.storage.settings import Limits
    from pjais_lab.storage.state import State

__all__ = ["Store"]

Item = Draft | Event | Command
By = tuple[str | None, str | None]
"""Actor and cause."""


class Store(StoreView):
    """One kernel's handle on the log and the state derived from it.

    Args:
        journal: where commits become durable.
        state: the tables of this process.
        notifier: tells other processes.
        limits: the workspace's limits.
        clock: the wall clock.
        actor: who commits unless a commit says otherwise.
        refill: brings the state over a gap when the journal was purged past its position.
    """

    def __init__(
        self,
        journal: Journal,
        state: State,
        notifier: Notifier,
        limits: Limits,
        *,
        clock: Clock,
        actor: str,
        refill: Callable[[State], None],
    ) -> None:
        super().__init__(journal, state, refill)
        self.notifier = notifier
        self.limits = limits
        self.clock = clock
        self.actor = actor

    def commit(
        self,
        *items: Item,
        expected: int | None = None,
        key: str | None = None,
        actor: str | None = None,
        cause: str | None = None,
    ) -> Commit:
        """Append events and apply them, all or none; durable when it returns.

        Args:
            items: events, drafts (``event.on(...)``), or functions that read the state under the
                write lock and give drafts.
            expected: the position the log must still have.
            key: idempotency key; the same key again gives the first commit's position.
            actor: who did it, ``user:…``, ``plugin:…``, ``import:…``.
            cause: the id of the event these answer.

        Returns:
            The stored records; inside ``batch()`` only the entity ids, since numbers come at the end.

        Raises:
            RejectedError: an event is wrong or does not fit the state; nothing was stored.
            ConcurrencyError: the log is not at ``expected``; nothing was stored.
            ClockSkewError: the machine's clock fell behind the journal.
            ClosedError: the lab is closed.
        """
        self._check_open()
        by = actor, cause
        ready = self._prepare([i for i in items if not callable(i)], by)
        staged: StagedBatch | None = open_batch(self)
        if staged is not None:
            if len(ready) != len(items) or expected is not None or key is not None:
                msg = (
                    "Inside batch() a commit takes events only: give expected= and key= to batch()."
                )
                raise RejectedError(msg)
            staged.items.extend(ready)
            return Commit(0, 0, (), tuple(p.entity_id for p in ready))
        commands = [i for i in items if callable(i)]
        return self._write(ready, commands, expected, key, by)

    @contextmanager
    def batch(self, *, expected: int | None = None, key: str | None = None) -> Iterator[None]:
        """Collect the commits of a ``with`` block into one: all or nothing, one refresh.

        Inside, the state is as before the block. An exception discards everything. A batch inside
        a batch joins it; if it fails, the outer one cannot commit either.

        Args:
            expected: the position the log must still have.
            key: idempotency key of the whole batch.

        Raises:
            RejectedError: an inner batch failed, or an event does not fit; nothing was stored.
        """
        outer: StagedBatch | None = open_batch(self)
        if outer is not None:
            with outer.joined():
                yield
            return
        self._check_open()
        with opened_batch(self) as batch:
            yield
        if batch.is_broken:
            msg = "A batch inside this batch failed, so nothing of it was stored."
            raise RejectedError(msg, hint="Let the inner exception pass, or batch separately.")
        if batch.items:
            self._write(batch.items, [], expected, key)

    def commit_columns(self, batches: Sequence[Columns], *, actor: str) -> int:
        """Append batches of events whose writer vouches for epochs, references and content.

        For generators: their entities belong to nobody else, and their content is canonical JSON of
        declared events; none of them erases. Everything else goes through ``commit``.

        Args:
            batches: each becomes one commit; all are applied together, which costs less.
            actor: who did it.

        Returns:
            The position after the last batch.

        Raises:
            UnknownEventError: a wire name is not declared.
            ClockSkewError: the machine's clock fell behind the journal.
        """
        self._check_open()
        for name in {n for b in batches for n in set(b.name)}:
            self.registry.event(name)
        with shielded(), self.journal.lock(), self._apply_lock:
            self._apply_missing()
            blocks = (self._append(columns, actor) for columns in batches)
            self._announce(self.state.ingest_blocks(blocks))
        self.notifier.notify(self.position)
        return self.position

    def _append(self, columns: Columns, actor: str) -> Block:
        origin, head = self.journal.replica, self.journal.head()
        ids = self._mint(len(columns.name))[0]
        base = self.journal.vector().get(origin, 0)
        block = block_of(columns, ids, head=head, origin=origin, base=base, actor=actor)
        self.journal.append(block, expected=head)
        return block

    def _prepare(self, items: Sequence[Draft | Event], by: By) -> list[Prepared]:
        limit, now_ms = self.limits.event_bytes, self.clock.now_ms()
        return prepare(items, self.registry, limit, now_ms, by)

    def _write(
        self,
        staged: list[Prepared],
        commands: Sequence[Command],
        expected: int | None,
        key: str | None,
        by: By = (None, None),
    ) -> Commit:
        with shielded(), self.journal.lock():
            self._apply_missing()
            head = self.position
            if key is not None and (known := self.journal.position_of(key)) is not None:
                done = self._replay(*known)
            else:
                if expected is not None and expected != head:
                    self._conflict(expected, head)
                with interruptible():
                    drafts = [list(c(self)) for c in commands]
                staged = [*staged, *(p for d in drafts for p in self._prepare(d, by))]
                stamps = admit(staged, self.registry, self.state)
                chunk = self._chunk(staged, stamps, head)
                if chunk is not None:
                    self.journal.append(chunk, key=key, expected=head)
                    self._apply_missing(chunk)
                done = _commit_of(chunk, head)
        if done.records and not done.is_replay:
            self._scrub_erased(done.records)
            self.notifier.notify(done.seq_last)
        return done

    def _chunk(
        self,
        staged: Sequence[Prepared],
        stamps: Sequence[Stamp],
        head: int,
    ) -> Chunk | None:
        if not staged:
            return None
        ids, now_us = self._mint(len(staged))
        origin = self.journal.replica
        base = self.journal.vector().get(origin, 0)
        actor = self.actor
        records = tuple(
            Record(
                head + n,
                ids[n - 1],
                item.spec.name,
                item.entity_id,
                stamp.persona_id,
                stamp.epoch,
                now_us if item.draft.occurred_at is None else item.draft.occurred_at,
                origin,
                base + n,
                item.actor or actor,
                item.draft.cause or item.cause,
                item.args,
            )
            for n, (item, stamp) in enumerate(zip(staged, stamps, strict=True), 1)
        )
        return Chunk(head + 1, head + len(records), origin, base + len(records), records)

    def _mint(self, n: int) -> tuple[list[str], int]:
        now = self.clock.now_ms()
        clock = clock_of(self.journal.last_id(), self.journal.replica)
        skew_ms = self.limits.clock_skew_s * 1000
        if clock.last_ms - now > skew_ms:
            newest, shown = moment(clock.last_ms * 1000), moment(now * 1000)
            msg = (
                f"The machine's clock says {shown:%Y-%m-%d %H:%M:%S} UTC but the journal's newest"
                f" event is of {newest:%Y-%m-%d %H:%M:%S} UTC; nothing was stored."
            )
            hint = "Set the clock, or raise limits.clock_skew_s in workspace.toml."
            raise ClockSkewError(msg, hint=hint, skew_ms=clock.last_ms - now)
        return mint(clock, now, n)[1], now * 1000

    def _replay(self, first: int, last: int) -> Commit:
        rows = [
            r
            for c in (self.journal.read(first - 1, 1) if first > self.journal.floor() else ())
            for r in c.records
            if first <= r.seq <= last
        ]
        return Commit(first, last, tuple(rows), tuple(r.entity_id for r in rows), is_replay=True)

    def _scrub_erased(self, records: Sequence[Record]) -> None:
        erasing = self.state.erasing_names
        for record in records:
            if record.name in erasing:
                self.journal.scrub(record.persona_id or "")

    @staticmethod
    def _conflict(expected: int, head: int) -> None:
        msg = f"The commit expected the log at {expected:,} but it is at {head:,}; nothing was stored."
        raise ConcurrencyError(
            msg, hint="Read the state again and retry.", expected=expected, actual=head
        )


def _commit_of(chunk: Chunk | None, head: int) -> Commit:
    if chunk is None:
        return Commit(head, head)
    ids = tuple(r.entity_id for r in chunk.records)
    return Commit(chunk.seq_first, chunk.seq_last, chunk.records, ids)
