"""A random user for a minute, or for `make monkey` twenty: no view shows what its query does not."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pjais_lab as pj
from tests.browser.conftest import HERE, SHOTS
from tests.browser.measuring import Heap
from tests.browser.monkey import ACTS, FRONT, Monkey, asked, stranger
from tests.browser.seen import SEEN, TELL, differences, places

SECONDS = float(os.environ.get("PJAIS_MONKEY_S", "60"))
SEED = int(os.environ.get("PJAIS_MONKEY_SEED", "1"))
EVERY = 15
PATIENCE_S = 20
HEAP_MB = 25
"""Over the beginning. Some 4 are measured after 300 acts, most of it compiled code."""
STRAYS = 3_000
"""What is still to be collected, and what JupyterLab keeps of the last outputs."""
HIGH = {"width": 1280, "height": 5000}  # every cell is in sight
BARE = """
addEventListener('load', () => document.head.append(Object.assign(document.createElement('style'), {
    textContent: '.jp-Notebook-footer { display: none !important; }'})));
new MutationObserver((_, observer) => {
    const config = document.getElementById('jupyter-config-data');
    if (!config) return;
    observer.disconnect();
    const said = JSON.parse(config.textContent);
    said.disabledExtensions.push('@jupyterlab/cell-toolbar-extension');
    config.textContent = JSON.stringify(said);
}).observe(document, {childList: true, subtree: true});
"""
"""A click below the last view adds a cell, which is no fault of a view. And JupyterLab keeps every toolbar
of a cell that ever became the active one, 0.07 MB an act, which would hide what we keep."""
TOOLBAR = "async () => jupyterapp.hasPlugin('@jupyterlab/cell-toolbar-extension:plugin')"
HEAD = """
import random, pjais_lab as pj
lab, brush = pj.open({workspace!r}, background=False), pj.Selection()
if lab.query("FROM personas WHERE name = 'Bea'").is_empty():
    lab.personas.create("Bea")
FRAGILE = '''SELECT content, CASE WHEN content = 'boom' THEN CAST(content AS INT) ELSE 1 END AS n
    FROM memories ORDER BY id'''
