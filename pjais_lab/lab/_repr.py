"""What a lab shows of itself, as the last line of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pjais_lab.core.markup import card, line, said, tiles, trouble
from pjais_lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pjais_lab.lab.parts import Parts

__all__ = ["as_html", "as_text"]

_COUNTED: Final = ("personas", "memories", "conversations")
_COUNTS: Final = (
    "SELECT (SELECT count(*) FROM personas), (SELECT count(*) FROM memories),"
    " (SELECT count(*) FROM conversations)"
)


def as_text(parts: Parts) -> str:
    """One line: name, counts and position, or why they cannot be told."""
    return f"Lab({parts.workspace.path.name!r}: {said(lambda: _figures(parts))})"


def _figures(parts: Parts) -> str:
    if parts.is_closed:
        return "closed"
    counts = _counts(parts)
    texts = [_spaced(n) for n in (counts["personas"], counts["memories"], parts.store.position)]
    return (
        f"{texts[0]} personas, {texts[1]} memories,"
        f" {parts.workspace.settings.sharding.shards} shards, seq {texts[2]}"
    )


def as_html(parts: Parts) -> str:
    """A card: counts and position, what is wrong, and where it lies."""
    path = parts.workspace.path
    if parts.is_closed:
        return card("Lab", path.name, line("closed", path))
    try:
        figures = tiles({name: _spaced(n) for name, n in _all_counts(parts).items()})
    except LabError as error:
        figures = trouble(error)
    return card("Lab", path.name, figures, *map(trouble, _troubles(parts)), line(path))


def _all_counts(parts: Parts) -> dict[str, int]:
    return _counts(parts) | {
        "events": parts.store.position,
        "shards": parts.workspace.settings.sharding.shards,
        "live": len(parts.hub.nodes),
    }


def _counts(parts: Parts) -> dict[str, int]:
    return dict(zip(_COUNTED, parts.store.query(_COUNTS).row(0), strict=True))


def _troubles(parts: Parts) -> Iterator[str]:
    for ignored in parts.ignored:
        yield f"The checkpoint of {ignored.table} was passed over: {ignored.reason}"
    if parts.tailer.error is not None:
        yield f"Other processes cannot be followed: {parts.tailer.error}"
    if parts.keeper is not None and parts.keeper.error is not None:
        yield f"The journal cannot be sealed: {parts.keeper.error}"


def _spaced(n: int) -> str:
    return f"{n:,}".replace(",", "\u202f")
