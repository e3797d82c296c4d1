"""A workspace: the directory, its settings, and who it is."""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from pjais_lab.core.shard import HashRouter
from pjais_lab.errors import ClosedError, SettingsError, WorkspaceNotFoundError
from pjais_lab.storage._fingerprint import fingerprint
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.storage._translate import os_error
from pjais_lab.storage.clock import Clock
from pjais_lab.storage.netfs import Mount, refuse_network
from pjais_lab.storage.notify import Notifier
from pjais_lab.storage.settings import FORMAT_VERSION, Settings, parse, render, with_replica

__all__ = ["Workspace"]

_SETTINGS = "workspace.toml"
_JOURNAL = "journal.sqlite"
_LAKE = "lake"


class Workspace:
    """An open workspace directory; use ``Workspace.open``, and close it.

    ::

        workspace.toml       settings
        journal.sqlite       the commit point; beside it -wal, -shm, .lock, .queue
        listeners/           sockets of the processes that follow the journal
        lake/                sealed events and checkpoints
    """

    def __init__(
        self, path: Path, settings: Settings, journal: SqliteJournal, clock: Clock | None
    ) -> None:
        self.path = path
        self.settings = settings
        self._clock = clock
        self._journal = journal
        self._notifier: Notifier | None = None
        self._is_closed = False

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        create: bool = True,  # noqa: FBT001, FBT002
        *,
        clock: Clock | None = None,
        mounts: Sequence[Mount] | None = None,
    ) -> Workspace:
        """Open a workspace, made first if need be; several processes may do so at once.

        A directory that was copied or restored gets a new replica id.

        Args:
            path: the directory.
            create: make it when there is none.
            clock: the wall clock, for leases.
            mounts: the mount table; this machine's if None.

        Raises:
            WorkspaceNotFoundError: there is none, and ``create`` is False; or it is a file.
            SettingsError: workspace.toml is wrong or missing.
            FormatVersionError: a newer version wrote it.
            CorruptJournalError: the journal is missing or damaged.
            NetworkFilesystemError: it lies on a network filesystem.
            ReadOnlyError: the directory refuses writes.
            DiskFullError: the disk is full.
        """
        root = Path(path).expanduser().resolve()
        refuse_network(root, mounts)
        if not (root / _SETTINGS).exists():
            if not create or (root.exists() and not root.is_dir()):
                raise _not_found(root)
            _create(root)
        settings = parse(_read(root / _SETTINGS), root / _SETTINGS)
        journal = SqliteJournal(root / _JOURNAL, create=False, clock=clock)
        try:
            settings = _settle_replica(journal, root / _SETTINGS, settings)
        except BaseException:
            journal.close()
            raise
        return cls(root, settings, journal, clock)

    @property
    def id(self) -> str:
        """The workspace's id, the same in every copy."""
        return self.settings.id

    @property
    def replica(self) -> str:
        """Who writes here, different in every copy."""
        return self._journal.replica

    @property
    def router(self) -> HashRouter:
        """Which shard a persona's rows lie in."""
        return HashRouter(self.settings.sharding.shards)

    @property
    def lake_path(self) -> Path:
        """The directory of the lake, which may not exist yet."""
        return self.path / _LAKE

    def journal(self) -> SqliteJournal:
        """The journal; opened again if it was closed.

        Raises:
            ClosedError: the workspace was closed.
        """
        self._check_open()
        if self._journal.is_closed:
            self._journal = SqliteJournal(self.path / _JOURNAL, create=False, clock=self._clock)
        return self._journal

    def notifier(self) -> Notifier:
        """Tells the other processes of this workspace.

        Raises:
            ClosedError: the workspace was closed.
        """
        journal = self.journal()
        if self._notifier is None or self._notifier.is_closed:
            self._notifier = Notifier(self.path / "listeners", journal.head)
        return self._notifier

    def close(self) -> None:
        """Close journal and notifier. May be repeated."""
        self._is_closed = True
        if self._notifier is not None:
            self._notifier.close()
        self._journal.close()

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def __repr__(self) -> str:
        """The path."""
        return f"Workspace({str(self.path)!r})"

    def _check_open(self) -> None:
        if self._is_closed:
            msg = f"The workspace {self.path} is closed."
            raise ClosedError(msg, hint="Open it again with pj.open().")


def _create(root: Path) -> None:
    """Make journal and settings, settings last: a directory that has them is complete."""
    if (root / _LAKE).exists():
        raise _without_settings(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise os_error(error, root) from None
    with SqliteJournal(root / _JOURNAL) as journal, journal.lock():
        if (root / _SETTINGS).exists():
            return
        if journal.head():
            raise _without_settings(root)
        settings = Settings(format=FORMAT_VERSION, id=str(uuid.uuid4()), replica=journal.replica)
        _write(root / _SETTINGS, render(settings))


def _settle_replica(journal: SqliteJournal, path: Path, settings: Settings) -> Settings:
    """Give a copy its own replica id, and say in workspace.toml what the journal says."""
    journal.claim(fingerprint(journal.path))
    if settings.replica == journal.replica:
        return settings
    with journal.lock():
        _write(path, with_replica(_read(path), journal.replica))
    return msgspec.structs.replace(settings, replica=journal.replica)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise os_error(error, path) from None
    except UnicodeDecodeError as error:
        msg = f"{path} is not UTF-8 text: {error.reason} at byte {error.start}."
        raise SettingsError(msg, hint="Restore it from a backup.", path=str(path)) from None


def _write(path: Path, text: str) -> None:
    """Replace a file at once and durably: after a crash it is the old one or the new one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise os_error(error, path) from None


def _sync_directory(path: Path) -> None:
    if os.name != "posix":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _not_found(root: Path) -> WorkspaceNotFoundError:
    if root.exists() and not root.is_dir():
        msg = f"{root} is a file; expected a workspace directory."
        return WorkspaceNotFoundError(msg, hint="Name the directory.", path=str(root))
    msg = f"There is no workspace at {root}."
    return WorkspaceNotFoundError(msg, hint="Make one with `pjais init`.", path=str(root))


def _without_settings(root: Path) -> SettingsError:
    msg = f"{root / _SETTINGS} is missing, though the directory holds events."
    hint = "Put workspace.toml back from a backup, or choose another directory."
    return SettingsError(msg, hint=hint, path=str(root))
