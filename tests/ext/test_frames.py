"""``%lab frames on``: frames that end a cell are live tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from IPython.core.interactiveshell import InteractiveShell
from ipywidgets.widgets import widget

from pjais_lab.errors import QueryError
from pjais_lab.views.table import Table

Run = Callable[[str], Any]
WIDGET = "application/vnd.jupyter.widget-view+json"
FRAME = pl.DataFrame({"n": [1, 2], "t": ["<b>x</b>", None]})


def shown(shell: InteractiveShell, frame: object) -> dict[str, Any]:
    """What a cell shows that ends with a frame."""
    data: dict[str, Any] = shell.display_formatter.format(frame)[0]
    return data


def tables(shell: InteractiveShell) -> list[Table]:
    """The tables that are open."""
    return [w for w in widget._instances.values() if isinstance(w, Table)]


def test_frames_are_shown_as_ever_until_it_is_on_and_after_it_is_off(
    run: Run, shell: InteractiveShell
) -> None:
    before = shown(shell, FRAME)
    run("%lab frames on")
    live = shown(shell, FRAME)
    run("%lab frames off")
    after = shown(shell, FRAME)

    assert WIDGET not in before
    assert before == after
    assert WIDGET in live
    assert live["text/plain"] == before["text/plain"]
    assert "&lt;b&gt;x" in live["text/html"]
    assert "<b>x" not in live["text/html"]


@pytest.mark.parametrize(
    "frame",
    [FRAME, FRAME.to_arrow(), pd.DataFrame(FRAME.to_dict(as_series=False))],
    ids=["polars", "Arrow", "pandas"],
)
def test_the_table_holds_the_frame(run: Run, shell: InteractiveShell, frame: object) -> None:
    run("%lab frames on")

    model = shown(shell, frame)[WIDGET]["model_id"]

    (table,) = (t for t in tables(shell) if t.model_id == model)
    assert table.frame.rows() == FRAME.rows()


def test_a_pandas_frame_keeps_the_index_that_says_something(
    run: Run, shell: InteractiveShell
) -> None:
    counted = pd.DataFrame({"who": ["Bea", "Ada", "Bea"], "n": [1, 2, 3]})
    by_who = counted.groupby("who").sum()
    run("%lab frames on")

    for frame in (counted, by_who):
        shown(shell, frame)

    plain, grouped = sorted(tables(shell), key=lambda t: t.frame.height, reverse=True)
    assert plain.frame.rows() == [("Bea", 1), ("Ada", 2), ("Bea", 3)]
    assert grouped.frame.rows(named=True) == [{"who": "Ada", "n": 2}, {"who": "Bea", "n": 4}]
    assert by_who.columns.to_list() == ["n"]  # the user's own frame is as it was


def test_a_pandas_frame_whose_index_is_a_column_too_is_shown_with_the_column(
    run: Run, shell: InteractiveShell
) -> None:
    run("%lab frames on")

    shown(shell, pd.DataFrame({"who": ["Bea"], "n": [1]}).set_index("who", drop=False))

    assert [t.frame.rows(named=True) for t in tables(shell)] == [[{"who": "Bea", "n": 1}]]


def test_an_answer_of_lab_is_a_table_too(run: Run, shell: InteractiveShell) -> None:
    run("%lab frames on")

    assert WIDGET in shown(shell, run("%lab SELECT count(*) AS n FROM personas"))


def test_a_frame_that_no_table_can_show_is_shown_as_ever_and_the_reason_is_said(
    run: Run, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run("%lab frames on")

    data = shown(shell, pl.DataFrame())

    assert "shape: (0, 0)" in data["text/plain"]
    assert WIDGET not in data
    said = capsys.readouterr().err
    assert said.startswith("This frame is not shown as a table. QueryError: ")
    assert said.count("\n") == 1


def test_a_frame_beyond_bounds_is_not_copied(
    run: Run, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run("%lab frames on")
    large = pa.table({"n": ["x" * 2_000_000]})
    many = pa.concat_tables([large] * 600)

    data = shown(shell, many)

    assert WIDGET not in data
    assert "GiB and a table copies it" in capsys.readouterr().err


def test_the_oldest_tables_are_closed_and_so_are_all_when_the_extension_goes(
    run: Run, shell: InteractiveShell
) -> None:
    run("%lab frames on")
    before = len(tables(shell))

    for _ in range(25):
        shown(shell, FRAME)
    most = len(tables(shell))
    shell.run_line_magic("unload_ext", "pjais_lab")
    left = len(tables(shell))
    shell.run_line_magic("load_ext", "pjais_lab")

    assert most - before == 20
    assert left == before
    assert WIDGET not in shown(shell, FRAME)


def test_a_table_is_closed_when_its_cell_runs_again(run: Run, shell: InteractiveShell) -> None:
    shell.run_line_magic("unload_ext", "pjais_lab")
    shell.kernel = "of a notebook"
    shell.run_line_magic("load_ext", "pjais_lab")
    run("%lab frames on")
    shell.user_ns["frame"] = FRAME
    before = len(tables(shell))

    for message in ("first", "second"):
        shell.parent_header = {"metadata": {"cellId": "a"}, "header": {"msg_id": message}}
        run("frame")
    twice = len(tables(shell))
    shell.parent_header = {"metadata": {"cellId": "a"}, "header": {"msg_id": "third"}}
    run("1")

    assert twice - before == 1
    assert len(tables(shell)) == before


def test_a_way_of_ones_own_stays(run: Run, shell: InteractiveShell) -> None:
    formatter = shell.display_formatter.mimebundle_formatter
    formatter.for_type(pl.DataFrame, lambda _frame: ({"text/mine": "mine"}, {}))

    run("%lab frames on")
    on = shown(shell, FRAME)
    run("%lab frames off")

    assert on["text/mine"] == "mine"
    assert WIDGET not in on
    assert shown(shell, FRAME)["text/mine"] == "mine"


def test_it_says_how_it_is_and_what_it_takes(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("%lab frames")
    run("%lab frames on")
    run("%lab frames")

    assert capsys.readouterr().out == (
        "Frames are shown as tables: off.\nFrames are shown as tables: on.\n"
    )
    with pytest.raises(QueryError, match="takes on or off; got 'maybe'"):
        run("%lab frames maybe")
