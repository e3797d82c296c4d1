"""Which personas, names and actors of a log have a code of their own in its cubes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from pjais_lab.storage._cubedims import NULL, REST, Dim, listed
from pjais_lab.storage._predicates import literal
from pjais_lab.storage._typemap import Column

__all__ = ["BY", "MOST_VALUES", "Ask", "Codes"]

Ask = Callable[..., pl.DataFrame]
"""Answers ``ask(sql)``, from any thread: a lab's ``query``."""
BY: Final[tuple[str, ...]] = ("persona_id", "name", "actor")
"""What a log is counted by, besides time."""
MOST_VALUES: Final[dict[str, int]] = {"persona_id": 120, "name": 60, "actor": 20}
"""So many values have a count of their own; the others share one."""


class Codes:
    """The values that have codes, the most frequent first, later ones as they came.

    Args:
        ask: a lab's ``query``.
        columns: of its events.

    Attributes:
        values: column -> its values, each at the place that is its code.
    """

    def __init__(self, ask: Ask, columns: Mapping[str, Column]) -> None:
        self._ask, self._columns = ask, columns
        self.values: dict[str, list[str]] = {}

    def begin(self, upto: int) -> None:
        """Learn the most frequent values of all events up to one."""
        self.values = {name: self._frequent(name, upto) for name in BY}

    def learn(self, after: int, upto: int) -> tuple[int, int] | None:
        """Give codes to values that have not been there before; gives the span of their times.

        Args:
            after: the last event that is known.
            upto: the last event to look at.
        """
        chosen = ", ".join(f"{name}::VARCHAR AS {name}" for name in BY)
        found = self._ask(
            f"SELECT {chosen}, min(epoch_us(occurred_at)) AS low, max(epoch_us(occurred_at)) AS high,"
            f" count(*) AS n FROM events WHERE seq > {after} AND seq <= {upto} GROUP BY ALL"
        )
        for name, known in self.values.items():
            counts = found.drop_nulls(name).group_by(name).agg(pl.col("n").sum())
            new = counts.filter(~pl.col(name).is_in(known)).sort(
                ["n", name], descending=[True, False]
            )
            known.extend(new[name].head(MOST_VALUES[name] - len(known)))
        low, high = found.select(pl.col("low").min(), pl.col("high").max()).row(0)
        return None if low is None else (low, high)

    def looked_up(self, name: str) -> tuple[str, str]:
        """SQL for the code of a value, and the join that it takes."""
        null = f"WHEN g.{name} IS NULL THEN {NULL}"
        kind = self._columns[name].type
        rows = [f"({n}, {literal(v)}::{kind})" for n, v in enumerate(self.values[name])]
        if not rows:
            return f"CASE {null} ELSE {REST} END::BIGINT AS {name}", ""
        code = f"CASE {null} ELSE coalesce(of_{name}.code, {REST}) END::BIGINT AS {name}"
        listed = f"(VALUES {', '.join(rows)}) of_{name}(code, v)"
        return code, f"LEFT JOIN {listed} ON of_{name}.v = g.{name}"

    def dim(self, name: str) -> Dim:
        """The dimension of a column as it is known now."""
        return listed(name, self._columns[name], self.values[name], "")

    def _frequent(self, name: str, upto: int) -> list[str]:
        sql = (
            f"SELECT v::VARCHAR AS v FROM (SELECT {name} AS v, count(*) AS n FROM events"
            f" WHERE {name} IS NOT NULL AND seq <= {upto} GROUP BY ALL)"
            f" ORDER BY n DESC, v LIMIT {MOST_VALUES[name]}"
        )
        return [str(v) for v in self._ask(sql)["v"]]
