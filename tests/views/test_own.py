"""A view of the user's own: a Python class and a JavaScript module, in a notebook or a file."""

from __future__ import annotations

from pathlib import Path

import pytest

import pjais_lab as pj
from pjais_lab.errors import ViewError
from pjais_lab.views._runtime import LOADER
from tests.views.conftest import Wire

DRAW = "export function draw({ view, kit }) { return kit.html`<p>${view.title}</p>`; }"
COUNT = "SELECT count(*) AS memories FROM memories"


class Count(pj.views.View):
    """How many memories there are."""

    module = DRAW

    def __init__(self, lab: pj.Lab, *, title: str = "Count") -> None:
        super().__init__(title)
        self.follow("n", lab.live(COUNT), is_main=True)

    @pj.views.answer
    def add(self, *, a: int, b: int) -> int:
        return a + b


def test_a_few_lines_make_a_view_that_follows_answers_and_shows_itself_anywhere(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    view = Count(lab)
    (opened,) = wire.of(view, "comm_open")
    wire.show(view)
    lab.memories.record(ada, "The engine hums.")

    wire.until(lambda: wire.of(view, "push"))
    wire.ask(view, "add", a=1, b=2)

    assert opened.data["state"]["_esm"].startswith(DRAW)
    assert wire.answers().parts == {"value": 3}
    assert view.sql == COUNT
    assert view.frame.item() == 1
    assert "memories" in view.to_html()
    with pytest.raises(TypeError, match=r"Count\(\) takes no keyword 'titel'"):
        Count(lab, titel="x")


def test_its_module_may_be_a_file(wire: Wire, lab: pj.Lab, tmp_path: Path) -> None:
    path = tmp_path / "count.js"
    path.write_text(DRAW)

    class Filed(Count):
        module = path

    (opened,) = wire.of(Filed(lab), "comm_open")

    assert opened.data["state"]["_esm"].startswith(DRAW)
    assert opened.data["state"]["_esm"].endswith(LOADER.replace("(context);", "(context, draw);"))


def test_a_module_that_draws_nothing_is_refused_where_the_class_is_written(tmp_path: Path) -> None:
    with pytest.raises(ViewError, match="The module of a view exports no function 'draw'"):

        class Undrawn(Count):
            module = "export function render() {}"

    with pytest.raises(ViewError, match=r"missing\.js cannot be read: No such file or directory"):

        class Missing(Count):
            module = tmp_path / "missing.js"


def test_a_view_that_says_nothing_of_what_it_shows_is_told_so(wire: Wire, lab: pj.Lab) -> None:
    class Silent(pj.views.View):
        module = DRAW

        def __init__(self) -> None:
            super().__init__("Silent")

    view = Silent()

    with pytest.raises(ViewError, match="Silent does not say what it shows"):
        _ = view.sql
    assert "does not say what it shows" in repr(view._repr_mimebundle_())
