"""Settings of the workspace."""

from __future__ import annotations

from pjais_lab.settings.collection import Settings
from pjais_lab.settings.tables import DECLARATIONS

__all__ = ["DECLARATIONS", "Settings"]
