"""``%load_ext pjais_lab``: SQL cells over a lab, and live queries that move where they are shown."""

from __future__ import annotations

from pjais_lab.ext.extension import load_ipython_extension, unload_ipython_extension

__all__ = ["load_ipython_extension", "unload_ipython_extension"]
