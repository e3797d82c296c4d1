"""Several views in one, on one selection."""

from pjais_lab.views.dashboard.slots import panels
from pjais_lab.views.dashboard.view import Dashboard

__all__ = ["Dashboard", "panels"]
