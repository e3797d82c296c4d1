"""Where the lake ends and the journal takes over, while others may be sealing and purging."""

from __future__ import annotations

from pjais_lab.core.event import Chunk
from pjais_lab.errors import CatalogError
from pjais_lab.storage.journal import GapError, Journal
from pjais_lab.storage.lake import Lake

__all__ = ["checked_mark", "mark_and_rest"]


def checked_mark(lake: Lake, journal: Journal) -> int:
    """Up to which event the log is sealed.

    Raises:
        CatalogError: there are events between lake and journal that neither has.
    """
    floor = journal.floor()
    mark = lake.mark()  # after the floor, which only rises to marks that are there already
    if mark < floor:
        msg = f"Events {mark + 1:,} to {floor:,} are neither in the journal nor in the lake."
        hint = "The lake is older than the journal: restore it, then run 'pjais verify'."
        raise CatalogError(msg, hint=hint, mark=mark, floor=floor)
    return mark


def mark_and_rest(lake: Lake, journal: Journal) -> tuple[int, list[Chunk]]:
    """The lake's mark and the journal's commits after it: together the whole log.

    Raises:
        CatalogError: there are events between the two that neither has.
        GapError: the journal lost commits that were never purged.
    """
    while True:
        mark = checked_mark(lake, journal)
        try:
            return mark, journal.read(mark)
        except GapError:
            if journal.floor() <= mark:
                raise
            # Sealed further and purged since we looked.
