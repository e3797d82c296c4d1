"""The table ``settings``."""

from __future__ import annotations

from typing import Final

from pjais_lab.core.event import Event
from pjais_lab.core.merge import Last, src
from pjais_lab.core.table import Table
from pjais_lab.settings.events import SettingChanged, SettingCleared

__all__ = ["DECLARATIONS", "SETTINGS"]

SETTINGS: Final = Table(
    "settings",
    entity="setting",
    columns={
        "key": Last("VARCHAR", (src(SettingChanged, "key"),)),
        "value": Last("JSON", (src(SettingChanged, "value"),)),
        "changed_at": Last("TIMESTAMP", (src(SettingChanged, "$occurred_at"),)),
    },
    unique=("key",),
    doc="Settings of the workspace that have a value.",
)

DECLARATIONS: Final[tuple[type[Event] | Table, ...]] = (SettingChanged, SettingCleared, SETTINGS)
