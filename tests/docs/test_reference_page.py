"""The reference says what the commands and the schemas say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """The generator."""
    spec = importlib.util.spec_from_file_location("docs_reference", ROOT / "docs" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_up_to_date(reference: ModuleType) -> None:
    """Whoever changes a help text or a schema makes the page anew: `make docs`."""
    assert reference.page() == reference.PAGE.read_text(encoding="utf-8"), "run `make docs`"


def test_every_schema_that_ships_is_in_it(reference: ModuleType) -> None:
    """So is every field of every object in one of them."""
    page = reference.page()
    schemas = list((ROOT / "src").rglob("*.schema.json"))
    assert schemas
    for path in schemas:
        assert f"## File: {path.name}" in page
    assert "- `digest`: string" in page
    assert "### plan: operation" in page
