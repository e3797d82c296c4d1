"""Conversations: who spoke with whom, and what was said."""

from __future__ import annotations

from pjais_lab.conversations.collection import Conversations
from pjais_lab.conversations.tables import DECLARATIONS

__all__ = ["DECLARATIONS", "Conversations"]
