"""The journal: the commit point, where an event becomes durable and gets its place.

``Journal`` is what the rest of the package knows; an implementation passes the contract suite in
``tests/contract``.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import msgspec

from pjais_lab.core.block import Block
from pjais_lab.core.event import Chunk
from pjais_lab.errors import StorageError
from pjais_lab.storage.lease import Lease

__all__ = ["ChainReport", "GapError", "Journal"]


class GapError(StorageError):
    """The events asked for were purged from the journal after they were sealed into the lake.

    Args:
        floor: the last event that is not in the journal any more.
    """

    def __init__(self, floor: int) -> None:
        msg = f"The journal begins after event {floor:,}; earlier events are in the lake."
        super().__init__(msg, hint="Read up to there from the lake.", floor=floor)
        self.floor = floor


class ChainReport(msgspec.Struct, frozen=True):
    """What ``verify_chain`` has checked.

    Attributes:
        commits: rows read.
        events: events in them.
        origins: replicas whose chain was followed to its end.
        scrubbed: rows whose payload was erased in part.
    """

    commits: int
    events: int
    origins: int
    scrubbed: int


@runtime_checkable
class Journal(Protocol):
    """A durable, totally ordered log that any number of processes append to and read."""

    @property
    def replica(self) -> str:
        """The origin of events appended here: 11 hexadecimal digits."""
        ...

    def lock(self, timeout_s: float = 30.0) -> AbstractContextManager[None]:
        """Hold off every other writer for a ``with`` block, in the order of asking; re-entrant.

        Raises:
            BusyError: somebody else held it for longer than ``timeout_s``.
        """
        ...

    def head(self) -> int:
        """The last event's place; 0 when nothing was ever appended."""
        ...

    def floor(self) -> int:
        """The last purged event's place; 0 when nothing was purged."""
        ...

    def last_id(self) -> str | None:
        """The greatest event id ever appended, for the clock that mints the next."""
        ...

    def vector(self) -> dict[str, int]:
        """Origin -> its highest ``origin_seq`` here."""
        ...

    def read(self, after: int, limit: int | None = None) -> list[Chunk]:
        """Commits after a place, in order; a commit that straddles it is cut.

        Args:
            after: the last event already known.
            limit: at most so many commits, and fewer when they are large; None means all.

        Raises:
            GapError: events after ``after`` were purged.
            CorruptJournalError: a row is not what was stored.
        """
        ...

    def append(
        self, chunk: Chunk | Block, *, key: str | None = None, expected: int | None = None
    ) -> None:
        """Store a commit, whole; durable when it returns.

        Args:
            chunk: numbered to follow the head and its origin's last number.
            key: idempotency key, refused when known.
            expected: the head that the commit was decided on.

        Raises:
            ConcurrencyError: the log is not at ``expected``, the chunk does not follow the head,
                or the key is known. Nothing was stored.
            InternalError: the chunk contradicts itself, or leaves a gap in its origin's numbers.
            DiskFullError: the disk is full. Nothing was stored.
        """
        ...

    def position_of(self, key: str) -> tuple[int, int] | None:
        """First and last event of the commit that was stored under an idempotency key."""
        ...

    def purge(self, through: int, *, lease: Lease | None = None) -> int:
        """Remove whole commits up to a place, after they were sealed; may be repeated.

        Args:
            through: the last event that may go.
            lease: refuse unless this lease is still held.

        Returns:
            How many events were removed.

        Raises:
            LeaseLostError: somebody else holds the lease; nothing was removed.
        """
        ...

    def scrub(self, persona_id: str) -> int:
        """Erase the content of one persona's events, from the file too; the chain still verifies.

        Returns:
            How many events lost their content.
        """
        ...

    def settle(self) -> bool:
        """Take what was scrubbed out of every file of the journal; whether it worked."""
        ...

    def verify_chain(self) -> ChainReport:
        """Read everything and check file, digests, numbers and each origin's hash chain.

        Raises:
            CorruptJournalError: names the first commit that is wrong.
        """
        ...

    def lease(self, name: str, ttl_s: float) -> Lease:
        """Become the only holder of a role, for a time.

        Raises:
            BusyError: somebody else holds it.
        """
        ...

    def meta_get(self, key: str) -> str | None:
        """A small value kept with the journal, or None."""
        ...

    def meta_set(self, key: str, value: str, *, lease: Lease | None = None) -> None:
        """Keep a small value with the journal.

        Raises:
            LeaseLostError: ``lease`` is held by somebody else; nothing was stored.
        """
        ...

    def close(self) -> None:
        """Let go of files; further calls raise ClosedError. May be repeated."""
        ...
