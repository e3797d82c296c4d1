from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pjais_lab.core.predicate import Interval, OneOf, Predicate
from pjais_lab.errors import QueryError
from pjais_lab.storage._predicates import bound_sql, literal, literal_sql
from pjais_lab.storage._typemap import Column, column_of, exact_range, shown
from pjais_lab.storage.duck import connect

EVERY_TYPE = [
    "1::TINYINT", "1::UTINYINT", "1::INTEGER", "1::BIGINT", "1::UBIGINT", "1::HUGEINT", "1::UHUGEINT",
    "1::BIGNUM", "1.10::DECIMAL(4,2)", "1.5::FLOAT", "'nan'::DOUBLE", "true", "'x'", "'x'::ENUM('x')",
    "'{}'::JSON", "DATE '2026-11-01'", "'infinity'::DATE", "TIME '14:30'", "'14:30'::TIME_NS",
    "'14:30:00+02'::TIMETZ", "TIMESTAMP '2026-11-01'", "'2026-11-01'::TIMESTAMP_S",
    "'2026-11-01'::TIMESTAMP_MS", "'2026-11-01'::TIMESTAMP_NS", "'2026-11-01'::TIMESTAMPTZ",
    "'infinity'::TIMESTAMP", "'0044-03-15 (BC)'::TIMESTAMP", "INTERVAL 3 DAYS", "'ab'::BLOB",
    "'0101'::BIT", "uuid()", "[1, NULL]", "[1, 2]::INTEGER[2]", "{'a': 1, 'b': [2]}", "MAP {'k': 1}",
    "union_value(n := 1)", "NULL", "'5'::VARIANT", "[INTERVAL 1 DAY]",
]  # fmt: skip


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    con = connect(threads=1)
    yield con
    con.close()


def column(con: duckdb.DuckDBPyConnection, sql: str) -> Column:
    con.execute(f"CREATE OR REPLACE TABLE t AS SELECT {sql} AS x")
    found = con.execute("DESCRIBE t").fetchone()
    assert found is not None
    return column_of("x", found[1])


@pytest.mark.parametrize("sql", EVERY_TYPE)
def test_every_type_is_shown_as_a_number_a_truth_or_a_text(
    con: duckdb.DuckDBPyConnection, sql: str
) -> None:
    made = column(con, sql)

    con.execute(f"CREATE OR REPLACE TABLE page AS SELECT {shown(made)} AS cell FROM t")

    row = con.execute("SELECT typeof(cell), cell IS NULL FROM page").fetchone()
    small = {"TINYINT", "UTINYINT", "INTEGER", "DOUBLE", "BOOLEAN"}
    assert row is not None
    assert row[0] in {"VARCHAR", *small}
    assert row[1] == (sql == "NULL")


def test_a_type_nobody_has_heard_of_is_text() -> None:
    made = column_of("x", "QUATERNION")

    assert (made.kind, shown(made)) == ("other", 'CAST("x" AS VARCHAR)')


@pytest.mark.parametrize("sql", ["9007199254740993", "12345678901234567890.5::DECIMAL(38,1)"])
def test_no_digit_is_lost(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    made = column(con, sql)

    assert con.execute(f"SELECT {shown(made)} FROM t").fetchone() == (sql.partition("::")[0],)


def test_long_bytes_are_cut_and_say_so(con: duckdb.DuckDBPyConnection) -> None:
    made = column(con, "repeat('a', 100)::BLOB")

    assert con.execute(f"SELECT {shown(made)} FROM t").fetchone() == ("0x" + "61" * 32 + "…",)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [("UTINYINT", (0, 255)), ("HUGEINT", (-(2**127), 2**127 - 1)), ("DECIMAL(3,1)", (-999, 999))],
)
def test_the_range_of_an_exact_type_is_known(type_: str, expected: tuple[int, int]) -> None:
    assert exact_range(column_of("x", type_)) == expected


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("'2026-11-01 14:30:00.123456789'::TIMESTAMP_NS", "2026-11-01 14:30:00.123456789"),
        ("'infinity'::TIMESTAMP", "infinity"),
        ("TIMESTAMP '0044-03-15 (BC) 00:00:00'", "0044-03-15 (BC) 00:00:00"),
        ("'2026-11-01'::TIMESTAMPTZ", "2026-11-01 00:00:00+00"),
        ("'14:30:00+02'::TIMETZ", "14:30:00+02"),
        ("9007199254740993", "9007199254740993"),
        ("1.10::DECIMAL(4,2)", "1.10"),
        ("'550e8400-e29b-41d4-a716-446655440000'::UUID", "550e8400-e29b-41d4-a716-446655440000"),
        ("true", "true"),
        ("{'a': [1, 2]}", '{"a":[1,2]}'),
        ("'ab'::BLOB", "0x6162"),
    ],
)
def test_the_text_that_a_page_shows_finds_its_row(
    con: duckdb.DuckDBPyConnection, sql: str, text: str
) -> None:
    made = {"x": column(con, sql)}

    for predicate in (OneOf("x", [text]), OneOf("x", [text]) & ~OneOf("x", [])):
        condition, values = bound_sql(predicate, made)
        assert con.execute(f"SELECT count(*) FROM t WHERE {condition}", values).fetchone() == (1,)
        written = literal_sql(predicate, made)
        assert con.execute(f"SELECT count(*) FROM t WHERE {written}").fetchone() == (1,)


@pytest.mark.parametrize(
    ("sql", "predicate"),
    [
        ("1", OneOf("x", ["one"])),
        ("1", Interval("x", low="2026-11-01T00")),
        ("true", OneOf("x", [1])),
        ("'a'", OneOf("x", [1])),
        ("DATE '2026-11-01'", Interval("x", 5)),
        ("uuid()", OneOf("x", ["no-uuid"])),
        ("1", OneOf("x", ["1e999999999"])),
    ],
)
def test_a_value_that_the_column_cannot_hold_is_named(
    con: duckdb.DuckDBPyConnection, sql: str, predicate: Predicate
) -> None:
    with pytest.raises(QueryError, match="is no value of the column 'x', whose type is"):
        bound_sql(predicate, {"x": column(con, sql)})


def test_a_column_that_is_not_there_is_named_with_the_nearest_one() -> None:
    with pytest.raises(QueryError, match="no column 'nam'. Did you mean 'name'?"):
        bound_sql(OneOf("nam", ["Ada"]), {"name": column_of("name", "VARCHAR")})


def test_values_are_bound_and_never_written() -> None:
    sql, values = bound_sql(OneOf("x", ["'; DROP TABLE t; --"]), {"x": column_of("x", "VARCHAR")})

    assert (sql, values) == ('"x" IN ($p1)', {"p1": "'; DROP TABLE t; --"})


def test_without_types_a_condition_is_written_as_it_was_said() -> None:
    predicate = (Interval("age", 18, 30, "left") | OneOf("name", ["it's", None])) & ~Interval(
        "x", 0.5
    )

    assert literal_sql(predicate) == (
        '(("age" >= 18 AND "age" < 30) OR ("name" IN (\'it\'\'s\') OR "name" IS NULL))'
        ' AND ("x" >= 0.5 AND NOT isnan("x")) IS NOT TRUE'
    )


@pytest.mark.parametrize(
    "value", [0.1, 0.1 + 0.2, 1e300, 123456789012345.0, 5e-324, float("inf"), -0.5, 1 / 3]
)
def test_a_float_is_written_so_that_it_is_the_same_float(
    con: duckdb.DuckDBPyConnection, value: float
) -> None:
    assert con.execute(f"SELECT {literal(value)}::DOUBLE").fetchone() == (value,)
