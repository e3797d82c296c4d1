"""What an open lab is made of, how it starts, and how it stops."""

from __future__ import annotations

import atexit
import getpass
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from pjais_lab.core.registry import Registry
from pjais_lab.errors import ClosedError, InternalError
from pjais_lab.lab.keeper import Keeper
from pjais_lab.reactive._weak import WeakBag
from pjais_lab.reactive.hub import Hub
from pjais_lab.reactive.store import Store
from pjais_lab.reactive.tailer import Tailer
from pjais_lab.storage import checkpoint
from pjais_lab.storage.changes import RebuildReport
from pjais_lab.storage.clock import Clock, SystemClock
from pjais_lab.storage.duck import connect
from pjais_lab.storage.erasure import finish_in_journal
from pjais_lab.storage.interrupts import shielded
from pjais_lab.storage.lake import Lake
from pjais_lab.storage.seal import Sealer
from pjais_lab.storage.seam import checked_mark, mark_and_rest
from pjais_lab.storage.state import State
from pjais_lab.storage.workspace import Workspace

__all__ = ["Parts", "default_actor"]

_EXIT_WAIT_S: Final = 5.0


def default_actor() -> str:
    """``user:`` and the name of whoever runs this process."""
    try:
        return f"user:{getpass.getuser()}"
    except (KeyError, OSError):
        return "user:unknown"


class Closable(Protocol):
    """Something that closes with the lab."""

    def close(self) -> None:
        """Let go; closing twice is fine."""
        ...


class _Files:
    """What an open lab holds of the machine; knows nothing of the lab, and so outlives it."""

    def __init__(self, workspace: Workspace) -> None:
        self.is_closed = threading.Event()
        self.workspace = workspace
        self.con = connect()
        self.lake = Lake(self.con, workspace.lake_path, workspace.router)

    def close(self) -> None:
        """Let go of journal, lake and DuckDB."""
        try:
            self.workspace.close()
            self.lake.detach()
        finally:
            self.con.close()
            _FILES.discard(self)
            self.is_closed.set()


class Parts:
    """Journal, lake, state, store and threads of one open workspace.

    Closes by itself when nobody holds it, nor anything live of it: its threads do not.

    Args:
        path: the workspace's directory.
        registry: the declarations to begin with.
        create: make the workspace when there is none.
        actor: who commits unless a commit says otherwise.
        background: follow other processes and seal by itself.
        clock: the wall clock.
    """

    def __init__(
        self,
        path: str | Path,
        registry: Registry,
        *,
        create: bool,
        actor: str | None,
        background: bool,
        clock: Clock | None,
    ) -> None:
        self.is_closed = False
        self.workspace = Workspace.open(path, create, clock=clock)
        self.journal = self.workspace.journal()
        self._files = files = _Files(self.workspace)
        self.lake, self.con = files.lake, files.con
        self.state = State(self.con, registry, self.workspace.router)
        self.sealer = Sealer(self.journal, self.lake, self.state, self.workspace.settings.seal)
        self.ignored = self._start()
        self.notifier = self.workspace.notifier()
        self.store = Store(
            self.journal,
            self.state,
            self.notifier,
            self.workspace.settings.limits,
            clock=clock or SystemClock(),
            actor=actor or default_actor(),
            refill=self._refill,
        )
        self.hub = Hub(self.store, owner=self)
        self.store.on_apply(self.hub.applied)
        self._on_close: list[Callable[[], None]] = []
        self._sealing = threading.Lock()  # the lease tells only processes apart
        self.pasts: WeakBag[Closable] = WeakBag()
        self.tailer = Tailer(self.store, self.notifier.listen(), files.close)
        self.keeper = Keeper(self._keep) if background else None
        self.store.catch_up()
        finish_in_journal(self.journal, self.state)
        _OPEN.add(self)
        _FILES.add(files)

    def declare(self, registry: Registry) -> None:
        """Take new declarations; tables that changed are rebuilt and their live queries told.

        Raises:
            ClosedError: the lab is closed.
        """
        self._check_open()
        self.store.declare(registry)

    def rebuild(self, *tables: str, verify: bool) -> list[RebuildReport]:
        """Recompute tables from the log; all of them if none is named.

        Raises:
            ClosedError: the lab is closed.
        """
        self._check_open()
        return self.state.rebuild(*tables, verify=verify)

    def seal(self, *, force: bool) -> int:
        """Seal what is due, or everything; gives the mark.

        Raises:
            ClosedError: the lab is closed.
            BusyError: another process is sealing.
        """
        self._check_open()
        self.store.catch_up()
        finish_in_journal(self.journal, self.state)
        with self._sealing, shielded():  # DuckLake's catalogue stays locked when cut short
            mark = self.sealer.seal_once(force=force)
        self._follow_lake()
        return mark

    def on_close(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` when the lab closes; what is given takes that back."""
        self._on_close.append(callback)

        def forget() -> None:
            with suppress(ValueError):  # taking it back twice is fine
                self._on_close.remove(callback)

        return forget

    def close(self) -> None:
        """Stop the threads, then let go of the files."""
        if self.is_closed:
            return
        with shielded():
            self._close()

    def _close(self) -> None:
        self.is_closed = True
        _OPEN.discard(self)
        for callback in list(self._on_close):
            callback()
        for past in self.pasts:
            past.close()
        if self.keeper is not None:
            self.keeper.close()
        self.tailer.close()
        self.store.close()
        self.hub.close()
        self._files.close()

    def _start(self) -> tuple[checkpoint.Ignored, ...]:
        """Boot; lets go of the files when that fails."""
        try:
            return self._boot()
        except BaseException:
            self._files.close()
            raise

    def _boot(self) -> tuple[checkpoint.Ignored, ...]:
        """The newest checkpoint, what it lacks, and the journal after it."""
        if checked_mark(self.lake, self.journal) == 0:
            return ()
        loaded = checkpoint.load(self.lake, self.state, head=self.journal.head)
        mark, unsealed = mark_and_rest(self.lake, self.journal)
        self.state.mark_sealed(self.lake.events_sql(mark), mark)
        self.state.start(loaded.position or mark, loaded.tables, unsealed)
        return loaded.ignored

    def _refill(self, state: State) -> None:
        """The journal was purged past the state's position: go on from the lake."""
        mark = self.lake.mark()
        if mark <= state.position:
            msg = f"Events after {state.position:,} are neither in the journal nor in the lake."
            raise InternalError(msg, hint="Run 'pjais verify'.", position=state.position, mark=mark)
        state.mark_sealed(self.lake.events_sql(mark), mark)
        state.ingest_sealed(mark)

    def _keep(self) -> None:
        finish_in_journal(self.journal, self.state)
        with self._sealing:
            self.sealer.seal_once(force=False)
        self._follow_lake()

    def _follow_lake(self) -> None:
        """Read from the lake what has been sealed, whoever sealed it."""
        mark = self.lake.mark()
        if self.state.mark < mark <= self.state.position:
            self.state.mark_sealed(self.lake.events_sql(mark), mark)

    def _check_open(self) -> None:
        if self.is_closed:
            msg = "This lab is closed."
            raise ClosedError(msg, hint="Open it again with pj.open().")


_OPEN: Final[WeakBag[Parts]] = WeakBag()
_FILES: Final[set[_Files]] = set()


@atexit.register
def _close_all() -> None:
    """Threads that run into the end of the interpreter would take the process down with them."""
    for parts in _OPEN:
        parts.close()
    for files in list(_FILES):  # of a lab that nobody holds: its last thread is closing them
        files.is_closed.wait(_EXIT_WAIT_S)
