"""Policy text that is not Cedar is named with the place where it goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from permmigrate.cedar import Unparsed, parse
from permmigrate.cedar.position import MOST_TOKENS

SAMPLES = json.loads((Path(__file__).parents[1] / "data/vendor_statements.json").read_text(encoding="utf-8"))
VENDOR = SAMPLES["statements"]
HEAD = "permit(principal, action, resource)"


def test_the_vendors_file_has_as_many_statements_as_were_counted() -> None:
    """Twenty-six distinct statements, of which seven are not Cedar."""
    assert (26, 7) == (len(VENDOR), sum(row["error"] is not None for row in VENDOR))


@pytest.mark.parametrize("row", VENDOR, ids=[row["where"].rpartition("components/")[2] for row in VENDOR])
def test_every_statement_of_the_vendors_file(row: dict[str, str | None]) -> None:
    """Each parses, or is refused with what is wrong, its line and column, and what stands there."""
    assert row["statement"] is not None
    parsed = parse(row["statement"])

    assert row["error"] == (parsed.reason if isinstance(parsed, Unparsed) else None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD} when {{ x }};", "invalid variable: x at 1:44"),
        (f"{HEAD}\n  when {{ foo(1) }};", "`foo` is not a valid function at 2:10"),
        (f"{HEAD};\n{HEAD} when {{ resource.a.b( }};", "unexpected token `}` at 2:58"),
        (f"{HEAD};\n\n{HEAD} when {{ resource.x ", "unexpected end of input at 3:54"),
        (f"{HEAD}; // permit(x\n{HEAD} when {{ y }};", "invalid variable: y at 2:44"),
        (f'{HEAD} when {{ "x" == x }};', "invalid variable: x at 1:51"),
        (f"{HEAD} when {{ 1 & 2 }};", "invalid token at 1:46"),
        (f'{HEAD} when {{ resource.a == "\\q" }};', "the input `\\q` is not a valid escape at 1:59"),
        ('permit(principal == A::"x" action, resource);', "unexpected token `action` at 1:28"),
    ],
)
def test_mistakes_are_found_where_they_stand(text: str, said: str) -> None:
    """Of grammar and of meaning, in the statement and on the line they are in."""
    parsed = parse(text)

    assert isinstance(parsed, Unparsed)
    assert parsed.reason.startswith(f"{said}, near `")


def test_an_excerpt_shows_what_is_wrong() -> None:
    """The few characters shown of a long line are those around the mistake."""
    parsed = parse(f"{HEAD} when {{ {'true && ' * 50} wrong {' || true' * 50} }};")

    assert isinstance(parsed, Unparsed)
    assert "wrong" in parsed.reason.partition("near")[2]
    assert len(parsed.reason) < 110


def test_a_very_long_text_is_searched_by_its_statements() -> None:
    """What a machine wrote is not tried token by token."""
    many = f"{HEAD};\n" * (MOST_TOKENS // 8)
    parsed = parse(f"{many}{HEAD} when {{ x }};")

    assert isinstance(parsed, Unparsed)
    assert f"at {MOST_TOKENS // 8 + 1}:44" in parsed.reason
