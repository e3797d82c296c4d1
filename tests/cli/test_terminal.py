from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjais_lab.cli.terminal import counted, listed, plain, safe, table, write_csv


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("a\rb\x08", "a\\rb\\x08"),
        ("\x9b31m", "\\x9b31m"),
        ("line\nbreak", "line\\nbreak"),
        ("half \ud800", "half \\ud800"),
        ("\ufeffbom\u00ad", "\\ufeffbom\\xad"),
        ("naïve café 東京", "naïve café 東京"),
        ("👩\u200d🔬", "👩\u200d🔬"),
    ],
)
def test_text_that_acts_on_a_terminal_is_shown_as_escapes(text: str, shown: str) -> None:
    assert safe(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_shown_has_no_control_character_and_encodes(text: str) -> None:
    shown = safe(text)

    assert shown.encode().decode() == shown
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (2023, "2023"),
        (0.0937590001, "0.093759"),
        (0.0, "0.0"),
        (1e-7, "1e-07"),
        (12345.678, "12345.678"),
        (datetime(2023, 2, 13, 8, tzinfo=UTC), "2023-02-13 08:00:00+00:00"),
        (["a", "\x1b"], '["a", "\\u001b"]'),
    ],
)
def test_cells_read_as_one_would_write_them(value: object, shown: str) -> None:
    assert plain(value) == shown


def test_a_table_takes_no_markup_and_does_not_cut_cells_in_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table(["text", "n"], [["[bold]x[/bold] \x1b[2J" + "y" * 100, 7]])

    assert "[bold]x[/bold] \\x1b[2J" + "y" * 100 in capsys.readouterr().out


def test_csv_in_a_file_is_unaltered_and_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(["a", "b"], [['say "hi"', None], ["x,y", 1]])

    assert capsys.readouterr().out == 'a,b\r\n"say ""hi""",\r\n"x,y",1\r\n'


@pytest.mark.parametrize(
    ("n", "noun", "text"),
    [(1, "memory", "1 memory"), (2105, "memory", "2,105 memories"), (0, "day", "0 days")],
)
def test_a_number_agrees_with_its_noun(n: int, noun: str, text: str) -> None:
    assert counted(n, noun) == text


def test_a_list_in_a_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    listed("fields", [f"field_{n}\x1b" for n in range(40)])

    assert capsys.readouterr().out.count("\n") == 1
