"""How the views' benchmarks measure, and how they say it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from tests.browser.conftest import HERE

PAINTED = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
NOW = "((performance.timeOrigin + performance.now()) / 1000)"
"""The page's clock in seconds, the same as the kernel's."""
QUIET = f"""async () => {{
    const kernel = {HERE}.sessionContext.session.kernel;
    let heard = performance.now();
    const hear = () => {{ heard = performance.now(); }};
    kernel.anyMessage.connect(hear);
    const isLoud = () => performance.now() - heard < 700 || kernel.status !== 'idle';
    while (isLoud()) await new Promise((go) => setTimeout(go, 50));
    kernel.anyMessage.disconnect(hear);
}}"""
"""Waits until kernel and page say nothing more to each other."""
RUN_CELL = f"""async ([index, code, ready]) => {{
    const cell = {HERE}.content.widgets[index];
    const isReady = new Function("node", `return (${{ready}})(node);`);
    {HERE}.content.activeCellIndex = index;
    cell.model.sharedModel.setSource(code);
    await {HERE}.content.scrollToItem(index);
    await {PAINTED};
    const began = performance.now();
    void jupyterapp.commands.execute('notebook:run-cell');
    do await new Promise(requestAnimationFrame); while (!isReady(cell.node));
    await new Promise(setTimeout);
    return performance.now() - began;
}}"""
FRAMES = """async () => {
    window.frames_ms = [];
    let last = performance.now();
    const tick = (now) => {
        window.frames_ms.push(now - last);
        last = now;
        window.ticking = requestAnimationFrame(tick);
    };
    window.ticking = requestAnimationFrame(tick);
}"""
FRAMES_FOUND = (
    "async () => { cancelAnimationFrame(window.ticking); return window.frames_ms.slice(1); }"
)


def p50(found: Sequence[float]) -> float:
    return statistics.median(found)


def p95(found: Sequence[float]) -> float:
    return statistics.quantiles(found, n=20, method="inclusive")[18]


def say(what: str, found: Sequence[float], asked: str = "") -> None:
    """One line: what was measured, its median, its 95th percentile, how often, what is asked."""
    times = f"p50 {p50(found):.1f} ms, p95 {p95(found):.1f} ms, {len(found)} times"
    note(what, f"{times}{f' ({asked})' if asked else ''}")


def note(what: str, found: str) -> None:
    print(f"\n{what}: {found}", end="")


def run_cell(book: Any, index: int, code: str, ready: str) -> float:
    """Milliseconds from running code in a cell, when all is quiet, until its output is painted.

    Args:
        book: the notebook.
        index: of the cell.
        code: put into it.
        ready: a JavaScript function of the cell's node: whether the output is there.
    """
    book.evaluate(QUIET, seconds=60)
    return float(book.evaluate(RUN_CELL, [index, code, ready], 60))


_STRAYS = """function () {
    const isElement = (e) => !Object.hasOwn(e, 'constructor');  // prototypes are found with the rest
    const isOurs = (e) => [...e.classList].some((name) => name.startsWith('pj-'));
    return this.filter((e) => isElement(e) && isOurs(e) && !e.isConnected).length;
}"""


class Heap:
    """A page's memory, as Chromium tells it after a collection."""

    def __init__(self, page: Any) -> None:
        self._devtools = page.context.new_cdp_session(page)

    def mb(self) -> float:
        self._devtools.send("HeapProfiler.enable")
        for _ in range(2):  # what finalizers free goes in the second
            self._devtools.send("HeapProfiler.collectGarbage")
        found = self._devtools.send("Runtime.getHeapUsage")
        return float(found["usedSize"]) / 1e6

    def strays(self) -> int:
        """How many elements of our views are kept that are on no page any more."""
        call = self._devtools.send
        kind = call("Runtime.evaluate", {"expression": "HTMLElement.prototype"})["result"]
        held = call("Runtime.queryObjects", {"prototypeObjectId": kind["objectId"]})["objects"]
        asked = {"objectId": held["objectId"], "functionDeclaration": _STRAYS}
        found = call("Runtime.callFunctionOn", asked)["result"]["value"]
        for one in (kind, held):
            call("Runtime.releaseObject", {"objectId": one["objectId"]})
        return int(found)
