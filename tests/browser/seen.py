"""What a page shows of each view, and what the view's query answers: the same, or it is said."""

from __future__ import annotations

import re
from typing import Any

from tests.browser.conftest import HERE

SEEN = f"""async () => {HERE}.content.widgets.flatMap((cell, index) =>
[...cell.node.querySelectorAll('.pj-view')].map((view) => {{
    const words = (e) => e?.textContent.trim() ?? '';
    const isOwn = (e) => e.closest('.pj-view') === view;  // not of a view in a panel of this one
    const all = (what, inside = grid) => (inside ? [...inside.querySelectorAll(what)].filter(isOwn) : []);
    const grid = all('[role=grid]', view)[0];
    const names = all('[role=columnheader]').map((h) => words(h.querySelector('.pj-col-name') ?? h));
    const rows = all('.pj-grid-body [role=row]');
    const body = (table) => all('tbody tr', table).map((row) => [...row.children].map(words));
    const tables = all('table[aria-label]', view);
    const box = grid?.getBoundingClientRect();
    const at = (row) => row.getBoundingClientRect();
    const isSeen = (row) => at(row).bottom <= box.bottom && at(row).top >= box.top;
    const name = (e) => e.getAttribute('aria-label');
    return {{
        cell: index, kind: view.dataset.kind,
        panel: view.parentElement.closest('.pj-panel')?.getAttribute('aria-label') ?? null,
        panels: all('.pj-panel', view).map(name),
        listed: grid ? name(grid) : '',
        counts: all('.pj-counts > *', view).map(words),
        errors: all('.pj-error', view).map(words),
        chip: words(all('.pj-chip', view).at(-1)),
        rowcount: grid ? Number(grid.getAttribute('aria-rowcount')) : null,
        rows: rows.filter(isSeen).map((row) => {{
            const cells = [...row.querySelectorAll('[role=gridcell]')].map((c, n) => [names[n], words(c)]);
            return [Number(row.getAttribute('aria-rowindex')), Object.fromEntries(cells)];
        }}),
        tables: Object.fromEntries(tables.map((t) => [name(t), body(t)])),
    }};
}}))"""
TELL = """
import gc, math, polars as pl
from pjais_lab.core.markup import visible
def words(value):
    if value is None: return "null"
    if isinstance(value, bool): return "true" if value else "false"
    if isinstance(value, int): return f"{value:,}"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else f"{value:,.4f}".rstrip("0").rstrip(".")
    return visible(value) if isinstance(value, str) else None  # other types are not compared
def then(view):
    '''What was there at a time machine's moment, asked of a lab that is opened there.'''
    with view.lab as past:
        count = lambda table: past.query(f'SELECT count(*) AS n FROM "{table}"')["n"][0]
        told = {"until": count("events"), "there": [[t, words(count(t))] for t in lab.tables]}
    if view._against is not None:
        told["differs"] = {t: some for t, *some in view._diff().counts().iter_rows()}
    return told
def rows(view, listed):
    if not listed.startswith("Changes of"): return view.frame
    return view.diff.with_columns(pl.col("old", "new").str.slice(0, 500))  # so much is sent
def tell(view, at, listed):
    told = {"error": view.error, "rows": {}, "frame": None, "picked": None, "height": None}
    try:
        frame = rows(view, listed)
    except pj.errors.LabError:
        return told
    told["height"] = frame.height
    if "events" in frame.columns: told["events"] = int(frame["events"].sum())
    if frame.height <= 100: told["frame"] = [[words(v) for v in row] for row in frame.iter_rows()]
    for n in at:
        if 0 <= n < frame.height: told["rows"][n] = {k: words(v) for k, v in frame.row(n, named=True).items()}
    if view.kind == "persona_compare":
        found = lab.query(view._queries["memories"].sql)
        ids = [one["persona_id"] for one in view.people()]
        said = lambda some, i: words(int(some.filter(pl.col("persona_id") == i)["memories"].sum()))
        groups = [(v, found.filter(pl.col(by) == v)) for by in ("kind", "tier") for v in found[by].unique()]
        told["memories"] = sorted([v, *(said(some, i) for i in ids)] for v, some in groups)
    if view.kind == "time_machine": told |= then(view)
    if view.kind == "dashboard": told["panels"] = [view.maximised] if view.maximised else view.shown
    if hasattr(view, "picks"): told["picked"] = view.selected.height
    return told
def inside(x):
    return list(x.values()) if isinstance(x, dict) else list(getattr(x, "__dict__", {}).values())
def lost(views):
    '''What is alive beside the views that are shown and the panels of a dashboard.'''
    gc.collect()
    panels = [s.view for v in views for s in getattr(v, "_slots", {}).values()]
    made = [o for o in gc.get_objects() if issubclass(type(o), pj.views.View) and o.__dict__.get("is_ready")]
    alive = [v for v in made if not v._is_shut]
    near = [x for v in alive for x in vars(v).values()]
    near += [y for x in near for y in inside(x)]
    near += [v.__dict__.get("_live") for v in made]  # given by the user, who may still have it
    held = {id(x) for x in near}
    strays = [v for v in alive if not any(v is x for x in [*views, *panels])]
    return [repr(v) for v in strays] + [n.label for n in lab.live_nodes if id(n) not in held]
"""
OWN = re.compile(r"^(ViewError|NotFoundError|RejectedError|QueryError|ClosedError): ")
"""How the kernel begins when it refuses what a user did to rows that have gone meanwhile."""
HEADS = {"event_log": 2}
"""The ``aria-rowindex`` of the first row; 3 in a grid with histograms."""


