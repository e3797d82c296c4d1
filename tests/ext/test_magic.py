"""``%lab`` and ``%%lab`` in a real IPython."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from IPython.core.interactiveshell import InteractiveShell

import pjais_lab as pj
from pjais_lab.errors import ClosedError, LabError, NotFoundError, QueryError, SnapshotNotFoundError

Run = Callable[[str], Any]
COUNT = "SELECT count(*) AS n FROM personas"


def said(shell: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str) -> str:
    """What a cell that fails prints."""
    capsys.readouterr()
    assert not shell.run_cell(cell).success
    shown = capsys.readouterr()
    return (shown.out + shown.err).strip()


def test_a_cell_asks_state_and_log(run: Run, lab: pj.Lab, ada: pj.PersonaModel) -> None:
    assert run("%%lab\nSELECT name FROM personas").rows() == [("Ada",)]
    assert run("%%lab\nSELECT name FROM events").rows() == [("v1.PersonaCreated",)]


def test_a_line_gives_a_frame_to_go_on_with(run: Run, shell: InteractiveShell) -> None:
    run(f"people = %lab {COUNT}")

    assert shell.user_ns["people"].item() == 0
    assert run(f"%lab {COUNT}").item() == 0


def test_a_line_alone_is_the_lab(run: Run, lab: pj.Lab) -> None:
    assert run("%lab") is lab


def test_the_sql_may_begin_on_the_first_line_with_a_comment(run: Run) -> None:
    assert run("%%lab SELECT 1 AS a,\n2 AS b;\n-- the end\n").rows() == [(1, 2)]
    assert run("%%lab -- one\nSELECT 1").item() == 1


def test_the_answer_is_put_into_a_variable_as_well(run: Run, shell: InteractiveShell) -> None:
    answer = run(f"%%lab -o people\n{COUNT}")

    assert shell.user_ns["people"] is answer


@pytest.mark.parametrize(
    ("cell", "n"),
    [
        ("%%lab AT 1\n", 1),
        ("%%lab AT '1'\n", 1),
        ('%%lab at "2"\n', 2),
        ("%%lab -o n AT 0 -l lab\n", 0),
        ("%%lab\nAT 1\n", 1),
        ("%%lab AT '2026-10-02 12:00'\n", 1),
        ("%%lab AT 2026-10-02 12:00\n", 1),
        ("%%lab AT 2026-09-30\n", 0),
        ("%%lab AT '2026-10-02' --clock commit\n", 0),
        ("%%lab AT '1840-01-01' --clock commit\n", 0),
        ("%%lab AT '1840-01-01'\n", 0),
        ("%%lab AT $seq\n", 1),
        ("%%lab AT {day}\n", 1),
        ("%%lab AT $noon\n", 1),
        ("%lab AT 1 ", 1),
        ("%lab AT '2026-10-02 12:00' ", 1),
    ],
)
def test_at_asks_the_past(
    run: Run, lab: pj.Lab, shell: InteractiveShell, cell: str, n: int
) -> None:
    lab.personas.create("Ada", at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    lab.personas.create("Bob", at=dt.datetime(2026, 10, 3, tzinfo=dt.UTC))
    shell.push({"seq": 1, "day": dt.date(2026, 10, 2), "noon": dt.datetime(2026, 10, 2, 12)})

    assert run(cell + COUNT).item() == n


def test_parameters_are_values_of_variables(
    run: Run, lab: pj.Lab, ada: pj.PersonaModel, shell: InteractiveShell
) -> None:
    lab.memories.record(ada, "The engine hums.", importance=0.9)
    shell.push({"who": ada, "least": 0.5, "words": pl.Series(["engine", "hums"])})

    found = run(
        "%%lab\nSELECT content, '{least} $least' AS text, {'a': 1} AS struct FROM memories"
        " WHERE persona_id = $who AND importance > {least} AND contains(content, $words[1])"
    )

    assert found.rows() == [("The engine hums.", "{least} $least", {"a": 1})]


def test_a_parameter_never_becomes_sql(run: Run, shell: InteractiveShell) -> None:
    hostile = "'; DROP TABLE personas; --"
    shell.push({"x": hostile})

    assert run("%%lab\nSELECT $x AS a, {x} AS b").rows() == [(hostile, hostile)]
    assert run("%lab SELECT $x AS a, {x} AS b").rows() == [(hostile, hostile)]
    assert run(f"%lab {COUNT}").item() == 0


def test_variables_of_a_function_count_where_it_asks(run: Run) -> None:
    run("def twice(n):\n    return get_ipython().run_line_magic('lab', 'SELECT 2 * $n AS m')\n")
    run("def thrice(k):\n    m = %lab SELECT 3 * $k AS m\n    return m.item()")

    assert run("thrice(5)") == 15


def test_a_live_query_moves_with_the_lab(run: Run, lab: pj.Lab, shell: InteractiveShell) -> None:
    live = run(f"%%lab --live -o people\n{COUNT}")
    lab.personas.create("Ada")

    assert isinstance(live, pj.LiveQuery)
    assert shell.user_ns["people"] is live
    assert live.frame.item() == 1


def test_one_of_several_labs_is_named(run: Run, shell: InteractiveShell, tmp_path: Path) -> None:
    with pj.open(tmp_path / "other", background=False) as other:
        other.personas.create("Bob")
        shell.push({"other": other, "again": other, "_": other})

        assert run(f"%%lab -l other\n{COUNT}").item() == 1
        assert run("%lab --lab=other") is other
        with pytest.raises(
            QueryError, match="There are 2 open labs: again, lab. Say which, as in -l again"
        ):
            run(f"%%lab\n{COUNT}")
    assert run(f"%%lab\n{COUNT}").item() == 0


def test_a_past_lab_can_be_asked(run: Run, lab: pj.Lab, shell: InteractiveShell) -> None:
    lab.personas.create("Ada")
    shell.push({"past": lab.at(0)})

    assert run(f"%%lab -l past\n{COUNT}").item() == 0
    with pytest.raises(QueryError, match="is the past already"):
        run(f"%%lab -l past AT 0\n{COUNT}")


@pytest.mark.parametrize(
    ("cell", "kind", "sentence"),
    [
        ("%%lab\nSELEKT 1", QueryError, "The SQL cannot be parsed"),
        ("%%lab\nDELETE FROM memories", QueryError, "queries only read, and nothing was changed"),
        ("%%lab\nSELECT 1; SELECT 2", QueryError, "holds 2 statements"),
        ("%%lab\n  \n", QueryError, "The SQL is empty"),
        ("%%lab\nSELECT nope FROM personas", QueryError, "nope"),
        ("%%lab --liev\nSELECT 1", QueryError, "no option '--liev'. Did you mean --live?"),
        ("%%lab --clock moon\nSELECT 1", QueryError, "no clock 'moon'; expected world or commit"),
        ("%%lab -o 1x\nSELECT 1", QueryError, "was given '1x'; expected the name of a variable"),
        ("%%lab -o\nSELECT 1", QueryError, "was given ''; expected the name of a variable"),
        ("%%lab --live AT 0\nSELECT 1", QueryError, "The past does not move"),
        ("%%lab AT noon\nSELECT 1", QueryError, "After AT stands 'noon'; expected a moment"),
        ("%%lab AT 'noon'\nSELECT 1", SnapshotNotFoundError, "'noon' is not a moment"),
        ("%%lab AT 99\nSELECT 1", SnapshotNotFoundError, "The log has no position 99"),
        ("%%lab AT $when\nSELECT 1", NotFoundError, "no variable 'when' for AT $when"),
        ("%%lab\nSELECT $lba", NotFoundError, "no variable 'lba' for the parameter $lba. Did you mean"),
        ("%%lab\nSELECT {pj}", QueryError, "'pj' holds a module, which SQL cannot take"),
        ("%%lab\nSELECT {lab.path}", QueryError, "The braces hold 'lab.path'"),
        ("%%lab -l pj\nSELECT 1", NotFoundError, "'pj' holds a module; expected a lab"),
        ("%%lab -l nope\nSELECT 1", NotFoundError, "no variable 'nope' for the option -l nope"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_without_a_traceback(
    run: Run,
    shell: InteractiveShell,
    capsys: pytest.CaptureFixture[str],
    cell: str,
    kind: type[LabError],
    sentence: str,
) -> None:
    with pytest.raises(kind, match=r".") as caught:
        run(cell)

    shown = said(shell, capsys, cell)
    assert sentence in str(caught.value)
    assert shown == f"{kind.__name__}: {caught.value}"


def test_an_error_does_nothing_to_a_terminal(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.push({"text": "\x1b[2J\u202eevil"})

    shown = said(shell, capsys, "%lab SELECT error($text)")

    assert "\\x1b[2J\\u202eevil" in shown


def shown(shell: InteractiveShell, value: object) -> tuple[str, str]:
    formats, _ = shell.display_formatter.format(value)
    return formats["text/html"], formats["text/plain"]


def test_an_answer_does_nothing_to_a_page_or_a_terminal(run: Run, shell: InteractiveShell) -> None:
    shell.push({"text": "<script>\x1b[2J\u202e</script>"})

    html, plain = shown(shell, run("%lab SELECT $text AS t, 1 AS n"))

    assert "&lt;script&gt;\\x1b[2J\\u202e" in html
    assert "1 row" in html
    assert "\\x1b[2J" in plain
    assert not {"\x1b", "\u202e"} & {*html, *plain}


def test_frames_of_others_are_shown_as_before(run: Run, shell: InteractiveShell) -> None:
    own = pl.DataFrame({"a": [1]})
    run("%lab SELECT 1 AS a")

    assert shown(shell, own) == (own._repr_html_(), repr(own))


def test_a_formatter_of_ones_own_is_kept(run: Run, shell: InteractiveShell) -> None:
    shell.run_line_magic("unload_ext", "pjais_lab")
    printers = shell.display_formatter.formatters["text/html"].type_printers
    assert pl.DataFrame not in printers
    printers[pl.DataFrame] = lambda frame: "mine"
    shell.run_line_magic("load_ext", "pjais_lab")

    assert shown(shell, run("%lab SELECT 1 AS a"))[0] == "mine"
    shell.run_line_magic("unload_ext", "pjais_lab")
    assert printers.pop(pl.DataFrame)(None) == "mine"


def test_without_an_open_lab_it_says_how_to_open_one(
    run: Run, lab: pj.Lab, shell: InteractiveShell
) -> None:
    lab.close()

    with pytest.raises(NotFoundError, match="No variable holds an open lab. Write lab = pj.open"):
        run("%lab SELECT 1")
    with pytest.raises(ClosedError, match=r"The lab 'lab' is closed. Write lab = pj.open\('"):
        run("%lab -l lab SELECT 1")


def test_unloading_takes_everything_back(lab: pj.Lab, shell: InteractiveShell) -> None:
    shell.run_line_magic("unload_ext", "pjais_lab")

    assert shell.find_line_magic("lab") is None
    assert shell.find_cell_magic("lab") is None
    assert shell.Completer.custom_matchers == []
    shell.run_line_magic("load_ext", "pjais_lab")
    assert shell.find_cell_magic("lab") is not None


def test_unloading_gives_a_magic_of_that_name_back(shell: InteractiveShell) -> None:
    shell.run_line_magic("unload_ext", "pjais_lab")
    shell.register_magic_function(lambda line: line, "line", "lab")
    own = shell.find_line_magic("lab")

    shell.run_line_magic("load_ext", "pjais_lab")
    shell.run_line_magic("reload_ext", "pjais_lab")
    shell.run_line_magic("unload_ext", "pjais_lab")

    assert shell.find_line_magic("lab") is own
    assert shell.find_cell_magic("lab") is None


def test_unloading_closes_the_live_queries_of_cells(run: Run, shell: InteractiveShell) -> None:
    live = run(f"%%lab --live\n{COUNT}")

    shell.run_line_magic("unload_ext", "pjais_lab")

    assert live.is_closed


def test_help_tells_how_to_write_it(shell: InteractiveShell) -> None:
    text = shell.object_inspect_text("%%lab")

    assert "AT '2026-11-01 14:30'" in text
    assert "--live" in text
