from __future__ import annotations

from pjais_lab.storage._lives import Lives


def test_what_was_read_before_something_was_forgotten_is_not_kept() -> None:
    lives = Lives()
    turn = lives.turn
    lives.forget(["another"])

    lives.keep(turn, "persona", {"ada": (1, "ada")})

    assert lives.of("persona", ["ada"]) == ({}, ["ada"])


def test_an_event_makes_only_its_own_entity_unknown() -> None:
    lives = Lives()
    lives.keep(lives.turn, "persona", {"ada": (1, "ada"), "ben": (3, "ben")})
    lives.keep(lives.turn, "memory", {"ada": (5, "ben")})

    lives.forget(["ada", None])

    assert lives.of("persona", ["ada", "ben"]) == ({"ben": (3, "ben")}, ["ada"])
    assert lives.of("memory", ["ada"]) == ({}, ["ada"])


def test_what_is_known_never_outgrows_its_bound() -> None:
    lives = Lives()
    many = {str(n): (1, None) for n in range(3_000)}
    lives.keep(lives.turn, "memory", many)
    lives.keep(lives.turn, "memory", {f"more {n}": (1, None) for n in range(3_000)})

    assert len(lives.of("memory", many)[0]) == 0
    assert len(lives.of("memory", [f"more {n}" for n in range(3_000)])[0]) == 3_000
