"""The personas of a lab, by name or id."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from pjais_lab.core.codec import is_text
from pjais_lab.core.event import HasId
from pjais_lab.core.ids import is_id
from pjais_lab.core.markup import one_line, said
from pjais_lab.core.spelling import spelled_methods
from pjais_lab.errors import NotFoundError
from pjais_lab.personas.commands import (
    Revision,
    activate_persona,
    change_mood,
    create_persona,
    erase_persona,
    retire_persona,
    revise_persona,
)
from pjais_lab.personas.model import PersonaModel
from pjais_lab.personas.state import BigFive, Emotion, MemoryConfiguration, PrivacySettings

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.reactive.node import Feeder
    from pjais_lab.reactive.protocol import Committer

__all__ = ["Personas"]


class Profile(TypedDict, total=False):
    """What may be said about a new persona besides name and traits."""

    description: str
    custom_traits: Mapping[str, float]
    template: str | None
    memory_configuration: MemoryConfiguration
    privacy_settings: PrivacySettings
    behaviour: Mapping[str, Any]
    extra: Mapping[str, Any]


@spelled_methods
class Personas:
    """Living personas. ``lab.personas["Ada"]`` is a model whose traits follow the log.

    Args:
        store: where commands go.
        hub: who feeds the models.
    """

    def __init__(self, store: Committer, hub: Feeder) -> None:
        self._store = store
        self._hub = hub

    def create(
        self,
        name: str,
        *,
        traits: BigFive | None = None,
        at: datetime | None = None,
        **profile: Unpack[Profile],
    ) -> PersonaModel:
        """Create a persona.

        Args:
            name: unique among living personas.
            traits: the Big Five; the template's, or 50 each.
            at: when it came into being; now if None.
            profile: description, custom traits, template, settings and foreign fields.

        Raises:
            RejectedError: the name is taken or a field is wrong; nothing was stored.
            NotFoundError: there is no such template.
        """
        done = self._store.commit(create_persona(name, traits=traits, at=at, **profile))
        return PersonaModel(self._hub, done.id)

    def revise(self, persona: HasId | str, **changes: Unpack[Revision]) -> None:
        """Set some fields anew.

        Raises:
            RejectedError: a field is wrong or there is no such persona; nothing was stored.
        """
        self._store.commit(revise_persona(persona, **changes))

    def change_mood(
        self,
        persona: HasId | str,
        emotion: Emotion,
        intensity: float = 50.0,
        *,
        confidence: float = 50.0,
        context: str = "",
        at: datetime | None = None,
    ) -> None:
        """Note how a persona feels.

        Args:
            persona: which, or its id.
            emotion: the primary emotion.
            intensity: 0 to 100.
            confidence: how sure you are, 0 to 100.
            context: what it is about.
            at: when; now if None.

        Raises:
            RejectedError: a field is wrong or there is no such persona; nothing was stored.
        """
        felt = change_mood(
            persona, emotion, intensity, confidence=confidence, context=context, at=at
        )
        self._store.commit(felt)

    def retire(self, persona: HasId | str, reason: str = "") -> None:
        """Set a persona aside and keep its data.

        Raises:
            RejectedError: there is no such persona; nothing was stored.
        """
        self._store.commit(retire_persona(persona, reason))

    def activate(self, persona: HasId | str) -> None:
        """Bring a retired persona back.

        Raises:
            RejectedError: there is no such persona; nothing was stored.
        """
        self._store.commit(activate_persona(persona))

    def erase(self, persona: HasId | str, reason: str = "") -> None:
        """Remove a persona and everything that belongs to it, for good.

        State and journal are rid of it when this returns, the lake's files at the next ``seal``.

        Raises:
            RejectedError: there is no such persona; nothing was stored.
        """
        self._store.commit(erase_persona(persona, reason))

    def get(self, name_or_id: str) -> PersonaModel | None:
        """The persona of a name or id; None when there is none."""
        found = self._found(name_or_id)
        return None if found is None else PersonaModel(self._hub, found)

    def __getitem__(self, name_or_id: str) -> PersonaModel:
        """The persona of a name or id.

        Raises:
            NotFoundError: there is none.
        """
        return PersonaModel(self._hub, self.id_of(name_or_id))

    def id_of(self, name_or_id: str) -> str:
        """The id of the persona of a name or id, without a model that follows it.

        Raises:
            NotFoundError: there is none.
        """
        found = self._found(name_or_id)
        if found is not None:
            return found
        names = self.names
        near = difflib.get_close_matches(str(name_or_id), names, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"The personas are {_some(names)}."
        msg = f"There is no persona {name_or_id!r}."
        raise NotFoundError(msg, hint=hint, name=name_or_id)

    @property
    def names(self) -> list[str]:
        """The names, sorted."""
        return self._store.query("SELECT name FROM personas ORDER BY name")["name"].to_list()

    @property
    def frame(self) -> pl.DataFrame:
        """The personas as a table, by name."""
        return self._store.query("SELECT * FROM personas ORDER BY name")

    def __contains__(self, name_or_id: object) -> bool:
        """Whether a name or id is a living persona's."""
        return isinstance(name_or_id, str) and self._found(name_or_id) is not None

    def __iter__(self) -> Iterator[PersonaModel]:
        """The personas, by name."""
        ids = self._store.query("SELECT id FROM personas ORDER BY name, id")["id"].to_list()
        return (PersonaModel(self._hub, str(i)) for i in ids)

    def __len__(self) -> int:
        """How many there are."""
        return int(self._store.query("SELECT count(*) FROM personas").item())

    def _found(self, name_or_id: str) -> str | None:
        if not is_text(name_or_id):
            return None
        column = "id" if is_id(name_or_id) else "name"
        found = self._store.query(f"SELECT id FROM personas WHERE {column} = $x", x=name_or_id)  # noqa: S608
        return None if found.is_empty() else str(found.item(0, 0))

    def _ipython_key_completions_(self) -> list[str]:
        """What may stand between the brackets."""
        return self.names

    def __repr__(self) -> str:
        """The names, or the first of them."""
        return f"Personas({said(lambda: one_line(_some(self.names, 20), 400))})"


def _some(names: list[str], limit: int = 8) -> str:
    """The first few names, for a message."""
    more = f" and {len(names) - limit:,} more" if len(names) > limit else ""
    return f"{', '.join(names[:limit])}{more}" if names else "none yet"
