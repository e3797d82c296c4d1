"""Memories: what personas remember, and how memories refer to each other."""

from __future__ import annotations

from pjais_lab.memories.collection import Memories, Memory
from pjais_lab.memories.tables import DECLARATIONS

__all__ = ["DECLARATIONS", "Memories", "Memory"]
