from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pjais_lab.errors import QueryError
from pjais_lab.storage.duck import connect
from pjais_lab.storage.sqlparse import analyse, guard


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    con = connect(threads=1)
    con.execute("CREATE TABLE memories (id UUID, persona_id UUID, n INTEGER)")
    yield con
    con.close()


def bound(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[str, dict[str, list[str]]]]:
    """Each mention of a table with the keys it is bound to, parameters written $name."""
    return [
        (
            r.table,
            {c.column: [o.literal or f"${o.parameter}" for o in c.operands] for c in r.conditions},
        )
        for r in analyse(con, sql).references
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "FROM memories",
        "VALUES (1), (2)",
        "TABLE memories",
        "DESCRIBE memories",
        "SHOW TABLES",
        "SUMMARIZE memories",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "-- a comment\n SELECT 1 -- another",
        "/* one */ SELECT ';' AS semicolon;",
        "(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1",
        "PIVOT memories ON n IN (1, 2)",
        "SELECT * FROM range(3)",
        "SELECT * FROM read_csv('x.csv')",
    ],
)
def test_a_statement_that_reads_passes(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    assert guard(con, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM memories",
        "INSERT INTO memories VALUES (NULL, NULL, 1)",
        "UPDATE memories SET n = 1",
        "MERGE INTO memories USING memories m ON true WHEN MATCHED THEN DELETE",
        "COPY memories TO 'out.csv'",
        "ATTACH 'other.db'",
        "DETACH memory",
        "SET threads = 1",
        "RESET threads",
        "USE memory",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CREATE TABLE t AS SELECT 1",
        "CREATE MACRO f() AS 1",
        "DROP TABLE memories",
        "ALTER TABLE memories RENAME TO other",
        "CALL force_checkpoint()",
        "EXPORT DATABASE 'out'",
        "VACUUM",
        "BEGIN",
        "PREPARE v AS SELECT 1",
        "PIVOT memories ON n",
        "EXPLAIN DELETE FROM memories",
        "EXPLAIN ANALYZE DELETE FROM memories",
        "SELECT 1; DELETE FROM memories",
        "SELECT nextval('s')",
        "SELECT write_log('x')",
        "SELECT * FROM force_checkpoint()",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM ducklake_expire_snapshots('lake')",
        "SELECT (SELECT count(*) FROM enable_logging('x'))",
        "WITH a AS (DELETE FROM memories RETURNING *) SELECT * FROM a",
        "SELEC 1",
        "SELECT '\0'",
        "-- nothing",
        "",
    ],
)
def test_anything_else_is_refused_in_one_sentence(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    con.execute("DELETE FROM memories; INSERT INTO memories VALUES (NULL, NULL, 1)")

    with pytest.raises(QueryError) as caught:
        guard(con, sql)

    assert "\n" not in str(caught.value)
    assert con.execute("SELECT n FROM memories").fetchall() == [(1,)]


def test_sql_nested_beyond_reason_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT " + "abs(" * 900 + "1" + ")" * 900

    with pytest.raises(QueryError):
        guard(con, sql)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        (
            "SELECT * FROM memories m JOIN personas p ON p.id = m.persona_id",
            {"memories", "personas"},
        ),
        ("WITH a AS (SELECT * FROM memories) SELECT * FROM a", {"memories"}),
        ("WITH memories AS (SELECT * FROM personas) SELECT * FROM memories", {"personas"}),
        ("WITH memories AS (SELECT * FROM memories) SELECT * FROM memories", {"memories"}),
        ("SELECT 1 WHERE EXISTS (SELECT 1 FROM links)", {"links"}),
        (
            "SELECT (SELECT max(n) FROM memories), [x FOR x IN [1]] FROM personas",
            {"memories", "personas"},
        ),
        ("SELECT * FROM memories UNION SELECT * FROM links", {"memories", "links"}),
        (
            "WITH RECURSIVE r AS (SELECT id FROM links UNION SELECT l.id FROM links l JOIN r USING (id))"
            " SELECT * FROM r",
            {"links"},
        ),
        ("SELECT * FROM state.memories", {"memories"}),
        ("SELECT * FROM lake.events", {"lake.events"}),
        ("SELECT * FROM MEMORIES", {"memories"}),
        ("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a), a", {"a"}),
    ],
)
def test_the_tables_read_are_found(
    con: duckdb.DuckDBPyConnection, sql: str, tables: set[str]
) -> None:
    assert analyse(con, sql).tables == tables


