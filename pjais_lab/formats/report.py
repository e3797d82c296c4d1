"""What an import did: rows in, rows out, what was skipped and why, what had no place."""

from __future__ import annotations

from collections import Counter

import msgspec

from pjais_lab.core.markup import card, facts, line, one_line, tiles
from pjais_lab.errors import FormatError

__all__ = ["Notes", "Report", "Skipped"]

_SHOWN = 9
_LONG = 300


class Skipped(msgspec.Struct, frozen=True):
    """Something that was not imported.

    Attributes:
        path: where it lies in the source, ``Ada/nodes.json:node_7``.
        reason: why, in one sentence.
        rows: how many rows that is.
    """

    path: str
    reason: str
    rows: int = 1


class Report(msgspec.Struct, frozen=True):
    """What an import did; ``rows_in = rows_out + rows_known + rows_skipped``.

    Attributes:
        source: the path that was read.
        format: the format it was recognised as.
        rows_in: rows found in the source, the unreadable ones included.
        rows_out: rows that became events now.
        rows_known: rows that an earlier import had stored already.
        kinds: readable rows of the source by kind: persona, memory, link, conversation, message.
        stored: rows that became events now, by kind.
        skipped: what was not imported, with the reason.
        warnings: what was imported although it looked odd; one line for each oddity.
        unmapped_fields: fields of the source without a column here and how often they came; they
            are kept in ``extra`` unless a warning says otherwise.
        elapsed_s: how long it took.
    """

    source: str
    format: str
    rows_in: int
    rows_out: int
    rows_known: int
    kinds: dict[str, int]
    stored: dict[str, int]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    unmapped_fields: dict[str, int]
    elapsed_s: float

    @property
    def rows_skipped(self) -> int:
        """Rows that were not imported."""
        return sum(s.rows for s in self.skipped)

    def __repr__(self) -> str:
        """The figures, then the first skipped rows, warnings and unmapped fields."""
        lines = [self._title(), *(f"  {label}: {text}" for label, text in self._lines())]
        return "\n".join(one_line(text, _LONG) for text in lines)

    def _repr_html_(self) -> str:
        figures = tiles(
            {
                "rows in": f"{self.rows_in:,}",
                "stored": f"{self.rows_out:,}",
                "known": f"{self.rows_known:,}",
                "skipped": f"{self.rows_skipped:,}",
            }
        )
        foot = line(self.format, f"{self.elapsed_s:.2f} s")
        return card("Import of", self.source, figures, facts(self._lines()), foot)

    def _title(self) -> str:
        return (
            f"Report({self.source!r}, {self.format}: {self.rows_in:,} rows in,"
            f" {self.rows_out:,} stored, {self.rows_known:,} known, {self.rows_skipped:,} skipped,"
            f" {self.elapsed_s:.2f} s)"
        )

    def _lines(self) -> list[tuple[str, str]]:
        lines = [("found", ", ".join(f"{n:,} {kind}" for kind, n in self.kinds.items()))]
        lines += [("skipped", f"{s.path}: {s.reason}") for s in self.skipped[:_SHOWN]]
        if len(self.skipped) > _SHOWN:
            lines.append(("skipped", f"… and {len(self.skipped) - _SHOWN:,} more in .skipped"))
        lines += [("warning", text) for text in self.warnings[:_SHOWN]]
        if len(self.warnings) > _SHOWN:
            lines.append(("warning", f"… and {len(self.warnings) - _SHOWN:,} more in .warnings"))
        if self.unmapped_fields:
            lines.append(("unmapped", ", ".join(sorted(self.unmapped_fields))))
        return lines


class Notes:
    """Collects what a reader could not use, while it reads.

    Args:
        is_strict: raise at the first row that would be skipped.
    """

    def __init__(self, *, is_strict: bool = False) -> None:
        self.is_strict = is_strict
        self.skipped: list[Skipped] = []
        self.unmapped: Counter[str] = Counter()
        self._warnings: dict[str, tuple[str, int]] = {}

    @property
    def rows_skipped(self) -> int:
        """Rows noted as skipped so far."""
        return sum(s.rows for s in self.skipped)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for each kind of oddity: the first place it was seen, and how often."""
        return tuple(
            f"{path}: {text}" + (f" ({n:,} rows are like that)" if n > 1 else "")
            for text, (path, n) in self._warnings.items()
        )

    def skip(self, path: str, reason: str, rows: int = 1) -> None:
        """Note something that is not imported.

        Raises:
            FormatError: the import is strict.
        """
        if self.is_strict:
            msg = f"{path}: {reason}"
            hint = "Nothing was stored; leave out strict=True to import the other rows."
            raise FormatError(msg, hint=hint, path=path)
        self.skipped.append(Skipped(path, reason, rows))

    def warn(self, path: str, text: str) -> None:
        """Note an oddity; the same text again only counts."""
        first, n = self._warnings.get(text, (path, 0))
        self._warnings[text] = (first, n + 1)
