"""Personas: who they are and how they feel."""

from __future__ import annotations

from pjais_lab.personas.collection import Personas
from pjais_lab.personas.model import Mood, PersonaModel
from pjais_lab.personas.state import BigFive
from pjais_lab.personas.tables import DECLARATIONS

__all__ = ["DECLARATIONS", "BigFive", "Mood", "PersonaModel", "Personas"]