MEMORIES = "SELECT id::VARCHAR AS entity_id, content, kind, importance FROM memories ORDER BY id"
"""
MADE = {
    "LabStatus": "(lab)",
    "PersonaCard": "(lab, 'Ada')",
    "Table": "(lab.live(MEMORIES), selection=brush)",
    "EventLog": "(lab, selection=brush)",
    "Timeline": "(lab, selection=brush)",
    "MemoryTable": "(lab, selection=brush)",
    "TimeMachine": "(lab, selection=brush)",
    "PersonaCompare": "(lab, ['Ada', 'Bea'], selection=brush)",
}


def calls() -> list[str]:
    """The call of every view there is, and one whose query fails at times."""
    found = [f"pj.views.{name}{given}" for name, given in MADE.items() if hasattr(pj.views, name)]
    return [*found, "pj.views.Table(lab.live(FRAGILE), title='Fragile')", "lab.dashboard()"]


NOT_OURS = (
    "Active cell not at endpoint of selection",  # a Shift-click beside a view meets another active cell
    # A stray click has turned the debugger on, and the kernel restarts.
    "Could not restore the debugger state",
    "Canceled future for debug_request",
)
"""What JupyterLab itself says."""
UNBORN = "[anywidget] Failed to initialize model."
"""Of a model that the kernel closed while the page was still making it, as of a cell that is run again
right after the page was loaded anew. A view that is there and hears nothing is found by comparing."""


class Checker:
    """Compares page and kernel when all is quiet.

    Args:
        book: the notebook, all cells run.
        views: how many cells have a view, from the second on.
    """

    def __init__(self, book: Any, views: int) -> None:
        self.book, self.views = book, views
        self.troubles: list[str] = []
        self.checks = 0
        self._heap = Heap(book.page)
        self._first_mb = 0.0
        self._sources = self._cells()
        book.page.on("pageerror", self._failed)
        book.page.on("console", self._logged)

    def begin(self) -> None:
        """Note what must stay."""
        self.compare()
        self._first_mb = self._heap.mb()

    def compare(self) -> None:
        """Wait until page and kernel agree in everything.

        Raises:
            AssertionError: they do not in time; it says where.
        """
        deadline = time.monotonic() + PATIENCE_S
        while (found := self._faults()) and time.monotonic() < deadline:
            self.book.page.wait_for_timeout(500)
        assert not found, "\n".join(found)
        self.checks += 1
        strays = self._heap.strays()
        assert strays < STRAYS, f"the page holds {strays:,} elements of views that are gone"
        mb = self._heap.mb()
        assert not self._first_mb or mb - self._first_mb < HEAP_MB, f"the page's heap: {mb:.0f} MB"

    def _faults(self) -> list[str]:
        self.book.evaluate(FRONT)  # a stray click may have opened another tab
        seen = self.book.evaluate(SEEN)
        shown = {(s["cell"], s["panel"]) for s in seen}
        found = [d for s, t in zip(seen, self._told(seen), strict=True) for d in differences(s, t)]
        cells = [(n, None) for n in range(1, self.views + 1)]
        panels = [(s["cell"], panel) for s in seen for panel in s["panels"]]
        found += [f"{where} shows no view" for where in [*cells, *panels] if where not in shown]
        views = ", ".join(f"v{n}" for n in range(1, self.views + 1))
        found += [f"not closed: {n}" for n in asked(self.book, f"lost([{views}])", TELL)]
        if self._cells() != self._sources:
            found.append(f"the notebook's cells are others: {self._cells()}")
        if self.book.evaluate("async () => window.pwned ?? null") is not None:
            found.append("hostile text has run")
        return found + self.troubles

    def _told(self, seen: list[dict[str, Any]]) -> list[dict[str, Any]]:
        def call(one: dict[str, Any]) -> str:
            view = f"v{one['cell']}" + (f"[{one['panel']!r}]" if one["panel"] else "")
            return f"tell({view}, {places(one)}, {one['listed']!r})"

        return list(asked(self.book, f"[{', '.join(map(call, seen))}]", TELL))

    def _cells(self) -> list[str]:
        cell = "w.model.type + w.model.sharedModel.source"
        return list(self.book.evaluate(f"async () => {HERE}.content.widgets.map((w) => {cell})"))

    def _failed(self, error: Any) -> None:
        if UNBORN not in str(error):
            self._note("page error", str(error))

    def _logged(self, message: Any) -> None:
        if message.type == "error":
            self._note("console", message.text)

    def _note(self, where: str, words: str) -> None:
        if not any(own in words for own in NOT_OURS):
            self.troubles.append(f"{where}: {words[:400]}")


def test_a_random_user_never_sees_what_a_query_does_not_answer(
    notebook: Callable[..., Any], workspace: Path
) -> None:
    made = calls()
    cells = [f"v{n} = {call}\nv{n}" for n, call in enumerate(made, 1)]
    book = notebook(HEAD.format(workspace=str(workspace)) + ACTS, *cells)
    book.page.set_viewport_size(HIGH)
    book.page.add_init_script(BARE)
    book.open()
    book.start_kernel()
    assert not book.evaluate(TOOLBAR)
    book.run_all()
    checker = Checker(book, len(made))
    checker.begin()
    print(f"\nseed {SEED}, {SECONDS:.0f} s, {len(made)} views")

    with stranger(workspace) as other:
        monkey = Monkey(book, other, SEED, len(made))
        until = time.monotonic() + SECONDS
        try:
            while time.monotonic() < until:
                for _ in range(EVERY):
                    monkey.step()
                checker.compare()
        except BaseException:
            SHOTS.mkdir(parents=True, exist_ok=True)
            book.page.screenshot(path=SHOTS / "random_use.png")
            print(f"\nseed {SEED}, the last of {monkey.steps} steps:", *monkey.done, sep="\n")
            raise
    print(f"{monkey.steps} steps, {checker.checks} checks:", monkey.made)
