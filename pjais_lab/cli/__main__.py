"""``python -m pjais_lab.cli``."""

from __future__ import annotations

from pjais_lab.cli.main import main

if __name__ == "__main__":
    main()
