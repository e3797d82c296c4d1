"""Conversations between personas, and with people."""

from __future__ import annotations

from pjais_lab.conversations.tables import DECLARATIONS

__all__ = ["DECLARATIONS"]
