"""Live queries move where they are shown; a page is stood in for by what is published to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient

import pjais_lab as pj

Run = Callable[[str], Any]
COUNT = "SELECT count(*) AS n FROM personas"
WAIT_S = 20


class Page(CapturingDisplayPublisher):
    """What was published, and a way to wait for more."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.news = threading.Condition()

    def publish(self, *args: Any, **options: Any) -> None:
        with self.news:
            super().publish(*args, **options)
            self.news.notify_all()

    def shows(self, text: str) -> bool:
        """Wait until the newest output has a text."""

        def is_there() -> bool:
            return bool(self.outputs) and text in self.outputs[-1]["data"]["text/html"]

        with self.news:
            return self.news.wait_for(is_there, WAIT_S)

    @property
    def ids(self) -> list[tuple[str, bool]]:
        """Where each output went, and whether it replaced another there."""
        return [(o["transient"]["display_id"], o["update"]) for o in self.outputs]


@pytest.fixture
def page(shell: InteractiveShell) -> Page:
    """The shell of a kernel, as far as the extension can tell."""
    shell.run_line_magic("unload_ext", "pjais_lab")
    shell.kernel = "of a notebook"
    shell.display_pub = Page()
    shell.run_line_magic("load_ext", "pjais_lab")
    return shell.display_pub


def in_cell(shell: InteractiveShell, cell: str, run: str) -> None:
    """The next code runs in this cell."""
    shell.parent_header = {"metadata": {"cellId": cell}, "header": {"msg_id": run}}


def test_a_live_query_at_the_end_of_a_cell_moves(page: Page, run: Run, lab: pj.Lab) -> None:
    run(f"people = lab.live('{COUNT}')\npeople")
    assert page.shows("at event 0")

    lab.personas.create("Ada")

    assert page.shows("at event 1")
    (first, _), *others = page.ids
    assert others == [(first, True)]
    assert "LiveQuery" in page.outputs[-1]["data"]["text/plain"]


def test_a_cell_of_the_magic_moves(page: Page, run: Run, lab: pj.Lab) -> None:
    run(f"%%lab --live\n{COUNT}")

    lab.personas.create("Ada")

    assert page.shows("at event 1")


def test_a_live_query_that_fails_says_so_where_it_is_shown(
    page: Page, run: Run, lab: pj.Lab
) -> None:
    run("%%lab --live\nSELECT CASE WHEN count(*) > 0 THEN error('boom') END AS n FROM personas")

    lab.personas.create("Ada")

    assert page.shows("boom")


def test_a_burst_is_drawn_a_few_times_and_its_end_is_shown(
    page: Page, run: Run, lab: pj.Lab
) -> None:
    run(f"%%lab --live\n{COUNT}")
    start = time.monotonic()

    for n in range(100):
        lab.personas.create(f"Persona {n}")

    assert page.shows("at event 100")
    assert len(page.outputs) <= 2 + (time.monotonic() - start) / 0.05


def test_a_cell_that_runs_again_lets_go_of_what_it_showed(
    page: Page, run: Run, lab: pj.Lab, shell: InteractiveShell
) -> None:
    in_cell(shell, "a", "1")
    run(f"people = lab.live('{COUNT}')\npeople")
    made = run(f"%%lab --live\n{COUNT}")
    in_cell(shell, "b", "2")
    run("people")
    in_cell(shell, "a", "3")
    run("1 + 1")
    shown = {id for id, _ in page.ids}
    before = len(page.outputs)

    lab.personas.create("Ada")

    assert page.shows("at event 1")
    assert len(shown) == 3
    assert page.ids[before:] == [(page.ids[before - 1][0], True)]
    assert made.is_closed
    assert not shell.user_ns["people"].is_closed


def test_stopping_leaves_the_observers_of_others(
    page: Page, run: Run, lab: pj.Lab, shell: InteractiveShell
) -> None:
    seen = threading.Event()
    people = run(f"people = lab.live('{COUNT}')\npeople")
    people.observe(lambda _: seen.set(), "frame")

    shell.run_line_magic("unload_ext", "pjais_lab")
    lab.personas.create("Ada")

    assert seen.wait(WAIT_S)
    assert len(page.outputs) == 1
    assert not people.is_closed


def test_a_terminal_prints_it_once(
    run: Run, lab: pj.Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    people = run(f"people = lab.live('{COUNT}')\npeople")
    lab.personas.create("Ada")
    assert people.frame.item() == 1

    assert capsys.readouterr().out.count("LiveQuery") == 1


def test_in_a_real_kernel_the_output_above_is_redrawn(tmp_path: Path) -> None:
    cells = [
        f"%load_ext pjais_lab\nimport pjais_lab as pj\nlab = pj.open({str(tmp_path / 'x')!r})",
        f"%%lab --live -o people\n{COUNT}",
        "import threading\nseen = threading.Event()\npeople.observe(lambda _: seen.set(), 'frame')\n"
        "lab.personas.create('Ada')\nassert seen.wait(20)\n"
        "for t in threading.enumerate():\n    t.join() if t.name == 'pjais-moving' else None",
        "lab.close()",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])

    NotebookClient(book, kernel_name="python3", timeout=60).execute()

    (output,) = book.cells[1].outputs
    assert "at event 1" in output["data"]["text/html"]
    assert [c.outputs for c in book.cells[2:]] == [[], []]
