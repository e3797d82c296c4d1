"""Completion of tables, columns and variables, in a real IPython."""

from __future__ import annotations

from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import pjais_lab as pj


def offered(shell: InteractiveShell, text: str) -> list[str]:
    """What IPython offers at ``|``, as Jupyter asks for it."""
    at = text.index("|")
    code = text.replace("|", "")
    with provisionalcompleter():
        found = list(shell.Completer.completions(code, at))
    return [code[: c.start].rsplit("\n", 1)[-1].rsplit(" ", 1)[-1] + c.text for c in found]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("%%lab\nSELECT name FROM per|", ["personas"]),
        ("%%lab\nSELECT * FROM PER|", ["personas"]),
        ("%%lab AT 0 -o x\nSELECT open| FROM personas", ["openness"]),
        ("%%lab\nSELECT p.open|\nFROM personas p", ["p.openness"]),
        ("%%lab\nSELECT p.recal| FROM personas p", []),
        ("%%lab\nSELECT m.recal| FROM personas p JOIN memories AS m", ["m.recalls"]),
        ("%%lab\nSELECT * FROM memories WHERE memories.recal|", ["memories.recalls"]),
        ("%%lab\nSELECT recal| FROM memories", ["recalls"]),
        ("%lab SELECT recal| FROM memories", ["recalls"]),
        ("x = 1\ny = %lab SELECT recal|", ["recalls"]),
        ("%lab fram|", ["frames"]),
        ("%lab frames o|", ["off", "on"]),
        ("%%lab --l|", ["--lab", "--live"]),
        ("%%lab -l la|", ["lab"]),
        ("%%lab\nSELECT $hor|", ["$horizon"]),
        ("%%lab\nSELECT {hor|", ["{horizon"]),
    ],
)
def test_what_fits_at_the_cursor_is_offered(
    shell: InteractiveShell, text: str, words: list[str]
) -> None:
    shell.push({"horizon": 1})

    assert offered(shell, text) == words


def test_columns_of_tables_that_are_not_named_are_not_offered(shell: InteractiveShell) -> None:
    words = offered(shell, "%%lab\nSELECT | FROM personas")

    assert "openness" in words
    assert "importance" not in words
    assert {"memories", "events"} <= set(words)


def test_a_table_of_ones_own_is_offered(shell: InteractiveShell, lab: pj.Lab) -> None:
    @pj.event("v1.BookRead", entity="book", effect="create", persona="required")
    class BookRead(pj.Event):
        title: str

    lab.declare(
        BookRead,
        pj.Table("books", "book", {"title": pj.Last("VARCHAR", (pj.src(BookRead, "title"),))}),
    )

    assert offered(shell, "%%lab\nSELECT b.ti| FROM books b") == ["b.title"]


def test_python_is_completed_as_before(shell: InteractiveShell) -> None:
    shell.push({"horizon": 1})

    assert "horizon" in offered(shell, "hori|")
    assert "recalls" not in offered(shell, "x = 'recal|")
    assert "recalls" not in offered(shell, "%%time\nrecal|")


def test_without_a_lab_nothing_is_offered_and_nothing_breaks(
    shell: InteractiveShell, lab: pj.Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.close()

    assert "recalls" not in offered(shell, "%%lab\nSELECT recal|")
    assert "recalls" not in offered(shell, "%%lab --nope AT\nSELECT recal|")
    assert capsys.readouterr().err == ""


def test_the_lab_that_is_named_is_asked(shell: InteractiveShell, tmp_path: Path) -> None:
    with pj.open(tmp_path / "other", background=False) as other:
        shell.push({"other": other, "past": other.at(0)})

        assert offered(shell, "%%lab -l past\nSELECT recal|") == ["recalls"]
        assert offered(shell, "%%lab -l oth|") == ["other"]
