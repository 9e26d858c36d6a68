"""What tests of the whole journey share: command lines, a signed plan, and Cedar's word on the outcome."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import openpyxl

from permmigrate.cli import cli
from permmigrate.cli.boundary import run
from permmigrate.diff.decide import state_at
from permmigrate.diff.derive_value import Spot
from permmigrate.diff.verdicts import sides
from permmigrate.diff.witness_request import RequestMaker
from permmigrate.entitlements import AfterAssignment, Entitlements, Holding
from permmigrate.errors import ExitCode
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.translate import translate
from permmigrate.plan.file import load as load_plan
from permmigrate.report.signoff_sheet import HEADINGS, SHEET
from permmigrate.sandbox import Resource, Sandbox
from permmigrate.snapshot import Snapshot

PREFIX = "Cloudinary::"
"""Of the types that `Sandbox.allowed` knows."""


def go(*words: object) -> ExitCode:
    """Run a command line in this process."""
    return ExitCode(run(cli, [str(word) for word in words]))


def applied(plan: str, *options: object) -> ExitCode:
    """Apply a plan by its digest, without a terminal."""
    return go("apply", plan, "--digest", load_plan(Path(plan)).digest, "--yes", "--quiet", *options)


def headline(folder: str) -> str:
    """What a verification found."""
    return str(json.loads(Path(folder, "verify.json").read_text(encoding="utf-8"))["headline"])


def approve(path: Path) -> None:
    """Approve every row of a sign-off workbook, as its owner."""
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    owner, decision = (HEADINGS.index(name) + 1 for name in ("Owner", "Decision"))
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, owner).value = "Ana"
        sheet.cell(row, decision).value = "approve"
    book.save(path)


def holdings(sandbox: Sandbox) -> set[tuple[object, ...]]:
    """Who holds what, without when it was given."""
    return {row[:6] for row in sandbox.account.assignments.rows()}


def wanted(legacy: Snapshot, tables: MappingTables) -> Entitlements:
    """The comparison's two sides."""
    translation = translate(legacy, tables, today=date.today())
    after = tuple(AfterAssignment(each.assignment, str(each.row)) for each in translation.planned)
    return Entitlements(legacy, tables, after, translation)


def answers(sandbox: Sandbox, engine: Entitlements, spots: int, share: float = 1.0) -> Counter[str]:
    """Ask Cedar, from the roles that the sandbox really holds, what the comparison says of "after".

    Every principal is asked about, in the account and every environment, every capability at so many sampled
    places (or a share of all that, sampled). Counts `allowed`, `denied` and `open`: where the comparison says
    maybe. Only the vendor's main namespace can be asked about. Raises AssertionError where the two differ.
    """
    before, sandbox.account.enforced = sandbox.account.enforced, True
    try:
        return Counter(_answers(sandbox, engine, spots, share))
    finally:
        sandbox.account.enforced = before


def _answers(sandbox: Sandbox, engine: Entitlements, spots: int, share: float) -> Iterator[str]:
    chance, maker = Random(5), RequestMaker(engine)
    for principal in engine.principals:
        for holding in engine.holdings(principal):
            universe = engine.universe(holding.scope)
            for spot in _spots(engine, holding, spots, chance):
                folder = spot.folders[0] if spot.folders else None
                state = state_at(holding, engine.trees[holding.scope], folder, spot.collections)
                after = sides(state)[1]
                open_ = after.possible & ~after.sure
                open_ |= state.after_opaque_permit | state.after_opaque_forbid | state.shared_opaque
                for atom in universe.bits(holding.valid):
                    asked = universe.atoms[atom]
                    if chance.random() > share or not asked.resource_type.startswith(PREFIX):
                        continue
                    if open_ >> atom & 1:
                        yield "open"
                        continue
                    expected = bool(after.sure >> atom & 1)
                    request = maker.of(holding.scope, atom, spot)
                    said = sandbox.allowed(
                        principal.type.value,
                        principal.id,
                        holding.scope or None,
                        request.action,
                        Resource(
                            request.resource_type.removeprefix(PREFIX),
                            request.resource_id,
                            request.attributes,
                        ),
                    )
                    assert expected == said, (principal, spot, asked)
                    yield "allowed" if said else "denied"


def _spots(engine: Entitlements, holding: Holding, count: int, chance: Random) -> Iterator[Spot]:
    """In no folder, where something is held, beneath that, and somewhere else."""
    tree = engine.trees[holding.scope]
    yield Spot(holding.scope)
    if not holding.scope:
        return
    held = sorted(holding.after.folders.keys() & tree.index.keys())
    chosen = chance.sample(held, min(len(held), count))
    for folder in list(chosen):
        first = tree.index[folder]
        chosen.append(tree.ids[chance.randrange(first, tree.ends[first])])
    chosen += chance.sample(tree.ids, min(len(tree.ids), 1))
    for folder in dict.fromkeys(chosen):
        yield Spot(holding.scope, tree.ancestor_ids(tree.index[folder]))
    collections = sorted(holding.after.collections)
    for name in chance.sample(collections, min(len(collections), count)):
        yield Spot(holding.scope, (), (name,))
