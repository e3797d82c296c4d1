"""A plausible, deterministic town: data that may ship."""

from __future__ import annotations

from pjais_lab.simulation.batch import Columns
from pjais_lab.simulation.days import START, generate
from pjais_lab.simulation.write import SimulationReport, simulate

__all__ = ["START", "Columns", "SimulationReport", "generate", "simulate"]
