"""A random user: everything the tests of random use need to act, to commit and to compare."""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Error

from tests.browser.conftest import HERE

WORDS = ("Ada", "note 1", "joy", "fact", "zzz", "", "", "<img src=x onerror=alert(1)>\u202e")
KEYS = (
    *("ArrowDown", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Enter", "Space", "Escape"),
    *("Tab", "Delete", "PageDown", "PageUp", "Home", "End", "Control+End", "b", "d", "a", "m", "p"),
    *("Control+z", "Control+z", "Control+Shift+z", "Control+y"),
)
POINTS = """async (what) => [...document.querySelectorAll('.pj-view')].flatMap((view) =>
    [...view.querySelectorAll(what)].filter((e) => !e.disabled).map((e) => {
        const box = e.getBoundingClientRect();
        const words = e.getAttribute('aria-label') || e.title || e.textContent || e.className;
        return {x: box.x + box.width / 2, y: box.y + box.height / 2, wide: box.width,
            what: `${view.dataset.kind}: ${String(words).trim().slice(0, 60)}`};
    }).filter((p) => p.wide > 0 && p.x > 0 && p.y > 0 && p.x < innerWidth && p.y < innerHeight))"""
CLICKABLE = (
    "button, summary, [role=option], [role=columnheader], [role=gridcell], [role=checkbox], select"
)
PLOTS = ".pj-plot-bar, .pj-tl-plot, input[type=range]"
FOCUS = """async (at) => {
    const stops = [...document.querySelectorAll('.pj-view [tabindex="0"], .pj-view button:not([disabled])')];
    const found = stops[at % Math.max(1, stops.length)];
    found?.focus({preventScroll: true});
    return found ? found.getAttribute('aria-label') ?? found.textContent : null;
}"""
FRONT = """async () => {
    const book = [...jupyterapp.shell.widgets('main')].find((w) => w.content?.widgets);
    if (book && jupyterapp.shell.currentWidget !== book) jupyterapp.shell.activateById(book.id);
}"""
"""A stray click may open another tab."""
STRANGER = """
import random, sys, pjais_lab as pj
lab = pj.open(sys.argv[1], background=False)
{acts}
print("ready", flush=True)
for line in sys.stdin:
    act(*line.split())
    print("done", flush=True)
"""
ACTS = """
def act(what, seed):
    dice = random.Random(int(seed))
    ada = lab.personas["Ada"]
    if what == "record":
        lab.memories.record(ada, f"Note {seed} on the engine.", kind=dice.choice(["fact", "event"]))
    elif what == "burst":
        for n in range(40):
            lab.memories.record(ada, f"Note {seed} of {n}.", importance=dice.random())
    elif what == "mood":
        lab.personas.change_mood(ada, dice.choice(["joy", "anger", "surprise"]), dice.random() * 100)
    elif what == "create":
        lab.personas.create(f"P{seed} <script>window.pwned=1</script>")
    elif what == "boom":  # the fragile query fails while there is one, and heals when it is gone
        lab.memories.record(ada, "boom")
    elif what == "heal":
        for memory in lab.query("SELECT id FROM memories WHERE content = 'boom'")["id"]:
            try:
                lab.memories.forget(str(memory))
            except pj.errors.RejectedError:  # forgotten meanwhile by hand or by the other process
                pass
"""


def asked(book: Any, expression: str, code: str = "") -> Any:
    """What an expression is in the kernel, after some code."""
    found = book.evaluate(
        f"""async ([code, expression]) => {{
            const user_expressions = {{found: expression}};
            const kernel = {HERE}.sessionContext.session.kernel;
            const {{content}} = await kernel.requestExecute({{code, user_expressions}}).done;
            if (content.status !== 'ok') throw new Error(content.evalue);
            const told = content.user_expressions.found;
            if (told.status !== 'ok') throw new Error(told.evalue);
            return told.data['text/plain'];
        }}""",
        [code, f"__import__('json').dumps({expression})"],
        60,
    )
    return json.loads(ast.literal_eval(found))


class Stranger:
    """Another process that commits when told to."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        self._heard("ready")

    def act(self, what: str, seed: int) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(f"{what} {seed}\n")
        self._child.stdin.flush()
        self._heard("done")

    def _heard(self, word: str) -> None:
        assert self._child.stdout is not None
        assert self._child.stdout.readline().strip() == word, "the other process has died"


@contextmanager
def stranger(workspace: Path) -> Iterator[Stranger]:
    code = STRANGER.format(acts=ACTS)
    command = [sys.executable, "-c", code, str(workspace)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        yield Stranger(child)
        assert child.stdin is not None
        child.stdin.close()
        child.wait(20)


class Monkey:
    """Does something at random, and remembers what.

    Args:
        book: the notebook.
        other: another process.
        seed: the same one gives the same choices, though not the same moments.
        cells: how many cells have a view.
    """

    def __init__(self, book: Any, other: Stranger, seed: int, cells: int) -> None:
        self.book, self.other = book, other
        self.dice = random.Random(seed)
        self.cells = cells
        self.done: deque[str] = deque(maxlen=30)
        self.steps = 0
        self.made: dict[str, int] = {}
        self._acts: dict[Callable[[], str | None], int] = {
            self.click: 40,
            self.drag: 12,
            self.press: 16,
            self.type: 8,
            self.scroll: 10,
            self.commit: 14,
            self.commit_elsewhere: 8,
            self.answer_dialog: 3,
            self.run_again: 3,
            self.reload: 1,
            self.restart: 1,
        }

    def step(self) -> None:
        act = self.dice.choices([*self._acts], [*self._acts.values()])[0]
        self.steps += 1
        self.made[act.__name__] = self.made.get(act.__name__, 0) + 1
        self.done.append(f"{self.steps}. {act.__name__} …")
        self.book.evaluate(FRONT)
        said = act()
        self.done[-1] = f"{self.steps}. {act.__name__}: {said}"

    def _point(self, what: str) -> dict[str, Any] | None:
        found = self.book.evaluate(POINTS, what)
        return self.dice.choice(found) if found else None

    def click(self) -> str | None:
        at = self._point(CLICKABLE)
        if at is None:
            return None
        more = self.dice.random() < 0.15
        if more:
            self.book.page.keyboard.down("Shift")
        self.book.page.mouse.click(at["x"], at["y"])
        if more:
            self.book.page.keyboard.up("Shift")
        return f"{at['what']}{' with Shift' if more else ''}"

    def drag(self) -> str | None:
        at = self._point(PLOTS)
        if at is None:
            return None
        mouse, right = self.book.page.mouse, self.dice.uniform(-120, 120)
        mouse.move(at["x"], at["y"])
        mouse.down()
        mouse.move(at["x"] + right, at["y"], steps=4)
        mouse.up()
        return f"{at['what']} by {right:.0f} px"

    def press(self) -> str | None:
        where = self.book.evaluate(FOCUS, self.dice.randrange(1000))
        keys = self.dice.choices(KEYS, k=self.dice.randint(1, 6))
        for key in keys:
            inside = "async () => document.activeElement?.closest('.pj-view') !== null"
            if not self.book.evaluate(inside):
                break  # what had the focus is gone; these keys would be the notebook's
            self.book.page.keyboard.press(key)
        return f"{where}: {' '.join(keys)}"

    def type(self) -> str | None:
        at = self._point("input[type=search]")
        if at is None:
            return None
        self.book.page.mouse.click(at["x"], at["y"])
        word = self.dice.choice(WORDS)
        inside = "async () => document.activeElement?.matches('.pj-view input[type=search]')"
        if not self.book.evaluate(inside):
            return None  # the views above have grown meanwhile: the click went beside it
        self.book.page.keyboard.press("Control+a")
        self.book.page.keyboard.press("Delete")
        self.book.page.keyboard.type(word)
        return f"{at['what']}: {word!r}"

    def scroll(self) -> str | None:
        at = self._point("[role=grid], .pj-scroll")
        if at is None:
            return None
        self.book.page.mouse.move(at["x"], at["y"])
        down = self.dice.choice([-5000, -300, 120, 300, 5000])
        self.book.page.mouse.wheel(0, down)
        return f"{at['what']} by {down}"

    def _what(self) -> tuple[str, int]:
        whats = ["record", "record", "burst", "mood", "mood", "create", "boom", "heal", "heal"]
        return self.dice.choice(whats), self.dice.randrange(10**6)

    def commit(self) -> str:
        what, seed = self._what()
        self.book.execute(f"act({what!r}, {seed})")
        return f"{what} {seed}"

    def commit_elsewhere(self) -> str:
        what, seed = self._what()
        self.other.act(what, seed)
        return f"{what} {seed}"

    def answer_dialog(self) -> str | None:
        buttons = self.book.page.locator("dialog.jp-Dialog button, .pj-view [role=dialog] button")
        if not buttons.count():
            return None
        chosen = buttons.nth(self.dice.randrange(buttons.count()))
        words = chosen.text_content()
        try:
            chosen.click(timeout=1_000)
        except Error:  # it went away by itself
            return None
        return words

    def run_again(self) -> str:
        cell = self.dice.randrange(self.cells) + 1
        self.book.evaluate(
            f"async (at) => {{ {HERE}.content.activeCellIndex = at;"
            " await jupyterapp.commands.execute('notebook:run-cell'); }",
            cell,
        )
        return f"cell {cell}"

    def reload(self) -> str:
        self.book.save()
        self.book.open()
        self.book.start_kernel()
        return "the page"

    def restart(self) -> str:
        self.book.restart_kernel()
        self.book.run_all()
        return "the kernel, and ran all"
