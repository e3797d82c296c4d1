"""What a foreign format is to the importer, and how one is recognised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from pjais_lab.core.event import Draft
from pjais_lab.errors import FormatError
from pjais_lab.formats.report import Notes

__all__ = ["Format", "Row", "sniff"]


class Row(msgspec.Struct, frozen=True):
    """One thing found in a source, ready to be committed.

    Attributes:
        kind: the entity it creates: persona, memory, link, conversation, message.
        path: where it lies in the source, for reports.
        draft: the event that creates it, about an entity whose id follows from the source alone.
        plainer: the same without references to other personas, for when one of those was refused.
    """

    kind: str
    path: str
    draft: Draft
    plainer: Draft | None = None


class Format(msgspec.Struct, frozen=True):
    """A foreign format.

    Attributes:
        name: short and stable: part of reports and of the ``import:`` actor.
        title: how people call it, and what path to give.
        sniff: whether a path holds it; must not raise on foreign files.
        read: its rows, each after those it refers to; what it cannot read goes to the notes.
    """

    name: str
    title: str
    sniff: Callable[[Path], bool]
    read: Callable[[Path, Notes], Iterator[Row]]


def sniff(path: Path, formats: Iterable[Format]) -> Format:
    """The format of what lies at a path.

    Args:
        path: a file or directory.
        formats: the formats to try, the most particular first.

    Raises:
        FormatError: nothing is there, or no format fits.
    """
    if not path.exists():
        msg = f"There is nothing at {str(path)!r} to import."
        raise FormatError(msg, path=str(path))
    known = tuple(formats)
    for candidate in known:
        if candidate.sniff(path):
            return candidate
    titles = "; ".join(f.title for f in known)
    msg = f"{str(path)!r} is in no format known here; expected one of: {titles}."
    raise FormatError(msg, path=str(path))
