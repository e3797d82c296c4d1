"""Views as marimo carries them; tests/browser/test_hosts.py has the real one."""

from __future__ import annotations

import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.views import _marimo, _runtime


@pytest.fixture
def marimo(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in which a cell of marimo was seen."""
    monkeypatch.setattr(_marimo, "_SEEN", [True])


def say(wire, of, **message: object) -> None:
    data = {"method": "custom", "content": {"page": "page", **message}}
    wire.comms[of.model_id].handle_msg({"content": {"data": data}, "buffers": []})


@pytest.mark.usefixtures("marimo")
def test_in_marimo_a_view_brings_the_bundle_and_answers_on_its_own_comm(wire) -> None:
    table = pj.views.Table(pl.DataFrame({"n": [1, 2]}))

    say(wire, table, t="hello")
    say(wire, table, t="ask", view=table.model_id, op="rows", req=1, args={"start": 0, "count": 9})
    answer = wire.until(lambda: wire.of(table, "answer"))[0]

    assert answer.parts["value"]["n"].to_list() == ["1", "2"]
    assert wire.of(table, "hello")[0].content["main"] is True
    assert table._esm.endswith(_runtime.LOADER)
    assert "Blob" in table._esm
    assert len(table._esm) > len(_runtime.bundle())
    assert _runtime._CURRENT == []
    assert table.get_state()["_rt"] == ""


@pytest.mark.usefixtures("marimo")
def test_when_marimo_closes_a_comm_the_view_lets_go(wire, lab: pj.Lab) -> None:
    lab.personas.create("Ada")
    card = pj.views.PersonaCard(lab, "Ada")
    before = len(lab.live_nodes)

    wire.comms[card.model_id].close()

    assert before > 0
    assert list(lab.live_nodes) == []
    assert repr(card) == "PersonaCard('Ada', closed)"


def test_elsewhere_a_view_carries_a_loader(wire) -> None:
    table = pj.views.Table(pl.DataFrame({"n": [1]}))

    assert table._esm == _runtime.LOADER
    assert not _marimo.is_host()
