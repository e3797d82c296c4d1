"""When events happened."""

from pjais_lab.views.timeline.view import Timeline

__all__ = ["Timeline"]
