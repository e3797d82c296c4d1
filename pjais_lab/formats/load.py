"""Load foreign files: sniff, read, drop what is known, commit in large batches, report."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final, Protocol

from pjais_lab.core.event import Draft
from pjais_lab.errors import FormatError, RejectedError
from pjais_lab.formats import generative_agents
from pjais_lab.formats._progress import progress_bar
from pjais_lab.formats.report import Notes, Report
from pjais_lab.formats.sniff import Format, Row, sniff

__all__ = ["FORMATS", "Target", "load"]

FORMATS: Final[tuple[Format, ...]] = (generative_agents.FORMAT,)
_BATCH: Final = 4_000

Life = tuple[int, str | None]


class Lives(Protocol):
    """The part of the state that knows which entities exist, or did."""

    def epochs(self, kind: str, ids: Sequence[str]) -> Mapping[str, Life]:
        """Entity id -> (epoch, persona id), for those that ever existed."""
        ...


class Target(Protocol):
    """The part of the store that an import needs."""

    @property
    def state(self) -> Lives:
        """The tables at the store's position."""
        ...

    def commit(self, *items: Any, actor: str | None = None) -> Any:
        """Append drafts, or what a command gives under the write lock; all or none."""
        ...


def load(
    store: Target,
    path: str | PathLike[str],
    *,
    strict: bool = False,
    progress: bool = True,
    formats: Iterable[Format] = FORMATS,
) -> Report:
    """Import what lies at a path; the same path again stores nothing new.

    Entities get ids that follow from the source alone, so whatever an earlier import stored is
    recognised, also when it was revised, forgotten or erased here since; such rows are left alone.

    Args:
        store: where the events go.
        path: a file or directory in a format that ``formats`` knows.
        strict: refuse the whole import at the first row that would be skipped.
        progress: show a bar on a terminal.
        formats: the formats to try.

    Returns:
        What was found, stored and skipped.

    Raises:
        FormatError: no format fits, or ``strict`` and a row is bad; then nothing was stored.
    """
    started = time.perf_counter()
    source = _checked(path).expanduser()
    fmt = sniff(source, formats)
    store.commit(_nothing)
    notes = Notes(is_strict=strict)
    writer = _Writer(store, notes, f"import:{fmt.name}")
    with progress_bar("Importing", is_wanted=progress) as advance:
        rows = fmt.read(source, notes)
        for batch in _batches(rows, None if strict else _BATCH):
            writer.write(batch)
            advance(len(batch))
    writer.close()
    return Report(
        source=str(source),
        format=fmt.name,
        rows_in=writer.kinds.total() + notes.rows_skipped - writer.refused,
        rows_out=writer.stored.total(),
        rows_known=writer.known,
        kinds=dict(writer.kinds),
        stored=dict(writer.stored),
        skipped=tuple(notes.skipped),
        warnings=notes.warnings,
        unmapped_fields=dict(sorted(notes.unmapped.items())),
        elapsed_s=time.perf_counter() - started,
    )


def _checked(path: Any) -> Path:
    found = fspath(path) if isinstance(path, (str, PathLike)) else None
    if not isinstance(found, str) or not found.strip() or "\0" in found:
        msg = f"{path!r} is not a path; expected the name of a file or folder."
        raise FormatError(msg, hint="Write lab.load('run/').", path=path)
    return Path(found)


def _nothing(_: object) -> tuple[Draft, ...]:
    """A command without events: proves that the store takes commands now, not inside a batch."""
    return ()


def _batches(rows: Iterator[Row], size: int | None) -> Iterator[list[Row]]:
    while batch := list(islice(rows, size)):
        yield batch


class _Writer:
    """Commits rows; when the store refuses some, finds them and keeps the others."""

    def __init__(self, store: Target, notes: Notes, actor: str) -> None:
        self.kinds: Counter[str] = Counter()
        self.stored: Counter[str] = Counter()
        self.known = 0
        self.refused = 0
        self._store = store
        self._notes = notes
        self._actor = actor
        self._blocked: dict[str, str] = {}
        self._orphans: Counter[str] = Counter()

    def write(self, rows: Sequence[Row]) -> None:
        """Commit a batch, less what is known already.

        Raises:
            FormatError: the import is strict and the store refused a row.
        """
        self.kinds.update(row.kind for row in rows)
        self._block_gone([row for row in rows if row.kind == "persona"])
        self._attempt(rows)

    def close(self) -> None:
        """Note the rows that belong to personas that were refused."""
        for persona_id, rows in self._orphans.items():
            self._refuse(self._blocked[persona_id], "Its persona was not imported.", rows)

    def _block_gone(self, personas: Sequence[Row]) -> None:
        lives = self._store.state.epochs("persona", [_id(row) for row in personas])
        for row in personas:
            if lives.get(_id(row), (1, None))[0] % 2 == 0:
                self._block(row, "The persona was imported before and deleted here since.")

    def _attempt(self, rows: Sequence[Row]) -> None:
        wanted = self._without_orphans(rows)
        fresh: list[Row] = []

        def decide(store: Target) -> list[Draft]:
            fresh[:] = _unknown(store.state, wanted)
            return [row.draft for row in fresh]

        try:
            self._store.commit(decide, actor=self._actor)
        except RejectedError as error:
            self._narrow(wanted, error)
            return
        self.known += len(wanted) - len(fresh)
        self.stored.update(row.kind for row in fresh)

    def _narrow(self, rows: Sequence[Row], error: RejectedError) -> None:
        """Halve a refused batch until the refused row stands alone."""
        if self._notes.is_strict:
            msg = f"The import was refused: {error.message}"
            hint = "Nothing was stored; leave out strict=True to import the other rows."
            raise FormatError(msg, hint=hint) from error
        if len(rows) == 1:
            self._give_up(rows[0], error)
            return
        middle = len(rows) // 2
        self._attempt(rows[:middle])
        self._attempt(rows[middle:])

    def _give_up(self, row: Row, error: RejectedError) -> None:
        if row.kind == "persona":
            self._block(row, error.message)
        elif row.plainer is not None:
            self._attempt([Row(row.kind, row.path, row.plainer)])
        else:
            self._refuse(row.path, error.message)

    def _without_orphans(self, rows: Sequence[Row]) -> Sequence[Row]:
        if not self._blocked:
            return rows
        kept: list[Row] = []
        for row in rows:
            owner = _id(row) if row.kind == "persona" else row.draft.persona_id
            if owner is None or owner not in self._blocked:
                kept.append(row)
            elif row.kind != "persona":
                self._orphans[owner] += 1
        return kept

    def _block(self, persona: Row, reason: str) -> None:
        self._blocked[_id(persona)] = persona.path
        self._refuse(persona.path, reason)

    def _refuse(self, path: str, reason: str, rows: int = 1) -> None:
        self.refused += rows
        self._notes.skip(path, reason, rows)


def _id(row: Row) -> str:
    return row.draft.entity_id or ""


def _unknown(state: Lives, rows: Sequence[Row]) -> list[Row]:
    """The rows whose entity never existed here, by one look-up for each kind."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        wanted[row.kind].append(_id(row))
    lives = {kind: state.epochs(kind, ids) for kind, ids in wanted.items()}
    return [row for row in rows if _id(row) not in lives[row.kind]]
