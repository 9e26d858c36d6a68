"""What the solver finds hangs on the question alone: not on what was asked before, nor on hash seeds."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date

from permmigrate.diff.compare import compare
from permmigrate.diff.value import Finding
from random_accounts import account

TERMS = """
from permmigrate.cedar.shapes import Schema
from permmigrate.cedar.solve import Known, Prepared, Question, Side
from permmigrate.cedar.statements import documents

TEXT = {"type": "String"}
NAMES = [f"field{number}" for number in range(8)]
NAMED = {"type": "Record", "attributes": {name: TEXT for name in NAMES}}
schema = Schema.of({"C": {
    "entityTypes": {
        "User": {"memberOfTypes": ["Group"]}, "Group": {},
        "Asset": {"shape": {"type": "Record", "attributes": {"one": NAMED, "other": NAMED,
            "group": {"type": "Entity", "name": "Group"}}}},
    },
    "actions": {"read": {}},
}})
text = '''permit(principal, action, resource) when {
    resource.one == resource.other && principal in resource.group
};'''
groups = frozenset(("C::Group", f"g{number}") for number in range(8))
question = Question(
    schema, "C::User", ("C::Action", "read"), "C::Asset", (Side(), Side(documents(text))), Known("u", groups)
)
prepared = Prepared(question)
print(prepared.laws, [term if isinstance(term, bool) else term.sexpr() for term in prepared.allowed])
print(prepared.decide((False, True)))
"""


def settled(seed: int) -> list[Finding]:
    """The settled findings of a random account."""
    made = account(seed)
    today = date(2026, 11, 22)
    diff = compare(made.snapshot, made.tables, today=today, tool_version="0", assigned=made.assigned)
    return [finding for finding in diff.findings if "it is so for some requests" in finding.reason]


def test_what_was_asked_before_changes_no_witness() -> None:
    """An account has the same witnesses whatever other accounts the process compared."""
    first = settled(371)
    settled(370)

    assert any(finding.witness is not None for finding in first)
    assert first == settled(371)


def test_terms_come_in_the_same_order_under_every_hash_seed() -> None:
    """The solver is told the same in the same order, and finds the same."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", TERMS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2", "3")
    ]
    said = [process.communicate()[0] for process in running]

    assert "Sat" in said[0]
    assert 1 == len(set(said))
