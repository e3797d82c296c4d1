"""Checking a workspace: every file, every number, nothing changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from pjais_lab.core.markup import card, count, line, one_line, tiles, trouble
from pjais_lab.core.registry import Registry
from pjais_lab.errors import CorruptSegmentError, LabError
from pjais_lab.storage import checkpoint
from pjais_lab.storage.duck import connect, quote, translated
from pjais_lab.storage.journal import Journal
from pjais_lab.storage.lake import DataFile, Lake
from pjais_lab.storage.seam import mark_and_rest
from pjais_lab.storage.state import State
from pjais_lab.storage.workspace import Workspace

__all__ = ["Problem", "VerifyReport", "verify"]

_OLD_LAKE: Final = "was the lake restored from a backup older than the journal?"
_OLD_JOURNAL: Final = "was the journal restored from a backup older than the lake?"
_SHOWN: Final = 20
_LONG: Final = 400


class Problem(msgspec.Struct, frozen=True):
    """Something that is not as it should be.

    Attributes:
        path: the file.
        what: what is wrong with it, in one sentence.
    """

    path: str
    what: str


class VerifyReport(msgspec.Struct, frozen=True):
    """What was checked, and what was found.

    Attributes:
        sealed: the lake's last event.
        head: the journal's last event.
        files: data files read.
        problems: what is wrong; empty when all is well.
    """

    sealed: int
    head: int
    files: int
    problems: tuple[Problem, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def __repr__(self) -> str:
        """One line, and one for each problem."""
        state = "sound" if self.is_sound else count(len(self.problems), "problem")
        head = (
            f"Workspace {state}: {self.head:,} events, {self.sealed:,} sealed in {self.files} files"
        )
        more = len(self.problems) - _SHOWN
        lines = [head, *(f"  {p.path}: {p.what}" for p in self.problems[:_SHOWN])]
        lines += [f"  … and {more:,} more in .problems"] if more > 0 else []
        return "\n".join(one_line(text, _LONG) for text in lines)

    def _repr_html_(self) -> str:
        figures = tiles(
            {
                "events": f"{self.head:,}",
                "sealed": f"{self.sealed:,}",
                "files read": f"{self.files:,}",
                "problems": f"{len(self.problems):,}",
            }
        )
        found = "".join(trouble(f"{p.path}: {p.what}") for p in self.problems[:_SHOWN])
        more = len(self.problems) - _SHOWN
        foot = line(f"{count(more, 'more problem')} in .problems") if more > 0 else ""
        return card("Workspace", "sound" if self.is_sound else "damaged", figures, found, foot)


def verify(workspace: Workspace, registry: Registry | None = None) -> VerifyReport:
    """Read the journal and every file of the lake, and hold them against their digests.

    Args:
        workspace: an open workspace; commits may go on.
        registry: the declarations; with them each table's checkpoint is held against a rebuild.

    Returns:
        A report; what is wrong is in it, not raised.
    """
    found = _Findings(str(workspace.path / "journal.sqlite"))
    journal = workspace.journal()
    head = floor = 0
    with found.collect():
        floor = journal.floor()
        journal.verify_chain()
    con = connect()
    try:
        lake = Lake(con, workspace.lake_path, workspace.router, read_only=True)
        found.where = str(lake.directory)
        sealed, files = _check_lake(lake, found)
        with found.collect():
            head = journal.head()
        _check_seam(found, sealed, floor, head)
        if registry is not None and sealed and not found.problems:
            with found.collect():
                _check_checkpoint(lake, State(con, registry, lake.router), journal, found)
        with found.collect():
            lake.detach()
    finally:
        con.close()
    return VerifyReport(sealed, head, files, tuple(found.problems))


class _Findings:
    """Problems as they are found.

    Args:
        where: the file to blame when an error names none.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.problems: list[Problem] = []

    def add(self, what: str, path: str | None = None) -> None:
        """Note a problem."""
        self.problems.append(Problem(path or self.where, what))

    @contextmanager
    def collect(self, path: str | None = None) -> Iterator[None]:
        """Note what the block raises, against ``path`` or the file that the error names."""
        try:
            yield
        except LabError as error:
            blamed = path or error.data.get("path")
            self.add(error.message, None if blamed is None else str(blamed))


