"""Settings of a workspace that belong to its data."""

from __future__ import annotations

from pjais_lab.settings.tables import DECLARATIONS

__all__ = ["DECLARATIONS"]
