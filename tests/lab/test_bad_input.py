"""Bad input through the public API: one clear sentence, and nothing is stored."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import pjais_lab as pj
from pjais_lab import errors
from pjais_lab.conversations import events as conversations
from pjais_lab.errors import LabError, QueryError, RejectedError, WorkspaceNotFoundError
from pjais_lab.memories import events as memories
from pjais_lab.personas import events as personas
from pjais_lab.personas import state as settings

HALF: Final = "half \ud800 a pair"


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def endless() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


def stray() -> pj.Event:
    @pj.event("v1.Stray")
    class Stray(pj.Event):
        pass

    return Stray()


NAMES: Final[dict[str, Any]] = {
    **vars(conversations),
    **vars(memories),
    **vars(personas),
    **vars(settings),
    "pj": pj,
    "uuid": uuid,
    "date": dt.date,
    "datetime": dt.datetime,
    "NAN": float("nan"),
    "INFINITY": float("inf"),
    "UNKNOWN": "00000000-0000-4000-8000-000000000000",
    "HALF": HALF,
    "HUGE": "x" * 10_000_000,
    "nested": nested,
    "endless": endless,
    "stray": stray,
    "file": __file__,
}


class World:
    """A lab with one of everything, and a persona of another workspace.

    Attributes:
        names: what the calls of the table speak of.
    """

    def __init__(self, lab: pj.Lab, foreign: pj.PersonaModel) -> None:
        self.lab = lab
        ada, bob = lab.personas.create("Ada"), lab.personas.create("Bob")
        gone = lab.personas.create("Gone").id
        lab.personas.erase(gone)
        lost = lab.memories.record(ada, "lost")
        lab.memories.forget(lost)
        over = lab.conversations.start(ada)
        lab.conversations.end(over)
        self.names: dict[str, Any] = {
            "lab": lab,
            "personas": lab.personas,
            "memories": lab.memories,
            "talks": lab.conversations,
            "settings": lab.settings,
            "ada": ada,
            "bob": bob,
            "foreign": foreign,
            "erased": gone,
            "tea": lab.memories.record(ada, "tea"),
            "cake": lab.memories.record(bob, "cake"),
            "lost": lost,
            "talk": lab.conversations.start(ada),
            "over": over,
            "fine": memories.MemoryRecorded("fine").on(ada),
        }

    def trace(self) -> tuple[object, ...]:
        """What a commit would move."""
        journal = self.lab._parts.journal
        counts = self.lab.query("SELECT count(*), max(seq) FROM events").row(0)
        return self.lab.position, journal.head(), journal.vector(), journal.last_id(), counts


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("bad")
    with (
        pj.open(folder / "other", background=False) as other,
        pj.open(folder / "lab", background=False) as lab,
    ):
        yield World(lab, other.personas.create("Eve"))


def table() -> Iterator[tuple[str, type[Exception], str]]:
    """The calls of ``bad_input.txt``: call, error, pattern."""
    error = ""
    for line in Path(__file__).with_name("bad_input.txt").read_text().splitlines():
        if line.startswith("["):
            error = line.strip("[]")
        elif line and not line.startswith("#"):
            call, pattern = line.split(" => ")
            yield call, getattr(errors, error, TypeError), pattern


def refused(call: Callable[[], object], error: type[Exception], pattern: str) -> None:
    """The call raises that error, and it reads as one sentence and a hint."""
    with pytest.raises(error, match=pattern) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    assert text.endswith((".", "?"))
    if isinstance(caught.value, LabError):
        assert type(caught.value) is error
        assert caught.value.message.endswith(".")
        assert not re.search(r"[.!?] [A-Z]", caught.value.message)


QUERIES: Final[tuple[tuple[str, Any, str], ...]] = (
    ("empty", "", "The SQL is empty"),
    ("int", 5, "of type int"),
    ("none", None, "of type NoneType"),
    ("bytes", b"SELECT 1", "of type bytes"),
    ("half", f"SELECT '{HALF}'", "not Unicode text"),
    ("nul", "SELECT 1\0", "NUL character"),
    ("two", "SELECT 1; DROP TABLE state.memories", "holds 2 statements"),
    ("syntax", "SELEC 1", "cannot be parsed"),
    ("delete", "DELETE FROM memories", "would run DELETE"),
    ("insert", "INSERT INTO state.memories SELECT * FROM state.memories", "would run INSERT"),
    ("update", "UPDATE state.memories SET content = 'x'", "would run UPDATE"),
    ("merge", "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE", "would run MERGE"),
    ("truncate", "TRUNCATE state.memories", "would run DELETE"),
    ("drop", "DROP TABLE state.memories", "would run DROP"),
    ("alter", "ALTER TABLE state.memories DROP COLUMN content", "would run ALTER"),
    ("create", "CREATE TABLE x AS SELECT 1", "would run CREATE"),
    ("copy", "COPY memories TO 'out.csv'", "would run COPY"),
    ("export", "EXPORT DATABASE 'out'", "would run EXPORT"),
    ("attach", "ATTACH 'other.db'", "would run ATTACH"),
    ("set", "SET threads = 1", "would run SET"),
    ("call", "CALL pragma_version()", "would run CALL"),
    ("begin", "BEGIN TRANSACTION", "would run TRANSACTION"),
    ("prepare", "PREPARE x AS DELETE FROM state.memories", "would run PREPARE"),
    ("explained", "EXPLAIN ANALYZE DELETE FROM state.memories", "do more than read"),
    (
        "hidden",
        "WITH x AS (DELETE FROM state.memories RETURNING *) SELECT * FROM x",
        "CTE needs a SELECT",
    ),
    ("sequence", "SELECT nextval('x')", "not among the functions"),
)


@pytest.mark.parametrize(("call", "error", "pattern"), list(table()))
def test_a_bad_call_is_one_sentence_and_nothing_is_stored(
    world: World, call: str, error: type[Exception], pattern: str
) -> None:
    before = world.trace()

    refused(lambda: eval(call, dict(NAMES), world.names), error, pattern)

    assert world.trace() == before


@pytest.mark.parametrize("how", ["query", "live"])
@pytest.mark.parametrize(("sql", "pattern"), [pytest.param(*row[1:], id=row[0]) for row in QUERIES])
def test_sql_that_does_not_read_is_one_sentence_and_changes_nothing(
    world: World, how: str, sql: Any, pattern: str
) -> None:
    before = world.trace()

    refused(lambda: getattr(world.lab, how)(sql), QueryError, pattern)

    assert world.trace() == before


@pytest.mark.parametrize(
    ("sql", "params", "pattern"),
    [
        ("SELECT * FROM memoires", {}, "memoires"),
        ("SELECT contnt FROM memories", {}, "contnt"),
        ("SELECT content::INTEGER FROM memories", {}, "Could not convert"),
        ("SELECT $x", {}, "x"),
        ("SELECT 1", {"x": 1}, "x"),
        ("SELECT $x", {"x": object()}, "object"),
        ("SELECT $x", {"x": HALF}, "half of a surrogate pair"),
    ],
)
def test_a_query_that_fails_says_why(
    world: World, sql: str, params: dict[str, Any], pattern: str
) -> None:
    refused(lambda: world.lab.query(sql, **params), QueryError, pattern)

    assert world.lab.query("SELECT 1 AS one").item() == 1


@pytest.mark.parametrize("path", ["", "  ", 5, None, b"lab", "a\0b", ["lab"]])
def test_what_is_no_path_opens_nothing(path: Any) -> None:
    here = sorted(Path.cwd().iterdir())

    refused(lambda: pj.open(path), WorkspaceNotFoundError, "is not the path of a workspace")

    assert sorted(Path.cwd().iterdir()) == here


def test_a_missing_workspace_is_not_made_unasked(tmp_path: Path) -> None:
    refused(
        lambda: pj.open(tmp_path / "none", create=False), WorkspaceNotFoundError, "no workspace at"
    )

    assert not (tmp_path / "none").exists()


def test_opening_takes_neither_strange_words_nor_strange_actors(tmp_path: Path) -> None:
    refused(lambda: pj.open(tmp_path / "w", creat=True), TypeError, "Did you mean 'create'")  # type: ignore[call-arg]
    refused(lambda: pj.open(tmp_path / "w", actor="me"), RejectedError, "does not say what and who")

    assert not (tmp_path / "w").exists()


def test_a_lab_that_refused_everything_still_works(world: World) -> None:
    done = world.lab.commit(world.names["fine"])

    assert world.lab.query("SELECT content FROM memories WHERE id = $i", i=done.id).item() == "fine"
