"""Old events read through upcasters are what new ones would have been; their bytes stay."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pjais_lab.core.codec import decode
from pjais_lab.core.event import Event, Record, event
from pjais_lab.core.merge import First, Last, Sum, Union, src
from pjais_lab.core.registry import Registry
from pjais_lab.core.table import Table
from pjais_lab.core.upcast import Upcaster, upcast
from tests.property.logs import Bench, cuts, expected_rows, logs, renumbered, rows_of


@event("v3.LetterSent", entity="letter", effect="put")
class LetterSent(Event):
    """As it is today."""

    recipients: list[str]
    pages: int = 1
    stamp: str | None = None


def _split(fields: dict[str, Any]) -> dict[str, Any]:
    """v1 had one recipient, v2 a list of them."""
    fields["recipients"] = [fields.pop("recipient")]
    return fields


def _count(fields: dict[str, Any]) -> dict[str, Any]:
    """v2 had the text, v3 has its length."""
    fields["pages"] = len(fields.pop("text"))
    return fields


LETTERS: Final = Table(
    "letters",
    entity="letter",
    columns={
        "recipients": Union("VARCHAR[]", (src(LetterSent, "recipients"),)),
        "first_stamp": First("VARCHAR", (src(LetterSent, "stamp"),)),
        "last_pages": Last("BIGINT", (src(LetterSent, "pages"),)),
        "pages": Sum("BIGINT", (src(LetterSent, "pages"),)),
    },
)
TODAY: Final = Registry().add(LetterSent, LETTERS)
CHAIN: Final = TODAY.add(
    Upcaster("v1.LetterSent", "v2.LetterSent", _split),
    Upcaster("v2.LetterSent", "v3.LetterSent", _count),
)
BENCHES: Final = {"today": Bench(TODAY), "chain": Bench(CHAIN)}
few = settings(max_examples=15, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def older(record: Record, version: int) -> Record:
    """The event as an older version of the code would have written it."""
    fields = json.loads(record.args) if record.args else None
    if fields is not None and version < 3:
        fields["text"] = "x" * fields.pop("pages", 1)
    if fields is not None and version < 2:
        fields["recipient"] = fields.pop("recipients")[0]
    args = None if fields is None else json.dumps(fields)
    return msgspec.structs.replace(record, name=f"v{version}.LetterSent", args=args)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Record], list[Record]]:
    """The same letters, written by today's code and by several versions of it."""
    natives, mixed = [], []
    for record in draw(logs(TODAY, LETTERS, most=10)):
        fields = json.loads(record.args) if record.args else None
        if fields is not None:
            fields |= {"pages": abs(fields.get("pages", 1)), "recipients": fields["recipients"][:1]}
        native = (
            record if fields is None else msgspec.structs.replace(record, args=json.dumps(fields))
        )
        versions = [3] if fields is not None and not fields["recipients"] else [1, 2, 3]
        natives.append(native)
        mixed.append(older(native, draw(st.sampled_from(versions))))
    return natives, mixed


@few
@given(histories(), st.data())
def test_old_versions_give_the_rows_that_new_ones_give(
    history: tuple[list[Record], list[Record]], data: st.DataObject
) -> None:
    natives, mixed = history
    expected = expected_rows(LETTERS, TODAY, natives)

    batches = data.draw(cuts(renumbered(data.draw(st.permutations(mixed)))))
    found = rows_of(LETTERS, BENCHES["chain"].after(batches))

    assert found == expected
    assert rows_of(LETTERS, BENCHES["today"].after([natives])) == expected


@few
@given(histories())
def test_upcasting_leaves_the_stored_bytes(history: tuple[list[Record], list[Record]]) -> None:
    _, mixed = history

    state = BENCHES["chain"].after([mixed])

    shown = state.query("SELECT name, args::VARCHAR AS args FROM events ORDER BY seq").rows()
    assert shown == [(r.name, r.args) for r in mixed]


@few
@given(histories())
def test_every_chain_ends_in_the_event_of_today(
    history: tuple[list[Record], list[Record]],
) -> None:
    for native, old in zip(*history, strict=True):
        if old.args is None or native.args is None:
            continue
        before = json.loads(old.args)
        name, fields = upcast(old.name, before, CHAIN.upcasters)

        assert name == "v3.LetterSent"
        assert decode(LetterSent, json.dumps(fields)) == decode(LetterSent, native.args)
        assert before == json.loads(old.args)
