"""The live tail of a log."""

from pjais_lab.views.event_log.view import EventLog

__all__ = ["EventLog"]
