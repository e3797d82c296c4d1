"""A lab's memories, with what can be done to them."""

from pjais_lab.views.memory_table.view import MemoryTable

__all__ = ["MemoryTable"]
