"""One line of the result, and the table of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Table

__all__ = ["Row", "median_s", "percentile", "show"]


class Row(msgspec.Struct, frozen=True):
    """One measured target.

    Attributes:
        what: what was measured.
        ours: our figure.
        unit: its unit.
        floor: the peer or limit it is held against.
        floor_value: the peer's figure, in the same unit.
        rule: how ours must stand to ``factor`` times the floor.
        factor: the ratio asked for.
    """

    what: str
    ours: float
    unit: str
    floor: str = ""
    floor_value: float | None = None
    rule: Literal["<=", ">=", "report"] = "report"
    factor: float = 1.0

    @property
    def ratio(self) -> float | None:
        """Ours over the floor."""
        return self.ours / self.floor_value if self.floor_value else None

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, or nothing when the figure is only reported."""
        if self.rule == "report" or self.ratio is None:
            return ""
        good = self.ratio <= self.factor if self.rule == "<=" else self.ratio >= self.factor
        return "met" if good else "missed"


def median_s(work: Callable[[], object], rounds: int = 5) -> float:
    """Median seconds of ``rounds`` runs."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def show(rows: list[Row]) -> None:
    """Print the table."""
    table = Table("measured", "ours", "held against", "its figure", "ratio", "asked", "")
    for row in rows:
        asked = "" if row.rule == "report" else f"{row.rule} {row.factor:g}x"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
        floor = "" if row.floor_value is None else f"{row.floor_value:,.3g} {row.unit}"
        table.add_row(
            row.what, f"{row.ours:,.3g} {row.unit}", row.floor, floor, ratio, asked, row.verdict
        )
    Console(width=150).print(table)