def _check_lake(lake: Lake, found: _Findings) -> tuple[int, int]:
    files: Sequence[DataFile] = ()
    sealed = 0
    with found.collect(str(lake.catalog_path)):
        if not lake.exists:
            return 0, 0
        files = lake.files()
    before = len(found.problems)
    with found.collect():
        for damage in lake.digests.damages((f.path, f.size_bytes) for f in files):
            found.add(damage.message, str(damage.data["path"]))
    with found.collect():
        if len(found.problems) == before:
            _read_undigested(lake, files, found)
        sealed = lake.mark()
        if len(found.problems) == before:
            _check_numbers(lake, sealed, found)
    return sealed, len(files)


def _read_undigested(lake: Lake, files: Sequence[DataFile], found: _Findings) -> None:
    """Files whose writer was killed before it took their digest can at least be read."""
    known = lake.digests.read()
    for file in files:
        if file.path in known:
            continue
        what, name = "reading a data file", quote(str(file.path))
        with found.collect(str(file.path)), translated(what, otherwise=CorruptSegmentError):
            row = (
                lake.cursor()
                .execute(f"SELECT count(*), bit_xor(hash(t)) FROM read_parquet({name}) AS t")
                .fetchone()
            )
            if row is not None and int(row[0]) != file.rows:
                found.add(f"It has {row[0]:,} rows, not {file.rows:,}.", str(file.path))


def _check_numbers(lake: Lake, sealed: int, found: _Findings) -> None:
    """Every place from 1 to the mark is there once, but for those that an erasure emptied."""
    if not sealed:
        return
    cursor = lake.cursor()
    with lake.boundary("counting the lake's events"):
        row = cursor.execute(
            f"SELECT count(*), count(DISTINCT seq) FROM ({lake.events_sql(sealed)})"
        ).fetchone()
        gone = cursor.execute(
            "SELECT coalesce(sum(seq_last - seq_first + 1), 0) FROM lake.holes"
        ).fetchone()
    count, distinct = (int(row[0]), int(row[1])) if row else (0, 0)
    holes = int(gone[0]) if gone else 0
    if count != distinct:
        found.add(f"{count - distinct:,} events are there twice.")
    if distinct + holes != sealed:
        found.add(f"It has {distinct:,} events up to {sealed:,}, and {holes:,} were erased.")


def _check_seam(found: _Findings, sealed: int, floor: int, head: int) -> None:
    """Lake and journal overlap or touch."""
    if sealed < floor and not found.problems:
        found.add(f"Events {sealed + 1:,} to {floor:,} were purged but are not here; {_OLD_LAKE}")
    if sealed > head:
        found.add(f"It is sealed up to {sealed:,} but the journal ends at {head:,}; {_OLD_JOURNAL}")


def _check_checkpoint(lake: Lake, state: State, journal: Journal, found: _Findings) -> None:
    """A table from its checkpoint equals the table from events."""
    loaded = checkpoint.load(lake, state, head=journal.head)
    for ignored in loaded.ignored:
        if ignored.is_damage:
            found.add(f"The checkpoint of {ignored.table} cannot be used: {ignored.reason}")
    if not loaded.tables:
        return
    mark, unsealed = mark_and_rest(lake, journal)
    state.mark_sealed(lake.events_sql(mark), mark)
    state.start(loaded.position, loaded.tables, unsealed)
    for table in sorted(loaded.tables):
        if not table.startswith("_") and not state.rebuild(table, verify=True)[0].is_same:
            found.add(f"The checkpoint of {table} differs from a rebuild from events.")
