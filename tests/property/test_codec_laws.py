"""Every declared event survives being stored, whatever it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pjais_lab.core.codec import decode, encode, from_fields
from pjais_lab.core.event import Event
from pjais_lab.errors import RejectedError
from pjais_lab.lab.registry import built_in
from tests.property.logs import contents
from tests.property.zoo import ZOO

EVENTS = [
    pytest.param(definition, id=name)
    for registry in (ZOO, built_in())
    for name, definition in registry.events.items()
]
each_event = pytest.mark.parametrize("definition", EVENTS)
few = settings(max_examples=15)


@each_event
@few
@given(data=st.data())
def test_an_event_comes_back_as_it_was_stored(definition: type[Event], data: st.DataObject) -> None:
    stored = data.draw(contents(definition))

    made = decode(definition, stored)

    assert encode(made) == stored
    assert decode(definition, encode(made)) == made


@each_event
@few
@given(data=st.data())
def test_loose_fields_make_the_event_that_the_stored_text_makes(
    definition: type[Event], data: st.DataObject
) -> None:
    stored = data.draw(contents(definition))
    made = from_fields(definition, _backwards(json.loads(stored)))

    assert encode(made) == stored


@each_event
@few
@given(data=st.data())
def test_a_field_nobody_declared_is_refused_by_name(
    definition: type[Event], data: st.DataObject
) -> None:
    fields = json.loads(data.draw(contents(definition)))

    with pytest.raises(RejectedError, match="there is no field 'colour_of_the_sky'"):
        from_fields(definition, fields | {"colour_of_the_sky": "blue"})


@each_event
@few
@given(data=st.data())
def test_a_value_is_stored_as_given_or_refused(
    definition: type[Event], data: st.DataObject
) -> None:
    """Whatever a field is set to, nothing else comes back."""
    fields = json.loads(data.draw(contents(definition)))
    if not definition.__struct_fields__:
        return
    name = data.draw(st.sampled_from(definition.__struct_fields__))
    odd = data.draw(ODD)

    stored = _stored(definition(**{**_built(definition, fields), name: odd}))

    if stored is not None:
        back = getattr(decode(definition, stored), name)
        assert back == odd or list(back) == list(odd)


ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=3),
    st.binary(max_size=3),
    st.uuids(),
    st.lists(st.text(max_size=2), max_size=2),
    st.dictionaries(st.text(max_size=2), st.floats() | st.binary(max_size=1), max_size=2),
)


def _backwards(value: Any) -> Any:
    """The same JSON with its mappings in another order."""
    if isinstance(value, dict):
        return {k: _backwards(v) for k, v in reversed(value.items())}
    return [_backwards(v) for v in value] if isinstance(value, list) else value


def _built(definition: type[Event], fields: dict[str, Any]) -> dict[str, Any]:
    made = from_fields(definition, fields)
    return {name: getattr(made, name) for name in definition.__struct_fields__}


def _stored(event: Event) -> str | None:
    try:
        return encode(event)
    except RejectedError:
        return None
