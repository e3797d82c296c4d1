"""What type checkers make of the public API. Checked by `make lint`, never run."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import assert_type

import polars as pl

import pjais_lab as pj
from pjais_lab.conversations.collection import Conversations
from pjais_lab.core.predicate import Predicate
from pjais_lab.formats import Report
from pjais_lab.memories.collection import Memories, Memory
from pjais_lab.personas.collection import Personas
from pjais_lab.reactive.commit import Commit
from pjais_lab.reactive.computed import Computed
from pjais_lab.settings.collection import Settings
from pjais_lab.simulation import SimulationReport
from pjais_lab.storage.changes import RebuildReport
from pjais_lab.storage.verify import VerifyReport
from pjais_lab.views.persona_card import PersonaCard


@pj.event("v1.BookRead", entity="book", effect="create", persona="required")
class BookRead(pj.Event):
    """An event as a user declares it."""

    title: str
    pages: int = 0


def opening(path: Path) -> None:
    """A lab, from text or a path, also as a context manager."""
    assert_type(pj.open(path), pj.Lab)
    with pj.open("my-lab", create=False, registry=pj.Registry()) as lab:
        assert_type(lab, pj.Lab)
        assert_type(lab.path, Path)
        assert_type(lab.position, int)


def asking(lab: pj.Lab) -> None:
    """Questions are answered with polars frames, now, then and from now on."""
    assert_type(lab.query("SELECT 1"), pl.DataFrame)
    assert_type(lab.at("2026-11-01"), pj.PastLab)
    assert_type(lab.at(7).query("SELECT $n", n=1), pl.DataFrame)
    live = lab.live("SELECT count(*) FROM memories")
    assert_type(live, pj.LiveQuery)
    assert_type(live.frame, pl.DataFrame)
    assert_type(live.elapsed_ms, float)
    assert_type(live.version, int)
    assert_type(live.stale, bool)
    assert_type(live.error, str | None)


def computing(lab: pj.Lab) -> None:
    """A computed value has the type that its function returns."""

    def height(frame: pl.DataFrame) -> int:
        return frame.height

    assert_type(pj.computed(height, lab.live("SELECT 1")), Computed[int])


async def waiting(live: pj.LiveQuery) -> None:
    """Waiting gives the frame waited for."""
    assert_type(await live.changed(), pl.DataFrame)
    assert_type(await live.wait_for(lambda frame: frame.height > 1, timeout_s=1), pl.DataFrame)
    async for frame in live:
        assert_type(frame, pl.DataFrame)


def domain(lab: pj.Lab) -> None:
    """Personas are models, memories are values."""
    assert_type(lab.personas, Personas)
    assert_type(lab.memories, Memories)
    assert_type(lab.conversations, Conversations)
    assert_type(lab.settings, Settings)
    ada = lab.personas.create("Ada", traits=pj.BigFive(openness=80))
    assert_type(ada, pj.PersonaModel)
    assert_type(lab.personas["Ada"], pj.PersonaModel)
    assert_type(lab.personas.get("Ada"), pj.PersonaModel | None)
    assert_type(lab.personas.id_of("Ada"), str)
    assert_type(ada.id, str)
    assert_type(ada.big_five, pj.BigFive)
    assert_type(ada.is_active, bool)
    memory = lab.memories.record(ada, "The engine hums.", importance=0.8, tags=["engine"])
    assert_type(memory, Memory)
    assert_type(lab.memories.link(memory, memory, "evidence"), str)


def committing(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    """Events are drafts until they are committed."""
    draft = BookRead("Emma", 474).on(ada)
    assert_type(draft, pj.Draft)
    assert_type(lab.commit(draft, expected=3, key="once"), Commit)
    with lab.batch():
        assert_type(lab.commit(draft).seq_last, int)
        assert_type(lab.commit(draft).records, tuple[pj.Record, ...])


def declaring(lab: pj.Lab) -> None:
    """A table is merges of event fields."""
    title, pages = pj.src(BookRead, "title"), pj.src(BookRead, "pages")
    table = pj.Table(
        "books",
        "book",
        {
            "title": pj.Last("VARCHAR", (title,)),
            "first_title": pj.First("VARCHAR", (title,)),
            "pages": pj.Sum("BIGINT", (pages,)),
            "longest": pj.Max("BIGINT", (pages,)),
            "shortest": pj.Min("BIGINT", (pages,)),
            "readings": pj.Count("BIGINT", (pj.src(BookRead, const=1),)),
            "is_read": pj.Any("BOOLEAN", (pj.src(BookRead, const=True),)),
            "titles": pj.Union("VARCHAR[]", (title,)),
        },
    )
    assert_type(table, pj.Table)
    lab.declare(BookRead, table)


def keeping(lab: pj.Lab) -> None:
    """What looks after a workspace reports what it did."""
    assert_type(lab.seal(), int)
    assert_type(lab.verify(), VerifyReport)
    assert_type(lab.rebuild("memories", verify=True), list[RebuildReport])
    assert_type(lab.load("smallville/"), Report)
    assert_type(lab.simulate(personas=3, days=1, start=date(2026, 10, 5)), SimulationReport)


def looking(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    """Views say the query behind them and what it answers."""
    card = pj.views.PersonaCard(lab, ada)
    assert_type(card, PersonaCard)
    assert_type(card.sql, str)
    assert_type(card.frame, pl.DataFrame)
    assert_type(card.error, str | None)
    assert_type(pj.views.LabStatus(lab, title="Lab").to_html(), str)
    table = pj.views.Table(lab.live("FROM memories"), selection=pj.Selection())
    assert_type(table.selected, pl.DataFrame)
    assert_type(table.python, str)
    memories = pj.views.MemoryTable(lab, ada, selection=table.selection, sort=[("tier", "asc")])
    assert_type(memories.picked, list[str])
    assert_type(memories.selected, pl.DataFrame)
    machine = pj.views.TimeMachine(lab, at="2026-11-01", against="now", table="memories")
    assert_type(machine.lab, pj.PastLab)
    assert_type(machine.diff, pl.DataFrame)
    timeline = pj.views.Timeline(lab, by="name", selection=table.selection, follow=False)
    assert_type(timeline.selected, pl.DataFrame)
    log = pj.views.EventLog(
        lab, names=["v1.PersonaCreated"], persona=ada, selection=table.selection
    )
    assert_type(log.selected, pl.DataFrame)
    past = lab.at(7)
    assert_type(past.position, int)
    assert_type(pj.views.EventLog(past, persona=ada).frame, pl.DataFrame)
    assert_type(pj.views.Timeline(past, by="actor").frame, pl.DataFrame)
    board = lab.dashboard(views=[["Lab"], [pj.views.panel("Mine", Count), card]], shown=["Lab"])
    assert_type(board, pj.views.Dashboard)
    assert_type(board.selected, pl.DataFrame)
    assert_type(board.selection, pj.Selection)


def selecting() -> None:
    """Predicates are values; a selection holds them by name."""
    brush = pj.Selection({"age": pj.Interval("age", 18, 30)})
    brush["name"] = pj.OneOf("name", ["Ada", None]) & ~pj.IsNull("age")
    brush["text"] = pj.Contains("engine", ["content"]) | pj.Matches("^v1", ["name"])
    assert_type(brush.sql, str)
    assert_type(brush["age"], Predicate)
    assert_type(brush.where(excluding="age"), Predicate | None)


def failing(error: pj.LabError) -> None:
    """Errors carry a hint."""
    assert_type(error.hint, str | None)
    assert_type(error.message, str)
    raise pj.errors.RejectedError("no", hint="yes") from error


class Count(pj.views.View):
    """A view of one's own."""

    module = "export function draw({ view, kit }) { return kit.html`<p>${view.title}</p>`; }"

    def __init__(self, lab: pj.Lab, *, title: str = "Count") -> None:
        super().__init__(title)
        self.follow("n", lab.live("SELECT count(*) FROM memories"), is_main=True)

    @pj.views.answer
    def double(self, *, n: int) -> int:
        """Answers the browser."""
        return 2 * n


class Shelf(pj.views.ActingView):
    """A view of one's own from which somebody acts."""

    def __init__(self, lab: pj.Lab) -> None:
        super().__init__("Shelf")
        self.lab = lab

    def _asks(self, *, ids: list[str]) -> pj.views.Question:
        return pj.views.Question("Burn them?", [f"{len(ids)} books leave the shelf."], "Burn")

    @pj.views.act("Burn…", asks=_asks, destroys=True)
    def burn(self, run: pj.views.Run, *, ids: list[str], why: str = "") -> pj.views.Done:
        """Acts."""
        burnt = [assert_type(i, str) for i in run.each(ids)]
        done = run.commit(self.lab, *(BookRead("Emma", 474).on(i) for i in burnt))
        assert_type(run.stands(done.seq_first), bool)
        return pj.views.Done(f"Burnt {len(burnt)}.", undo=lambda again: again.title)


UNTYPED = (pj.LastMap, pj.LastSet, pj.Upcaster)
"""Public names with nothing above that a checker could get wrong."""
