"""What can happen to a setting of the workspace."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pjais_lab.core.event import Draft, Event, HasId, event
from pjais_lab.core.fields import Slug
from pjais_lab.core.ids import natural_id

__all__ = ["SettingChanged", "SettingCleared", "setting_id"]


def setting_id(key: str) -> str:
    """The id of the one setting of that key, the same in every workspace."""
    return natural_id("setting", key)


@event("v1.SettingChanged", entity="setting", effect="put")
class SettingChanged(Event):
    """A setting has a new value; the last one written counts.

    Attributes:
        key: its name, lower case.
        value: any JSON.
    """

    key: Slug
    value: Any

    def on(
        self,
        persona: HasId | str | None = None,
        entity: HasId | str | None = None,
        *,
        at: datetime | None = None,
        cause: str | None = None,
    ) -> Draft:
        """As for every event; the setting's id follows from its key.

        Raises:
            RejectedError: an id is not UUID text.
        """
        key: Any = self.key  # nothing is checked before the commit
        natural = setting_id(key) if isinstance(key, str) else None
        return super().on(persona, entity or natural, at=at, cause=cause)


@event("v1.SettingCleared", entity="setting", effect="delete")
class SettingCleared(Event):
    """A setting is no longer set."""
