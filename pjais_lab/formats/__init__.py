"""Importers: foreign files in, ordinary events and an honest report out."""

from __future__ import annotations

from pjais_lab.formats.load import FORMATS, load
from pjais_lab.formats.report import Report, Skipped
from pjais_lab.formats.sniff import Format, Row, sniff

__all__ = ["FORMATS", "Format", "Report", "Row", "Skipped", "load", "sniff"]
