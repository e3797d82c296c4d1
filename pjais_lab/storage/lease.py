"""Leases: a role that one process at a time holds, for a time, with a fencing token.

The token grows with every new holder (Kleppmann, "How to do distributed locking", 2016), so a
holder that was paused and outlived its lease is told apart from the one that took over.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import msgspec

from pjais_lab.errors import BusyError, LeaseLostError, RejectedError, StorageError
from pjais_lab.storage.clock import Clock

__all__ = ["Holder", "Lease", "LeaseKeeper", "LeaseRow", "holder_of", "is_free", "process_mark"]

_LEFT: Final[set[str]] = set()
"""Holders of this process that are done but could not say so: the disk was full."""
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class LeaseRow(msgspec.Struct, frozen=True):
    """A lease as stored.

    Attributes:
        holder: mark of the process and a nonce; empty once released.
        token: grows by one with every holder.
        expires_ms: when it ends, milliseconds since the Unix epoch.
        ttl_ms: how long it was taken for.
    """

    holder: str
    token: int
    expires_ms: int
    ttl_ms: int


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lease now.

    Attributes:
        pid: the process; empty where that cannot be told.
        is_here: whether it is this process.
        left_s: for how long at most, unless it renews.
    """

    pid: str
    is_here: bool
    left_s: float


class LeaseKeeper(Protocol):
    """Where leases are stored."""

    def lease_row(self, name: str) -> LeaseRow | None:
        """The stored lease of that name."""
        ...

    def swap_lease(self, name: str, old: LeaseRow | None, new: LeaseRow) -> bool:
        """Store ``new`` if ``old`` is still what is stored; whether it was."""
        ...


class Lease:
    """A held role; also a context manager that releases it.

    Args:
        keeper: where it is stored.
        clock: the wall clock.
        name: the role.
        row: as taken.
    """

    def __init__(self, keeper: LeaseKeeper, clock: Clock, name: str, row: LeaseRow) -> None:
        self.name = name
        self._keeper = keeper
        self._clock = clock
        self._row = row

    @classmethod
    def take(cls, keeper: LeaseKeeper, clock: Clock, name: str, ttl_s: float) -> Lease:
        """Become the holder.

        Raises:
            BusyError: a live process holds it and its time is not over.
            RejectedError: ``ttl_s`` is not positive.
        """
        if ttl_s <= 0:
            msg = f"The lease {name!r} was asked for {ttl_s} s; expected more than 0."
            raise RejectedError(msg, name=name, ttl_s=ttl_s)
        now_ms, ttl_ms = clock.now_ms(), max(1, round(ttl_s * 1000))
        old = keeper.lease_row(name)
        if old is not None and not is_free(old, now_ms):
            raise _busy(name, old, now_ms)
        token = 1 if old is None else old.token + 1
        holder = f"{process_mark(os.getpid())}/{secrets.token_hex(4)}"
        row = LeaseRow(holder, token, now_ms + ttl_ms, ttl_ms)
        if not keeper.swap_lease(name, old, row):
            raise _busy(name, keeper.lease_row(name) or row, now_ms)
        return cls(keeper, clock, name, row)

    @property
    def token(self) -> int:
        """The fencing token: greater than that of every earlier holder."""
        return self._row.token

    @property
    def holder(self) -> str:
        """Who holds it, as stored."""
        return self._row.holder

    def owns(self, row: LeaseRow | None) -> bool:
        """Whether a stored row is this holder's."""
        return row is not None and (row.token, row.holder) == (self._row.token, self._row.holder)

    def renew(self) -> None:
        """Hold on for another full time.

        An overdue lease that nobody else took is still ours.

        Raises:
            LeaseLostError: somebody else took it, or it was released.
        """
        row = self._row
        new = LeaseRow(row.holder, row.token, self._clock.now_ms() + row.ttl_ms, row.ttl_ms)
        stored = self._keeper.lease_row(self.name)
        if not self.owns(stored) or not self._keeper.swap_lease(self.name, stored, new):
            raise self.lost()
        self._row = new

    def check(self) -> None:
        """Call before every act that only the holder may do; renews when half the time is over.

        Raises:
            LeaseLostError: somebody else took it, or it was released.
        """
        if not self.owns(self._keeper.lease_row(self.name)):
            raise self.lost()
        if self._row.expires_ms - self._clock.now_ms() < self._row.ttl_ms // 2:
            self.renew()

    def release(self) -> None:
        """Let others have it at once; does nothing when it is lost already."""
        stored = self._keeper.lease_row(self.name)
        if stored is not None and self.owns(stored):
            self._keeper.swap_lease(self.name, stored, LeaseRow("", stored.token, 0, stored.ttl_ms))

    def lost(self) -> LeaseLostError:
        """The error that says somebody else holds it now."""
        msg = f"The lease {self.name!r} with token {self.token} is not held any more; nothing was done."
        hint = "Another process took over; take the lease again to go on."
        return LeaseLostError(msg, hint=hint, name=self.name, token=self.token)

    def __enter__(self) -> Self:
        """Held already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release it; where the disk refuses even that, this process still knows that it is free."""
        try:
            self.release()
        except StorageError:
            _LEFT.add(self.holder)


def is_free(row: LeaseRow, now_ms: int) -> bool:
    """Whether a lease may be taken: released, left, over, or held by a process that is gone.

    A lease that ends later than its own length from now was taken before the clock was set back.
    """
    left_ms = row.expires_ms - now_ms
    is_over = not row.holder or left_ms <= 0 or left_ms > row.ttl_ms
    return is_over or row.holder in _LEFT or _is_gone(row.holder)


def holder_of(row: LeaseRow | None, now_ms: int) -> Holder | None:
    """Who holds a stored lease; None when it may be taken."""
    if row is None or is_free(row, now_ms):
        return None
    is_here = row.holder.rpartition("/")[0] == process_mark(os.getpid())
    return Holder(_pid_of(row), is_here, max(0.0, (row.expires_ms - now_ms) / 1000))


def process_mark(pid: int) -> str:
    """What tells a process from every other one: boot, pid namespace, pid and start time."""
    boot = space = start = "-"
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            boot = _BOOT_ID.read_text(encoding="ascii").strip()
            space = str(Path("/proc/self/ns/pid").readlink())
            start = _start_time(pid)
    return f"{boot}/{space}/{pid}/{start}"


def _start_time(pid: int) -> str:
    """Clock ticks after boot at which a process started; empty for one that has ended."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def _is_gone(holder: str) -> bool:
    boot, space, pid, start, _ = (holder.split("/") + [""] * 5)[:5]
    here = process_mark(os.getpid()).split("/")
    if boot == "-" or not start or start == "-" or here[0] == "-":
        return False
    if boot != here[0]:
        return True
    if space != here[1]:
        return False
    try:
        os.kill(int(pid), 0)
        return _start_time(int(pid)) != start
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False


def _busy(name: str, row: LeaseRow, now_ms: int) -> BusyError:
    left_s = max(0.0, (row.expires_ms - now_ms) / 1000)
    pid = _pid_of(row)
    msg = f"The lease {name!r} is held by process {pid or 'unknown'} for up to {left_s:.0f} s more."
    hint = "Wait until it is done; a lease left by a dead process is taken over."
    return BusyError(msg, hint=hint, name=name, pid=pid, left_s=left_s)


def _pid_of(row: LeaseRow) -> str:
    return (row.holder.split("/") + [""] * 3)[2]
