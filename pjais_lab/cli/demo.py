"""``pjais demo``: build a town, let a second process move it, run the tour, print what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pjais_lab.cli import options
from pjais_lab.cli.attach import attached
from pjais_lab.cli.demo_workspace import DAYS, PERSONAS, SEED, Stopwatch, build
from pjais_lab.cli.exits import Exit
from pjais_lab.cli.notebooks import TOUR, notebook_folder
from pjais_lab.cli.terminal import counted, pairs, say, table, write_json

if TYPE_CHECKING:
    from pjais_lab.lab.lab import Lab

__all__ = ["COMMANDS"]

_SHOWN: Final = 12
_DAYS_SHOWN: Final = 7

_PER_PERSONA: Final = """
    SELECT p.name, p.mood,
           (SELECT count(*) FROM memories m WHERE m.persona_id = p.id) AS memories,
           (SELECT coalesce(sum(recalls), 0) FROM memories m WHERE m.persona_id = p.id)::BIGINT
               AS recalls,
           (SELECT count(*) FROM links l WHERE l.persona_id = p.id) AS links,
           (SELECT count(*) FROM conversations c WHERE c.persona_id = p.id) AS conversations
    FROM personas p ORDER BY memories DESC, p.name
"""
_TIERS: Final = """
    SELECT tier, count(*) AS memories, round(avg(importance), 3) AS importance,
           round(avg(recalls), 2) AS recalls
    FROM memories GROUP BY tier ORDER BY importance DESC
"""
_RECALLED: Final = """
    SELECT p.name, m.recalls, m.content AS memory
    FROM memories m JOIN personas p ON p.id = m.persona_id
    ORDER BY m.recalls DESC, m.importance DESC, m.id LIMIT 5
"""
_MOODS: Final = """
    SELECT p.name, strftime(e.occurred_at, '%Y-%m-%d') AS day,
           mode(e.args->>'emotion' ORDER BY e.args->>'emotion') AS emotion
    FROM events e JOIN personas p ON p.id = e.persona_id
    WHERE e.name = 'v1.PersonaMoodChanged' GROUP BY ALL ORDER BY p.name, day
"""


@click.command()
@options.demo_workspace
@click.option(
    *("--data", "sources"),
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Import this too; may be repeated.",
)
@click.option(
    "--personas", default=PERSONAS, show_default=True, type=click.IntRange(1), help="How many."
)
@click.option("--days", default=DAYS, show_default=True, type=click.IntRange(1), help="How long.")
@click.option("--seed", default=SEED, show_default=True, help="The same seed gives the same town.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="out",
    show_default=True,
    help="Where the notebook that ran and its HTML go.",
)
@options.as_json
def demo(
    path: Path,
    sources: tuple[Path, ...],
    personas: int,
    days: int,
    seed: int,
    out: Path,
    is_json: bool,
) -> Exit:
    """Build a town, run the tour on it and print what it found.

    The workspace is built anew each time. Exit 1 if a cell of the tour failed.
    """
    from pjais_lab.cli.tour import run_tour

    folder = notebook_folder()
    clock = Stopwatch(is_quiet=is_json)
    made = build(path, personas=personas, days=days, seed=seed, sources=sources, clock=clock)
    with attached(path) as lab:
        with clock.timing("live updates by a second process"):
            live = _live_update(lab)
        found = _findings(lab)
    with clock.timing("tour"):
        page, problem = run_tour(folder / TOUR, path, out)
    result = {**made, **found, "live": live, "timings_s": clock.seconds}
    result |= {"html": str(page), "problem": problem}
    if is_json:
        write_json(result)
    else:
        _show(result)
    return Exit.OK if problem is None else Exit.PROBLEMS


def _live_update(lab: Lab) -> dict[str, Any]:
    from pjais_lab.cli.second_process import watch

    return watch(lab)


def _findings(lab: Lab) -> dict[str, Any]:
    return {
        "personas": lab.query(_PER_PERSONA).to_dicts(),
        "tiers": lab.query(_TIERS).to_dicts(),
        "recalled": lab.query(_RECALLED).to_dicts(),
        "moods": lab.query(_MOODS).to_dicts(),
        "events": lab.position,
    }


def _show(found: dict[str, Any]) -> None:
    for report in found["imports"]:
        kinds = ", ".join(counted(n, kind) for kind, n in report["kinds"].items())
        say(f"Imported {report['source']}: {kinds}; {len(report['skipped'])} skipped")
        for warning in report["warnings"]:
            say(f"  warning: {warning}")
    _show_rows("Who lives there", found["personas"])
    _show_rows("What became of their memories", found["tiers"])
    _show_rows("Recalled most", found["recalled"])
    _show_moods(found["moods"])
    say("Live")
    say(_sentence(found["live"]))
    say()
    pairs({k: f"{v:8.3f}" for k, v in found["timings_s"].items()}, title="Seconds")
    say()
    if found["problem"]:
        say(f"The tour failed in {found['problem']}")
    say(f"{found['events']:,} events in {found['workspace']}")
    say(f"The tour, with pictures: {found['html']}")


def _sentence(live: dict[str, Any]) -> str:
    return (
        f"  A second process recorded {live['commits']} memories of {live['persona']}. The live query"
        f" here went\n  from {live['before']:,} to {live['after']:,} by itself,"
        f" {live['median_ms']:.0f} ms after each commit (median; worst {live['worst_ms']:.0f} ms)."
    )


def _show_rows(title: str, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0]) if rows else []
    table(columns, [list(row.values()) for row in rows[:_SHOWN]], title=title)
    if len(rows) > _SHOWN:
        say(f"  … and {len(rows) - _SHOWN} more")
    say()


def _show_moods(moods: list[dict[str, Any]]) -> None:
    days = sorted({str(m["day"]) for m in moods})[-_DAYS_SHOWN:]
    names = list(dict.fromkeys(str(m["name"]) for m in moods))[:_SHOWN]
    felt = {(m["name"], m["day"]): m["emotion"] for m in moods}
    rows = [[name, *(felt.get((name, day), "·") for day in days)] for name in names]
    table(["", *(day[5:] for day in days)], rows, title="Prevailing mood by day")
    say()


COMMANDS: Final = {"demo": demo}
