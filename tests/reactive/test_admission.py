from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pjais_lab.core.event import Event, event
from pjais_lab.core.ids import natural_id
from pjais_lab.core.merge import Last, src
from pjais_lab.core.registry import Registry
from pjais_lab.core.table import Table
from pjais_lab.errors import RejectedError
from pjais_lab.reactive._admission import ERASED_EPOCH, Stamp, admit
from pjais_lab.reactive.commit import prepare


@event("v1.OwnerCreated", entity="persona", effect="create")
class OwnerCreated(Event):
    name: str


@event("v1.OwnerErased", entity="persona", effect="erase")
class OwnerErased(Event):
    pass


@event("v1.NoteKept", entity="note", effect="create", persona="required")
class NoteKept(Event):
    text: str


@event("v1.NoteTorn", entity="note", effect="delete")
class NoteTorn(Event):
    pass


@event("v1.NoteCited", entity="note", effect="update", refs={"by": "note"})
class NoteCited(Event):
    by: str


OWNERS = Table(
    "owners", "persona", {"name": Last("VARCHAR", (src(OwnerCreated, "name"),))}, ("name",)
)
NOTES = Table("notes", "note", {"text": Last("VARCHAR", (src(NoteKept, "text"),))})
REGISTRY = Registry().add(OwnerCreated, OwnerErased, NoteKept, NoteTorn, NoteCited, OWNERS, NOTES)
ADA, BOB, NOTE, OTHER = (natural_id(n) for n in ("ada", "bob", "note", "other"))


class Known:
    """A state that is a dictionary."""

    def __init__(
        self, lives: Mapping[str, tuple[int, str | None]], names: Mapping[str, str] | None = None
    ) -> None:
        self.lives = lives
        self.names = names or {}

    def epochs(self, kind: str, ids: Sequence[str]) -> Mapping[str, tuple[int, str | None]]:
        del kind
        return {i: self.lives[i] for i in ids if i in self.lives}

    def taken(self, table: str, column: str, values: Sequence[Any]) -> Mapping[Any, str]:
        del table, column
        return {v: self.names[v] for v in values if v in self.names}


def _admit(known: Known, *drafts: Any) -> list[Stamp]:
    return admit(prepare(drafts, REGISTRY, 10_000, 0), REGISTRY, known)


def test_a_batch_sees_what_it_created_before() -> None:
    stamps = _admit(
        Known({}),
        OwnerCreated("Ada").on(entity=ADA),
        NoteKept("x").on(persona=ADA, entity=NOTE),
        NoteTorn().on(entity=NOTE),
        NoteKept("again").on(persona=ADA, entity=NOTE),
    )

    assert [s.epoch for s in stamps] == [1, 1, 2, 3]
    assert [s.persona_id for s in stamps] == [ADA] * 4


def test_an_update_takes_the_persona_of_its_entity() -> None:
    known = Known({ADA: (1, ADA), NOTE: (1, ADA)})

    (stamp,) = _admit(known, NoteTorn().on(entity=NOTE))

    assert stamp == Stamp(ADA, 2)


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (NoteKept("x"), "belongs to a persona"),
        (NoteKept("x").on(persona=BOB), "which does not exist"),
        (NoteKept("x").on(persona=ADA, entity=NOTE), "exists already"),
        (NoteTorn().on(entity=OTHER), "which does not exist"),
        (NoteTorn(), "does not say which note"),
        (NoteCited(OTHER).on(entity=NOTE), "names in 'by' the note"),
        (NoteTorn().on(persona=BOB, entity=NOTE), "not of"),
        (OwnerCreated("Ada"), "already has the name 'Ada'"),
    ],
)
def test_what_does_not_fit_the_state_is_refused(draft: Any, sentence: str) -> None:
    known = Known({ADA: (1, ADA), NOTE: (1, ADA)}, {"Ada": ADA})

    with pytest.raises(RejectedError, match=sentence):
        _admit(known, draft)


def test_an_erased_persona_never_comes_back() -> None:
    known = Known({ADA: (ERASED_EPOCH, ADA)})

    with pytest.raises(RejectedError, match="erased for good"):
        _admit(known, OwnerCreated("Ada").on(entity=ADA))
    with pytest.raises(RejectedError, match="erased for good"):
        _admit(known, NoteKept("x").on(persona=ADA))


def test_a_name_is_free_again_when_its_owner_is_erased_in_the_same_batch() -> None:
    known = Known({ADA: (1, ADA)}, {"Ada": ADA})

    stamps = _admit(known, OwnerErased().on(entity=ADA), OwnerCreated("Ada").on(entity=BOB))

    assert [s.epoch for s in stamps] == [ERASED_EPOCH, 1]


def test_two_of_one_batch_cannot_share_a_unique_name() -> None:
    with pytest.raises(RejectedError, match="share 'Ada'"):
        _admit(Known({}), OwnerCreated("Ada"), OwnerCreated("Ada"))
