"""Make the README's pictures from the tour as `pjais demo` has run it: `make pictures`."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path

import vl_convert

PICTURES = {"mood-course": "tour.png"}
"""Cell of the tour -> picture beside this file."""

book = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
outputs = {cell["id"]: json.dumps(cell["outputs"]) for cell in book["cells"] if "outputs" in cell}
for cell, name in PICTURES.items():
    found = re.search(r"data:image/svg\+xml;base64,([\w+/=]+)", outputs[cell])
    if found is None:
        sys.exit(f"The cell {cell!r} of {sys.argv[1]} has drawn nothing.")
    svg = base64.b64decode(found[1]).decode()
    Path(__file__).with_name(name).write_bytes(vl_convert.svg_to_png(svg, scale=2))
    print(Path(__file__).with_name(name))
