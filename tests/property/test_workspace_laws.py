"""The laws in a real workspace: journal, lake, checkpoint, a second opening, the past."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import pjais_lab as pj
from pjais_lab.core.codec import from_fields
from pjais_lab.core.event import Draft, Event, Record, moment
from pjais_lab.core.ids import natural_id, timestamp_ms
from pjais_lab.core.registry import Registry
from pjais_lab.errors import RejectedError
from pjais_lab.lab.registry import built_in
from pjais_lab.personas.events import PersonaCreated
from pjais_lab.testing import ManualClock
from tests.property.logs import PERSONAS, START_US, expected_rows, fields_of, rows_of
from tests.property.zoo import ZOO, AnimalFed

REGISTRY: Final = built_in().add(*ZOO.events.values(), *ZOO.tables.values())
POOL: Final = {
    kind: [natural_id(kind, str(n)) for n in range(2)]
    for kind in {t.entity for t in REGISTRY.tables.values()}
} | {"persona": PERSONAS[:2]}
HISTORY: Final = "SELECT seq, id::VARCHAR, name FROM events ORDER BY seq"
# Sealing and opening take a second each, so the examples are few and each of them is long.
few = settings(max_examples=3, phases=[Phase.explicit, Phase.reuse, Phase.generate])

# ---------------------------------------------------------------- what is committed

RARE: Final = ("v1.PersonaErased",)


@st.composite
def drafts(draw: st.DrawFn, registry: Registry = REGISTRY) -> Draft:
    """An event that may fit the state: everything is about a few entities of each kind."""
    common = [name for name in registry.events if name not in RARE]
    is_rare = draw(st.integers(0, 19)) == 7
    cls = registry.events[draw(st.sampled_from(RARE if is_rare else common))]
    return draw(drafts_of(cls))


@st.composite
def drafts_of(draw: st.DrawFn, cls: type[Event], number: int | None = None) -> Draft:
    """An event of a definition, about the entity of that number; each belongs to one persona."""
    spec = cls.__event__
    fields = draw(fields_of(cls))
    for field, kind in spec.refs.items():
        if fields.get(field) is not None:
            fields[field] = draw(_references(fields[field], POOL[kind]))
    if number is not None and cls is PersonaCreated:
        fields["name"] = f"Persona {number}"  # both are to be born, and names are unique
    made = from_fields(cls, fields)
    which = draw(st.integers(0, 1)) if number is None else number
    given_entity = None if type(made).on is not Event.on else POOL[spec.entity or ""][which]
    owner = PERSONAS[which] if spec.persona == "required" else None
    world = draw(st.none() | st.integers(-5, 5).map(lambda n: moment(START_US + n * 1_000_001)))
    return made.on(owner, given_entity, at=world)


def _references(value: Any, pool: Sequence[str]) -> st.SearchStrategy[Any]:
    if isinstance(value, list):
        return st.lists(st.sampled_from(pool), max_size=2)
    return st.sampled_from(pool)


@st.composite
def scripts(draw: st.DrawFn) -> list[list[Draft] | str]:
    """Commits of one or several events, with one or two seals, perhaps an opening, in between."""
    births = [
        draw(drafts_of(cls, n))
        for cls in REGISTRY.events.values()
        for n in (0, 1)
        if cls.__event__.effect == "create"
    ]
    step = st.one_of(drafts().map(lambda d: [d]), st.lists(drafts(), min_size=2, max_size=7))
    script: list[list[Draft] | str] = [births]
    for pause in draw(st.sampled_from([["seal"], ["seal", "seal"], ["seal", "reopen"]])):
        script += draw(st.lists(step, min_size=2, max_size=6))
        # A meal is counted, so applying it once more after the checkpoint would show.
        script += [[draw(drafts_of(AnimalFed, 0))], pause]
    return script + draw(st.lists(step, max_size=4))


# ---------------------------------------------------------------- a workspace and its log


class Bank:
    """A workspace and every event that it acknowledged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = ManualClock(START_US // 1000)
        self.records: list[Record] = []
        self.lab = self._open()

    def play(self, script: Sequence[list[Draft] | str]) -> None:
        """Commit, seal and reopen; what the lab refuses must leave no trace."""
        for step in script:
            if step == "seal":
                self.lab.seal()
            elif step == "reopen":
                self.reopen()
            else:
                self._commit(step)

    def reopen(self) -> None:
        """As another process would see it: from the checkpoint and what came after."""
        self.lab.close()
        self.lab = self._open()

    def gone(self, records: Sequence[Record]) -> list[Record]:
        """Those that erase: they reach into every past."""
        return [r for r in records if r.name in RARE]

    def _commit(self, events: Any) -> None:
        self.clock.advance(seconds=1)
        before = self.lab.position
        try:
            self.records += self.lab.commit(*events).records
        except RejectedError:
            assert self.lab.position == before

    def _open(self) -> pj.Lab:
        return pj.open(self.path, registry=REGISTRY, background=False, clock=self.clock)


@contextmanager
def played(script: Sequence[list[Draft] | str]) -> Iterator[Bank]:
    """A workspace after a script, gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        bank = Bank(Path(folder) / "lab")
        try:
            bank.play(script)
            yield bank
        finally:
            bank.lab.close()


def shown(reader: Any) -> Mapping[str, Any]:
    """Every table, as a query gives it."""
    return {name: rows_of(table, reader) for name, table in REGISTRY.tables.items()}


def expected(records: Sequence[Record]) -> Mapping[str, Any]:
    """Every table, by the reference algebra."""
    return {n: expected_rows(t, REGISTRY, records) for n, t in REGISTRY.tables.items()}


# ---------------------------------------------------------------- the laws


@few
@given(scripts())
def test_checkpoint_and_tail_give_what_a_rebuild_gives(script: list[list[Draft] | str]) -> None:
    with played(script) as bank:
        wanted = expected(bank.records)
        live = shown(bank.lab)

        bank.reopen()
        reopened, history = shown(bank.lab), bank.lab.query(HISTORY).rows()
        reports = bank.lab.rebuild(verify=True)

        assert live == wanted
        assert reopened == wanted
        assert history == [(r.seq, r.id, r.name) for r in bank.records]
        assert [r.table for r in reports if not r.is_same] == []
        assert shown(bank.lab) == wanted


@few
@given(scripts(), st.data())
def test_the_past_is_the_fold_of_the_prefix(
    script: list[list[Draft] | str], data: st.DataObject
) -> None:
    with played(script) as bank:
        records, gone = bank.records, bank.gone(bank.records)
        cut = data.draw(st.integers(0, len(records)))
        assume(records)  # erasing can leave none
        then = data.draw(st.sampled_from(records))
        committed_ms, world_us = timestamp_ms(then.id), then.occurred_at

        with bank.lab.at(cut) as by_place:
            assert shown(by_place) == expected(records[:cut] + gone)
        with bank.lab.at(moment(committed_ms * 1000), clock="commit") as by_commit:
            known = [r for r in records if timestamp_ms(r.id) <= committed_ms]
            assert shown(by_commit) == expected(known + gone)
        with bank.lab.at(moment(world_us).replace(tzinfo=UTC)) as by_world:
            happened = [r for r in records if r.occurred_at <= world_us]
            assert shown(by_world) == expected(happened + gone)
