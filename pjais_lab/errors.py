"""Every error PJAIS Lab raises on purpose.

::

    LabError                                  .hint, .data; str() is one sentence and the hint
    ├ ClosedError                             the caller used a lab, query or journal after close()
    ├ BusyError                               somebody else holds what we need; try again
    ├ ConcurrencyError                        the log moved past the position the commit expected
    ├ InternalError                           our mistake; please report it
    ├ StorageError
    │ ├ WorkspaceNotFoundError                also FileNotFoundError
    │ ├ FormatVersionError                    written by a newer version
    │ ├ SettingsError                         also ValueError; workspace.toml is wrong
    │ ├ CorruptJournalError                   journal.sqlite cannot be read
    │ ├ CorruptSegmentError                   a Parquet file is missing, cut or altered
    │ ├ CatalogError                          the lake's catalogue is missing or unreadable
    │ ├ SnapshotNotFoundError                 also LookupError; no state at that position
    │ ├ DiskFullError                         nothing was written
    │ ├ ReadOnlyError                         also PermissionError; the directory refuses writes
    │ ├ NetworkFilesystemError                the journal needs a local disk
    │ ├ ExtensionError                        a DuckDB extension is not installed
    │ ├ LeaseLostError                        a lease expired and somebody else took it
    │ ├ MigrationError
    │ └ QueryError                            also ValueError; the user's SQL
    ├ EventError
    │ ├ UnknownEventError                     also LookupError
    │ ├ EventDecodeError                      also ValueError
    │ ├ DeclarationError                      also TypeError; an event or table is declared wrongly
    │ ├ ClockSkewError
    │ └ UpcastError
    ├ ReactiveError
    │ ├ FeedbackLoopError
    │ └ LiveQueryError
    ├ DomainError
    │ ├ NotFoundError                         also LookupError
    │ └ RejectedError                         also ValueError; a command was refused, nothing was stored
    ├ FormatError                             also ValueError; a file to import cannot be understood
    └ ViewError                               a view cannot be shown, or was asked wrongly
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BusyError",
    "CatalogError",
    "ClockSkewError",
    "ClosedError",
    "ConcurrencyError",
    "CorruptJournalError",
    "CorruptSegmentError",
    "DeclarationError",
    "DiskFullError",
    "DomainError",
    "EventDecodeError",
    "EventError",
    "ExtensionError",
    "FeedbackLoopError",
    "FormatError",
    "FormatVersionError",
    "InternalError",
    "LabError",
    "LeaseLostError",
    "LiveQueryError",
    "MigrationError",
    "NetworkFilesystemError",
    "NotFoundError",
    "QueryError",
    "ReactiveError",
    "ReadOnlyError",
    "RejectedError",
    "SettingsError",
    "SnapshotNotFoundError",
    "StorageError",
    "UnknownEventError",
    "UpcastError",
    "ViewError",
    "WorkspaceNotFoundError",
]


class LabError(Exception):
    """The root: one sentence, what to do about it, and the facts as data.

    Args:
        message: what happened, what was expected and where, in one sentence.
        hint: what the reader can do next.
        data: the facts behind the message, for code that handles the error.
    """

    def __init__(self, message: str, *, hint: str | None = None, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.data = data

    def __str__(self) -> str:
        """The sentence, then the hint."""
        return f"{self.message} {self.hint}" if self.hint else self.message


class ClosedError(LabError):
    """The object was used after close()."""


class BusyError(LabError):
    """Another process or thread holds what this call needs."""


class ConcurrencyError(LabError):
    """The log is not at the position the commit expected; nothing was written."""


class InternalError(LabError):
    """A mistake of PJAIS Lab itself; please report it."""


class StorageError(LabError):
    """The workspace's files, or the databases that read them."""


class WorkspaceNotFoundError(StorageError, FileNotFoundError):
    """There is no workspace at the path."""


class FormatVersionError(StorageError):
    """The workspace was written by a newer version of PJAIS Lab."""


class SettingsError(StorageError, ValueError):
    """workspace.toml holds an unknown key or a value out of range."""


class CorruptJournalError(StorageError):
    """The journal cannot be read as SQLite, or its hash chain is broken."""


class CorruptSegmentError(StorageError):
    """A Parquet segment of the lake is missing, cut or altered."""


class CatalogError(StorageError):
    """The lake's catalogue is missing or cannot be read."""


class SnapshotNotFoundError(StorageError, LookupError):
    """No state can be given for the position or moment asked for."""


class DiskFullError(StorageError):
    """The disk is full; what was being written is not there."""


class ReadOnlyError(StorageError, PermissionError):
    """The workspace's directory does not take writes."""


class NetworkFilesystemError(StorageError):
    """The workspace lies on a network filesystem, where the journal is not safe."""


class ExtensionError(StorageError):
    """A DuckDB extension is missing or does not fit the installed DuckDB."""


class LeaseLostError(StorageError):
    """The lease ran out and somebody else holds it now."""


class MigrationError(StorageError):
    """A workspace could not be brought to the current format."""


class QueryError(StorageError, ValueError):
    """The SQL cannot run, or would write."""


class EventError(LabError):
    """An event or its declaration."""


class UnknownEventError(EventError, LookupError):
    """No event of that name is declared."""


class EventDecodeError(EventError, ValueError):
    """Stored or incoming bytes are not the event they claim to be."""


class DeclarationError(EventError, TypeError):
    """An event, merge or table is declared in a way that cannot work."""


class ClockSkewError(EventError):
    """The machine's clock disagrees with the journal by more than the allowed skew."""


class UpcastError(EventError):
    """An upcaster chain has a gap or a duplicate, or an upcaster raised."""


class ReactiveError(LabError):
    """Live queries, computed values and models."""


class FeedbackLoopError(ReactiveError):
    """Observers keep answering commits with commits."""


class LiveQueryError(ReactiveError):
    """A live query could not be refreshed."""


class DomainError(LabError):
    """Personas, memories, conversations and settings."""


class NotFoundError(DomainError, LookupError):
    """No entity with that name or id."""


class RejectedError(DomainError, ValueError):
    """A command was refused; nothing was stored."""


class FormatError(LabError, ValueError):
    """A file to import cannot be understood."""


class ViewError(LabError):
    """A view cannot be shown, or was asked for something it does not do."""
