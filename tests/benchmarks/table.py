"""One line of the result, the table of them, and the machine they were measured on."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import duckdb
import msgspec
import psutil
from rich import box
from rich.console import Console
from rich.table import Table

__all__ = [
    "LIMIT",
    "Row",
    "machine",
    "median_s",
    "number",
    "percentile",
    "seconds",
    "show",
    "write",
]

LIMIT = "limit"
_WIDTH = 120


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One measured target.

    Attributes:
        what: what was measured.
        ours: our figure.
        unit: its unit.
        peer: what it is held against; ``LIMIT`` when that is a plain number.
        peer_value: the peer's figure in the same run, or the limit, in the same unit.
        rule: how ours must stand to ``factor`` times the peer.
        factor: the ratio asked for.
        note: how it was measured, printed under the table.
    """

    what: str
    ours: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    rule: Literal["<=", ">=", "report"] = "report"
    factor: float = 1.0
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's."""
        return self.ours / self.peer_value if self.peer_value else None

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, or nothing when the figure is only reported."""
        if self.rule == "report" or self.ratio is None:
            return ""
        good = self.ratio <= self.factor if self.rule == "<=" else self.ratio >= self.factor
        return "met" if good else "missed"

    @property
    def asked(self) -> str:
        """The rule as people read it."""
        if self.rule == "report" or self.peer_value is None:
            return ""
        sign = "≤" if self.rule == "<=" else "≥"
        if self.peer == LIMIT:
            return f"{sign} {number(self.peer_value, self.unit)}"
        return f"{sign} {self.factor:g}x"


def seconds(work: Callable[[], object]) -> float:
    """How long one run takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_s(work: Callable[[], object], rounds: int = 5) -> float:
    """Median seconds of ``rounds`` runs."""
    return statistics.median(seconds(work) for _ in range(rounds))


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def number(value: float, unit: str) -> str:
    """Three digits and the unit; rates with k for thousands and M for millions.

    >>> number(0.12345, "s"), number(4.5678, "%"), number(21_543.9, "/s"), number(2_154_321, "MiB")
    ('0.123 s', '4.57%', '21.5 k/s', '2,154,321 MiB')
    """
    space = "" if unit in {"%", "/s"} else " "
    for step, letter in ((1e6, " M"), (1e3, " k")):
        if unit == "/s" and abs(value) >= step:
            return f"{_three(value / step)}{letter}{unit}"
    return f"{_three(value)}{space}{unit}"


def _three(value: float) -> str:
    is_whole = abs(value) >= 100 or value == int(value)
    return f"{value:,.0f}" if is_whole else f"{value:#.3g}"


def machine() -> dict[str, str | int | float]:
    """Where the figures come from, and how busy it is."""
    return {
        "cores": os.cpu_count() or 1,
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else -1.0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
    }


def show(parts: Mapping[str, Sequence[Row]], where: Mapping[str, object], total_s: float) -> None:
    """Print the table, its notes, the machine and the total time."""
    console = Console(width=_WIDTH, highlight=False)
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("measured", width=46)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("held against", width=25)
    table.add_column("ratio", justify="right", no_wrap=True)
    table.add_column("asked", justify="right", no_wrap=True)
    table.add_column("", width=6)
    notes: list[str] = []
    for rows in parts.values():
        for row in rows:
            if row.note and row.note not in notes:
                notes.append(row.note)
            mark = f" [{notes.index(row.note) + 1}]" if row.note else ""
            peer = "" if row.peer == LIMIT else row.peer
            if peer and row.peer_value is not None:
                peer = f"{peer}: {number(row.peer_value, row.unit)}"
            ratio = "" if row.ratio is None or row.peer == LIMIT else f"{_three(row.ratio)}x"
            table.add_row(
                f"{row.what}{mark}".replace("[", r"\["),
                number(row.ours, row.unit),
                peer,
                ratio,
                row.asked,
                row.verdict,
            )
        table.add_section()
    console.print(table)
    for n, note in enumerate(notes, 1):
        console.print(rf"\[{n}] {note}")
    console.print(
        f"{where['cores']} cores, {where['memory_gib']} GiB, {where['system']}, Python"
        f" {where['python']}, DuckDB {where['duckdb']}; load average at the start {where['load']};"
        f" {total_s:,.0f} s in all"
    )


def write(
    path: Path, parts: Mapping[str, Sequence[Row]], where: Mapping[str, object], total_s: float
) -> None:
    """The same as JSON."""
    rows = [
        {"part": part, **msgspec.to_builtins(row), "ratio": row.ratio, "verdict": row.verdict}
        for part, rows in parts.items()
        for row in rows
    ]
    whole = {"machine": where, "seconds": round(total_s, 1), "rows": rows}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
