"""Personas: who they are and how they feel."""

from __future__ import annotations

from pjais_lab.personas.tables import DECLARATIONS

__all__ = ["DECLARATIONS"]