def places(seen: dict[str, Any]) -> list[int]:
    """Which rows of the view's frame are in sight."""
    first = HEADS.get(seen["kind"], 3)
    return [at - first for at, _ in seen["rows"]]


def differences(seen: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """Where a page shows something else than the kernel tells; none is as it must be."""
    inside = "" if seen["panel"] is None else f", panel {seen['panel']}"
    where = f"cell {seen['cell']} ({seen['kind']}{inside})"
    found = [f"says {seen['chip']!r}"] if "live" not in seen["chip"] else []
    own = told["error"]
    if own is not None and own not in seen["errors"]:
        found.append(f"hides the kernel's error {own!r}: {seen['errors']}")
    found += [f"shows {e!r}" for e in seen["errors"] if e != own and not OWN.match(e)]
    if own is None and told["height"] is not None:
        found += _KINDS[seen["kind"]](seen, told)
    return [f"{where} {f}" for f in found]


def _number(words: str) -> int | None:
    found = re.search(r"\d[\d,]*", words)
    return int(found[0].replace(",", "")) if found else None


def _counted(seen: dict[str, Any]) -> int | None:
    """What a view says first; None before it says anything, as right after the page came anew."""
    return _number(seen["counts"][0]) if seen["counts"] else None


def _rows(seen: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """A grid: how many, and every cell in sight."""
    found = []
    if _counted(seen) != told["height"]:
        found.append(f"counts {seen['counts']}, the kernel {told['height']}")
    found += _listed(seen, told)
    picked = [_number(c) for c in seen["counts"] if "picked" in c]
    if seen["kind"] == "table" and picked and picked[0] != told["picked"]:
        found.append(f"says {picked[0]} picked, the kernel {told['picked']}")
    return found


def _listed(seen: dict[str, Any], told: dict[str, Any]) -> list[str]:
    found = []
    height = told["height"]
    if seen["rowcount"] != height + 2:
        found.append(f"has {seen['rowcount']} rows, the kernel {height} and two heads")
    if height and not seen["rows"]:
        found.append("shows no row")
    for place, (at, cells) in zip(places(seen), seen["rows"], strict=True):
        want = told["rows"].get(str(place))
        if want is None:
            found.append(f"shows a row {at} that is not there")
            continue
        wrong = {n: (c, want[n]) for n, c in cells.items() if want.get(n) not in {None, c}}
        found += [f"row {place}: {wrong}"] if wrong else []
    return found


def _log(seen: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """The log: how many, and the name of every event in sight."""
    found = []
    if _counted(seen) != told["height"]:
        found.append(f"counts {seen['counts']}, the kernel {told['height']}")
    for place, (at, cells) in zip(places(seen), seen["rows"], strict=True):
        want = told["rows"].get(str(place))
        if want is None:
            found.append(f"shows a row {at} that is not there")
        elif want["name"].removeprefix("v1.") not in " ".join(cells.values()):
            found.append(f"row {place}: {cells}, the kernel {want['name']}")
    return found


def _table(label: str) -> Any:
    def check(seen: dict[str, Any], told: dict[str, Any]) -> list[str]:
        shown = seen["tables"].get(label, [])
        return [] if shown == told["frame"] else [f"{label}: {shown}, the kernel {told['frame']}"]

    return check


def _compared(seen: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """Personas compared: how many memories each has of every kind and in every tier."""
    shown = sorted(seen["tables"].get("Memories by kind and tier", []))
    want = told["memories"]
    return [] if shown == want else [f"memories: {shown}, the kernel {want}"]


def _sum(seen: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """The timeline: how many events."""
    want = told.get("events", 0)
    return [] if _counted(seen) == want else [f"counts {seen['counts']}, the kernel {want}"]


def _moment(seen: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """The time machine: how much was there, what differs, and every cell in sight."""
    shown = seen["tables"].get("Rows of each table at the moment", [])
    differs = told.get("differs")
    want = [[*row, *_signed(differs, row[0])] for row in told["there"]]
    found = []
    if [row[:-1] for row in shown] != want:  # the last one is a drawing
        found.append(f"rows of each table: {shown}, the kernel {want}")
    if [_number(c) for c in seen["counts"][1:]] != [told["until"]]:
        found.append(f"counts {seen['counts']}, the kernel {told['until']} events until then")
    return found + _listed(seen, told)


def _signed(differs: dict[str, list[int]] | None, table: str) -> list[str]:
    if differs is None:
        return []
    counts = differs.get(table, [0, 0, 0])
    return [f"{sign}{n:,}" if n else "·" for sign, n in zip("+−~", counts, strict=True)]


def _panels(seen: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """The dashboard: which panels are open; the views in them are looked at by themselves."""
    want = told["panels"]
    return [] if seen["panels"] == want else [f"shows {seen['panels']}, the kernel {want}"]


_KINDS = {
    "table": _rows,
    "memory_table": _rows,
    "event_log": _log,
    "lab_status": _table("Rows of each table"),
    "persona_card": _table("Memories by kind and tier"),
    "persona_compare": _compared,
    "timeline": _sum,
    "time_machine": _moment,
    "dashboard": _panels,
}
