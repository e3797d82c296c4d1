"""A relation whose rows stay where they are: over SQL that a lab answers, in pages, counts, summaries.

Nothing is copied, so a table of a million memories moves with every commit. Only the columns that a
question needs are computed; a page is found by its keys, then read by them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from pjais_lab.core.predicate import Contains, Predicate, columns_of
from pjais_lab.core.spelling import near
from pjais_lab.errors import QueryError
from pjais_lab.storage._predicates import bound_sql, literal_sql
from pjais_lab.storage._summaries import Outline, Summary, outline, summarise
from pjais_lab.storage._typemap import Column, column_of, identifier
from pjais_lab.storage.relation import Sort, cell

__all__ = ["Ask", "AskedRelation"]

Ask = Callable[..., pl.DataFrame]
"""Answers ``ask(sql, **params)``, from any thread."""
_MAX_PAGE: Final = 10_000
_NEAR: Final = 1_000
_ORDERS: Final = 2
_DIRECTIONS: Final = ("asc", "desc")
Question = tuple[Predicate | None, tuple[tuple[str, str], ...]]


class AskedRelation:
    """Rows of somebody else's tables.

    Args:
        ask: a lab's ``query``.
        columns: name -> SQL expression over ``base``.
        base: what stands after FROM.
        where: which rows of it; all if nothing.
        joins: column -> expression and join that find it faster when all rows are asked.
        key: the column that tells rows apart; rows that are equal in the sort come in its order.
        searched: the columns that ``search`` looks at; all if none is named.
    """

    def __init__(
        self,
        ask: Ask,
        columns: Mapping[str, str],
        base: str,
        *,
        key: str,
        where: str = "",
        joins: Mapping[str, tuple[str, str]] | None = None,
        searched: Collection[str] = (),
    ) -> None:
        self.key = key
        self._ask = ask
        self._base = base
        self._where = where
        self._joins = dict(joins or {})
        self._made = dict(columns)
        self._searched = list(searched or columns)
        found = ask(f"SELECT column_name, column_type FROM (DESCRIBE {self._select(columns)})")
        self._columns = {n: column_of(n, t) for n, t in found.rows()}
        self._lock = threading.Lock()
        self._version = 0
        self._orders: dict[Question, pl.Series] = {}
        self._outlines: dict[str, Outline] = {}

    @property
    def columns(self) -> tuple[Column, ...]:
        """Name, type and kind of every column."""
        return tuple(self._columns.values())

    def changed(self) -> None:
        """The tables have moved: find orders and bins anew."""
        with self._lock:
            self._version += 1
            self._orders.clear()
            self._outlines.clear()

    def count(self, where: Predicate | None = None) -> int:
        """How many rows there are.

        Raises:
            QueryError: it names a column that is not there.
        """
        condition, values = self._condition(where)
        source = self._source(_named(where))
        return int(self._ask(f"SELECT count(*) FROM {source} WHERE {condition}", **values).item())

    def page(
        self, offset: int, limit: int, *, sort: Sort = (), where: Predicate | None = None
    ) -> pl.DataFrame:
        """Some rows as a page shows them: integers, floats, booleans, and text for all else.

        Args:
            offset: how many rows to leave out before them.
            limit: how many at most; 10,000 is the most there is.
            sort: their order.
            where: which rows; all of them if None.

        Raises:
            QueryError: it names a column that is not there.
        """
        return self.some(self.keys(offset, min(limit, _MAX_PAGE), sort=sort, where=where))

    def keys(
        self, offset: int, limit: int, *, sort: Sort = (), where: Predicate | None = None
    ) -> list[str]:
        """The keys of some rows, as text.

        Args:
            offset: how many rows to leave out before them.
            limit: how many at most.
            sort: their order.
            where: which rows; all of them if None.

        Raises:
            QueryError: it names a column that is not there.
        """
        question = where, self._checked(sort)
        start, limit = max(0, offset), max(0, limit)
        with self._lock:
            known, version = self._orders.get(question), self._version
        if known is None and start + limit <= _NEAR:
            return self._ordered(question, f" LIMIT {limit} OFFSET {start}").to_list()
        if known is None:  # far down: the order is worked out once for all pages
            known = self._ordered(question, "")
            with self._lock:
                if version == self._version:
                    self._orders[question] = known
                    while len(self._orders) > _ORDERS:
                        del self._orders[next(iter(self._orders))]
        return known[start : start + limit].to_list()

    def some(self, keys: Sequence[str], *names: str) -> pl.DataFrame:
        """Rows of these keys, in that order, as a page shows them; those that are gone are left out.

        Args:
            keys: of the rows.
            names: the columns besides the key; all of them if none is named.

        Raises:
            QueryError: one of them is no key.
        """
        shown = {self.key, *names} if names else self._made
        chosen = ", ".join(cell(c) for n, c in self._columns.items() if n in shown)
        kind = self._columns[self.key].type
        wanted = f"(SELECT CAST(unnest(string_split($keys, chr(31))) AS {kind}))"
        only = f"{self._made[self.key]} IN {wanted}" if keys else "false"
        sql = f"SELECT {chosen} FROM ({self._select(shown, only)})"
        found = self._ask(sql, keys="\x1f".join(keys)) if keys else self._ask(sql)
        found = found.with_columns(pl.col(self.key).cast(pl.String))
        order = pl.DataFrame({self.key: pl.Series(keys, dtype=pl.String)})
        joined = order.join(found, on=self.key, how="inner", maintain_order="left")
        return joined.select(found.columns)

    def frame(self, where: Predicate | None = None, *, sort: Sort = ()) -> pl.DataFrame:
        """Rows with their own types, as polars.

        Raises:
            QueryError: it names a column that is not there.
        """
        condition, values = self._condition(where)
        order = self._order(self._checked(sort))
        return self._ask(
            f"SELECT * FROM {self._source(self._made)} WHERE {condition} ORDER BY {order}", **values
        )

    def summary(self, column: str, *, where: Predicate | None = None) -> Summary:
        """What lies in a column: a histogram of numbers and times, else the most frequent values.

        Args:
            column: its name.
            where: which rows to count; the bins and values are always those of all rows.

        Raises:
            QueryError: there is no such column.
        """
        self._check(column)
        con: Any = _Connection(self._ask)
        with self._lock:
            known, version = self._outlines.get(column), self._version
        if known is None:
            known = outline(con, self._source([column]), self._columns[column])
            with self._lock:
                if version == self._version:
                    self._outlines[column] = known
        return summarise(con, self._source({column, *_named(where)}), known, where, self._columns)

    def search(self, text: str) -> Contains:
        """The predicate that finds a text in any of the searched columns, whatever its capitals.

        Raises:
            QueryError: it is no text.
        """
        return Contains(text, self._searched)

    def sql(self, where: Predicate | None = None, *, sort: Sort = ()) -> str:
        """The query that finds rows, for people.

        Raises:
            QueryError: it names a column that is not there.
        """
        lines = [f"SELECT * FROM (\n    {self._select(self._made)}\n)"]
        if where is not None:
            lines.append(f"WHERE {literal_sql(where, self._columns)}")
        lines.append(f"ORDER BY {self._order(self._checked(sort))}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        """How many columns; rows would have to be counted."""
        return f"AskedRelation({len(self._made)} columns)"

    # ------------------------------------------------------------ how it works
    def _select(self, names: Collection[str], only: str = "", *, is_wide: bool = False) -> str:
        """The SELECT of some columns; ``is_wide`` when every row of them is looked at."""
        joins = {n: self._joins[n] for n in names if is_wide and n in self._joins}
        made = self._made | {n: expression for n, (expression, _) in joins.items()}
        chosen = ", ".join(f"{made[n]} AS {identifier(n)}" for n in made if n in names)
        base = " ".join([self._base, *(join for _, join in joins.values())])
        where = " AND ".join(filter(None, [self._where, only]))
        return f"SELECT {chosen} FROM {base}{f' WHERE {where}' if where else ''}"

    def _source(self, names: Collection[str]) -> str:
        return f"({self._select({self.key, *names}, is_wide=True)})"

    def _condition(self, where: Predicate | None) -> tuple[str, dict[str, Any]]:
        return bound_sql(where, self._columns)

    def _ordered(self, question: Question, some: str) -> pl.Series:
        where, sort = question
        condition, values = self._condition(where)
        source = self._source({*_named(where), *(n for n, _ in sort)})
        key = f"CAST({identifier(self.key)} AS VARCHAR) AS k"
        order = self._order(sort)
        sql = f"SELECT {key} FROM {source} WHERE {condition} ORDER BY {order}{some}"
        return self._ask(sql, **values)["k"]

    def _order(self, sort: Sequence[tuple[str, str]]) -> str:
        keys = [f"{identifier(n)} {d.upper()} NULLS LAST" for n, d in sort]
        return ", ".join([*keys, identifier(self.key)])

    def _checked(self, sort: Any) -> tuple[tuple[str, str], ...]:
        made: list[tuple[str, str]] = []
        for given in sort:
            is_pair = isinstance(given, (tuple, list)) and len(given) == 2
            if not is_pair or given[1] not in _DIRECTIONS:
                msg = f"{given!r} is nothing to sort by; expected ('name', 'asc') or ('name', 'desc')."
                raise QueryError(msg)
            self._check(given[0])
            made.append((given[0], given[1]))
        return tuple(made)

    def _check(self, name: object) -> None:
        if name not in self._columns:
            msg = f"There is no column {name!r}."
            raise QueryError(msg, hint=near(str(name), self._columns) or None, column=name)


class _Rows(msgspec.Struct, frozen=True):
    rows: list[tuple[Any, ...]]

    def fetchone(self) -> tuple[Any, ...] | None:
        return self.rows[0] if self.rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows


class _Connection:
    """What summaries ask of DuckDB, asked of a lab."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def execute(self, sql: str, values: Mapping[str, Any] | None = None) -> _Rows:
        return _Rows(self._ask(sql, **(values or {})).rows())


def _named(where: Predicate | None) -> frozenset[str]:
    return columns_of(where) if where is not None else frozenset()
