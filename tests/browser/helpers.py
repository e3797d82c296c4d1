"""What the browser tests of every view use; their fixtures lie in conftest.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.browser.conftest import HERE, ROOT

STRANGER = """
import sys, pjais_lab as pj
with pj.open(sys.argv[1], background=False) as lab:
    lab.personas.change_mood(lab.personas["Ada"], "surprise", 88.0)
"""
SNAPSHOTS = f"[...{HERE}.context.model[Symbol.for('pjais_lab.saves')].values()].join('')"
LONG_CELL = f"""async () => {{
    const code = "import threading; threading.Event().wait(50)";
    const future = {HERE}.sessionContext.session.kernel.requestExecute({{code}});
    window.isDone = false;
    void future.done.then(() => {{ window.isDone = true; }}, () => undefined);
    await new Promise((begun) => {{
        future.onIOPub = (m) => {{ if (m.header.msg_type === 'execute_input') begun(); }};
    }});
}}"""
HOSTILE = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>\u202egpj.exe\x1b[31m"


def from_elsewhere(workspace: Path, code: str = STRANGER) -> None:
    """Another process commits to the lab: a mood of Ada unless told otherwise."""
    subprocess.run([sys.executable, "-c", code, workspace], check=True, timeout=30)


def faults(found: Any) -> list[str]:
    """What axe-core finds serious or worse in the views on the page."""
    found.page.add_script_tag(path=ROOT / "js/node_modules/axe-core/axe.min.js")
    run = "async () => (await axe.run('.pj-view')).violations"
    serious = [v for v in found.evaluate(run) if v["impact"] in {"serious", "critical"}]
    return [
        f"{v['id']}: {n['html'][:120]} {n['failureSummary']}" for v in serious for n in v["nodes"]
    ]
