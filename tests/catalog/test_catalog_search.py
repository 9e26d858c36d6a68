"""Roles and policies by words."""

from __future__ import annotations

import pytest

from builders import sandbox_catalog
from permmigrate.catalog import search

BOOK = sandbox_catalog()


@pytest.mark.parametrize("one", [*BOOK.roles.values(), *BOOK.policies.values()], ids=lambda one: one.id)
def test_an_id_is_found_first(one: object) -> None:
    """Whoever types a whole id sees that thing on top."""
    assert one == search(BOOK, one.id).hits[0].found  # type: ignore[attr-defined]


def test_names_come_before_statements() -> None:
    """What is called so comes before what only mentions it."""
    hits = search(BOOK, "delete assets").hits

    assert "Delete assets" == hits[0].found.name
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(
        "delete" in str(hit.found).casefold() and "assets" in str(hit.found).casefold() for hit in hits
    )


def test_every_word_must_be_there() -> None:
    """More words find less, and the order of words does not matter."""
    wide, narrow = search(BOOK, "folder").hits, search(BOOK, "Folder VIEWER").hits

    assert {h.found.id for h in narrow} < {h.found.id for h in wide}
    assert narrow == search(BOOK, "viewer folder").hits


def test_a_slip_is_helped() -> None:
    """When nothing is found the nearest words are offered; when there is nothing near, none are."""
    assert "webhooks" in search(BOOK, "webhoks").suggestions
    assert () == search(BOOK, "zzzzzz").suggestions
    assert () == search(BOOK, " - ").hits