@pytest.mark.parametrize(
    ("sql", "conditions"),
    [
        ("FROM memories WHERE persona_id = $p", {"persona_id": ["$p"]}),
        ("FROM memories WHERE $p::UUID = persona_id AND n > 1", {"persona_id": ["$p"]}),
        ("FROM memories WHERE persona_id IN ('a', $b)", {"persona_id": ["a", "$b"]}),
        (
            "FROM memories m WHERE m.id = $m AND m.persona_id = 'x'",
            {"id": ["$m"], "persona_id": ["x"]},
        ),
        ("FROM memories WHERE persona_id = $p OR n = 1", {}),
        ("FROM memories WHERE NOT persona_id = $p", {}),
        ("FROM memories WHERE persona_id <> $p", {}),
        ("FROM memories WHERE persona_id = n", {}),
        ("FROM memories WHERE upper(persona_id::VARCHAR) = $p", {}),
        ("SELECT 'x' AS persona_id FROM memories WHERE persona_id = 'x'", {}),
        ("FROM memories AS m(persona_id, id, n) WHERE m.persona_id = $p", {}),
    ],
)
def test_a_key_binds_only_when_every_row_must_have_it(
    con: duckdb.DuckDBPyConnection, sql: str, conditions: dict[str, list[str]]
) -> None:
    assert bound(con, sql) == [("memories", conditions)]


def test_a_key_spreads_over_an_inner_join_and_not_over_an_outer_one(
    con: duckdb.DuckDBPyConnection,
) -> None:
    sql = "FROM memories m {} JOIN personas p ON m.persona_id = p.id WHERE p.id = $p"

    inner, outer = bound(con, sql.format("")), bound(con, sql.format("LEFT"))

    assert inner == [("memories", {"persona_id": ["$p"]}), ("personas", {"id": ["$p"]})]
    assert outer == [("memories", {}), ("personas", {"id": ["$p"]})]


def test_joins_that_look_at_neighbours_bind_nothing(con: duckdb.DuckDBPyConnection) -> None:
    asof = (
        "FROM memories a ASOF JOIN memories b ON a.id = b.id AND a.n >= b.n WHERE b.persona_id = $p"
    )
    positional = "FROM memories a POSITIONAL JOIN memories b WHERE b.persona_id = $p"

    assert bound(con, asof) == bound(con, positional) == [("memories", {}), ("memories", {})]


@pytest.mark.parametrize(
    ("sql", "ordered"),
    [
        ("SELECT * FROM memories ORDER BY n", True),
        ("SELECT * FROM (SELECT * FROM memories ORDER BY n LIMIT 3)", True),
        ("SELECT 1 UNION SELECT 2 ORDER BY 1", True),
        ("SELECT * FROM memories", False),
        ("SELECT n, count(*) FROM (SELECT * FROM memories ORDER BY n) GROUP BY n", False),
        ("SELECT row_number() OVER (ORDER BY n) FROM memories", False),
    ],
)
def test_the_order_of_the_result_is_known(
    con: duckdb.DuckDBPyConnection, sql: str, *, ordered: bool
) -> None:
    assert analyse(con, sql).has_order_by is ordered


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT now()",
        "SELECT current_timestamp",
        "SELECT random()",
        "SELECT uuid()",
        "SELECT 'today'::DATE",
        "SELECT * FROM memories USING SAMPLE 10",
        "SELECT * FROM memories TABLESAMPLE 3 ROWS",
        "SELECT 1 WHERE EXISTS (SELECT now())",
    ],
)
def test_the_clock_and_chance_are_noticed(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    assert analyse(con, sql).is_volatile


@pytest.mark.parametrize("sql", ["SHOW TABLES", "FROM read_csv('x.csv')", "EXPLAIN SELECT 1"])
def test_what_reads_elsewhere_is_opaque(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    assert analyse(con, sql).is_opaque


def test_parameters_are_named(con: duckdb.DuckDBPyConnection) -> None:
    assert analyse(con, "SELECT $a, $b + $a").parameters == {"a", "b"}
