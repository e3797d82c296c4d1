"""What a lab is doing."""

from pjais_lab.views.lab_status.view import LabStatus

__all__ = ["LabStatus"]
