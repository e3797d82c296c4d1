"""What an SQL text does, from DuckDB's own parser: whether it only reads, which tables, which keys.

Everything not understood is taken for the worst: a statement is refused unless every part of it is
known to read only, and a query depends on everything unless each table it names was found.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import duckdb
import msgspec

from pjais_lab.core.codec import is_text
from pjais_lab.errors import QueryError
from pjais_lab.storage._sqltree import Reference as Reference  # noqa: PLC0414 - part of Analysis
from pjais_lab.storage._sqltree import Walk, is_ordered

__all__ = ["Analysis", "Reference", "analyse", "guard"]

_COMMENT: Final = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_EXPLAIN: Final = re.compile(r"\AEXPLAIN\s+(?:ANALYZE\s+)?(?:\([^()]*\)\s*)?", re.IGNORECASE)
_SERIALIZE: Final = "SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true)"
_HINT: Final = "Write one SELECT; changes are made by commands and lab.commit()."
_KNOWN_MOST: Final = 512
_KNOWN_LONGEST: Final = 10_000
_KNOWN: Final[dict[str, Analysis]] = {}
"""What was found of the SQL that was asked lately: to find it takes longer than many an answer."""


class Analysis(msgspec.Struct, frozen=True):
    """What a query reads.

    Attributes:
        sql: the statement, without comments around it and without a semicolon.
        references: every mention of a table, with the keys it is bound to.
        parameters: names written ``$name``.
        has_order_by: the order of the result's rows means something.
        is_volatile: the clock or chance has a part in the result.
        is_opaque: it may read more than ``references`` tells.
    """

    sql: str
    references: tuple[Reference, ...] = ()
    parameters: frozenset[str] = frozenset()
    has_order_by: bool = False
    is_volatile: bool = False
    is_opaque: bool = False

    @property
    def tables(self) -> frozenset[str]:
        """The tables read, also through CTEs and subqueries."""
        return frozenset(r.table for r in self.references)


def guard(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Refuse anything but one statement that reads.

    Args:
        con: any connection; the SQL is parsed, not run.
        sql: SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN.

    Returns:
        The statement, without comments around it and without a semicolon.

    Raises:
        QueryError: it cannot be parsed, is more than one statement, or would write.
    """
    return analyse(con, sql).sql


def analyse(con: duckdb.DuckDBPyConnection, sql: str) -> Analysis:
    """Parse a query and find what it depends on.

    Args:
        con: any connection; the SQL is parsed, not run.
        sql: the user's text.

    Raises:
        QueryError: it cannot be parsed, is more than one statement, or would write.
    """
    known = _KNOWN.get(sql) if is_text(sql) else None
    return known if known is not None else _remembered(sql, _analyse(con, sql))


def _remembered(sql: str, found: Analysis) -> Analysis:
    if len(sql) <= _KNOWN_LONGEST:
        if len(_KNOWN) >= _KNOWN_MOST:
            _KNOWN.clear()
        _KNOWN[sql] = found
    return found


def _analyse(con: duckdb.DuckDBPyConnection, sql: str) -> Analysis:
    text = _statement(con, sql)
    explained = _EXPLAIN.match(text)
    body = text[explained.end() :] if explained else text
    try:
        tree = _parse(con, body)
        walk = Walk()
        walk.visit(tree["node"], frozenset())
    except RecursionError:
        msg = "The SQL is nested too deeply to be checked."
        raise QueryError(msg, hint="Split it with WITH.", sql=sql) from None
    if walk.refused:
        msg = f"{walk.refused} is not among the functions a query may call; queries only read."
        raise QueryError(msg, hint=_HINT, sql=sql)
    return Analysis(
        sql=text,
        references=tuple(walk.references),
        parameters=frozenset(p["key"] for p in tree.get("named_param_map", ())),
        has_order_by=explained is None and is_ordered(tree["node"]),
        is_volatile=walk.is_volatile,
        is_opaque=walk.is_opaque or explained is not None,
    )


def _statement(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    if not is_text(sql):
        msg = f"The SQL is of type {type(sql).__name__} or not Unicode text; expected one SELECT."
        raise QueryError(msg, sql=sql)
    if "\0" in sql:
        raise QueryError("The SQL contains a NUL character.", sql=sql)
    try:
        found = con.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(_syntax(str(error)), sql=sql) from None
    if not found:
        raise QueryError("The SQL is empty; expected one SELECT.", sql=sql)
    if _is_pivot(found):
        msg = "PIVOT without a list of values would create a type; queries only read."
        raise QueryError(msg, hint="Name the values: PIVOT … ON column IN ('a', 'b').", sql=sql)
    if len(found) > 1:
        msg = f"The SQL holds {len(found)} statements; expected one."
        raise QueryError(msg, hint="Run them one by one.", sql=sql)
    kind = found[0].type.name
    if kind not in {"SELECT", "EXPLAIN"}:
        msg = f"The SQL would run {kind.replace('_', ' ')}; queries only read, and nothing was changed."
        raise QueryError(msg, hint=_HINT, sql=sql, kind=kind)
    return _COMMENT.sub("", found[0].query, count=1).rstrip().rstrip(";").rstrip()


def _is_pivot(found: list[duckdb.Statement]) -> bool:
    kinds = [s.type.name for s in found]
    is_one_text = len({s.query for s in found}) == 1
    return is_one_text and kinds[-1] == "SELECT" and set(kinds[:-1]) == {"CREATE"}


def _parse(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    cursor = con.cursor()
    try:
        row = cursor.execute(_SERIALIZE, [sql]).fetchone()
    except duckdb.Error as error:
        raise QueryError(_syntax(str(error)), sql=sql) from None
    finally:
        cursor.close()
    answer: dict[str, Any] = json.loads(row[0]) if row else {"error": True, "error_type": "empty"}
    statements = answer.get("statements", [])
    if not answer["error"] and len(statements) == 1:
        tree: dict[str, Any] = statements[0]
        return tree
    if answer.get("error_type") == "parser":
        raise QueryError(_syntax(answer["error_message"]), sql=sql)
    msg = "The SQL would do more than read; nothing was changed."
    raise QueryError(msg, hint=_HINT, sql=sql)


def _syntax(text: str) -> str:
    line = text.strip().split("\n")[0].removeprefix("Parser Error: ").rstrip(".")
    return f"The SQL cannot be parsed: {line}."
