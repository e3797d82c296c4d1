"""Checking a workspace: every file, every number, nothing changed."""

from __future__ import annotations

import msgspec

from pjais_lab.errors import LabError, StorageError
from pjais_lab.storage.checkpoint import newest
from pjais_lab.storage.digests import Digests
from pjais_lab.storage.duck import connect, translated
from pjais_lab.storage.lake import Lake
from pjais_lab.storage.workspace import Workspace

__all__ = ["Problem", "VerifyReport", "verify"]


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
        state = "sound" if self.is_sound else f"{len(self.problems)} problems"
        head = (
            f"Workspace {state}: {self.head:,} events, {self.sealed:,} sealed in {self.files} files"
        )
        return "\n".join([head, *(f"  {p.path}: {p.what}" for p in self.problems)])


def verify(workspace: Workspace) -> VerifyReport:
    """Read the journal and every file of the lake, and hold them against their digests.

    Args:
        workspace: an open workspace; commits may go on.

    Returns:
        A report; what is wrong is in it, not raised.
    """
    problems: list[Problem] = []
    journal_path = str(workspace.path / "journal.sqlite")
    journal = workspace.journal()
    head = floor = 0
    try:
        head, floor = journal.head(), journal.floor()
        journal.verify_chain()
    except LabError as error:
        problems.append(Problem(journal_path, error.message))
    con = connect()
    try:
        lake = Lake(con, workspace.lake_path, workspace.router, read_only=True)
        sealed, files = _lake(lake, problems)
        lake.detach()
    finally:
        con.close()
    if sealed < floor:
        what = f"Events {sealed + 1:,} to {floor:,} were purged but are not in the lake."
        problems.append(Problem(journal_path, what))
    return VerifyReport(sealed, head, files, tuple(problems))


def _lake(lake: Lake, problems: list[Problem]) -> tuple[int, int]:
    where = str(lake.directory)
    sealed = 0
    try:
        if not lake.exists:
            return 0, 0
        files = lake.files()
    except LabError as error:
        problems.append(Problem(str(error.data.get("path", where)), error.message))
        return 0, 0
    damaged = list(Digests(lake.directory).damages((f.path, f.size_bytes) for f in files))
    problems += [Problem(str(e.data["path"]), e.message) for e in damaged]
    if damaged:
        return lake_mark(lake, problems), len(files)
    try:
        sealed = lake.mark()
        _complete(lake, sealed, problems)
        newest(lake)
    except LabError as error:
        problems.append(Problem(str(error.data.get("path", where)), error.message))
    return sealed, len(files)


def lake_mark(lake: Lake, problems: list[Problem]) -> int:
    """The mark, as far as damaged files let it be read."""
    try:
        return lake.mark()
    except StorageError as error:
        problems.append(Problem(str(lake.directory), error.message))
        return 0


def _complete(lake: Lake, sealed: int, problems: list[Problem]) -> None:
    """Every place from 1 to the mark is there once, but for those that an erasure emptied."""
    cursor = lake.cursor()
    with translated("counting the lake's events"):
        row = cursor.execute(
            f"SELECT count(*), count(DISTINCT seq), coalesce(max(seq), 0) FROM ({lake.events_sql(sealed)})"
        ).fetchone()
        gone = cursor.execute(
            "SELECT coalesce(sum(seq_last - seq_first + 1), 0) FROM lake.holes"
        ).fetchone()
    count, distinct = (int(row[0]), int(row[1])) if row else (0, 0)
    holes = int(gone[0]) if gone else 0
    if count != distinct:
        what = f"{count - distinct:,} events are there twice."
        problems.append(Problem(str(lake.directory), what))
    if distinct + holes != sealed:
        what = f"The lake has {distinct:,} events up to {sealed:,} and {holes:,} erased ones."
        problems.append(Problem(str(lake.directory), what))
