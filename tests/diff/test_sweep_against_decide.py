"""Findings are where verdicts begin: true at the top of a region, false just above, and none is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from cedar_agreement import TODAY, sides

from permmigrate.cedar import Atom
from permmigrate.diff.compare import compare
from permmigrate.diff.decide import state_at, verdict_at
from permmigrate.diff.value import Capability, Diff, Finding, RegionKind, Verdict
from permmigrate.entitlements import Entitlements, Holding
from permmigrate.model import PrincipalRef, PrincipalType
from random_accounts import account

SEEDS = range(200, 225)


class Case:
    """One account compared, and the engine's answers place by place."""

    def __init__(self, seed: int) -> None:
        made = account(seed)
        self.engine: Entitlements = sides(made)[0]
        with pytest.MonkeyPatch.context() as patched:  # what the sweep finds, before anything is settled
            patched.setattr("permmigrate.diff.compare.settled", lambda diff, *_: diff)
            self.diff: Diff = compare(
                made.snapshot, made.tables, today=TODAY, tool_version="0", assigned=made.assigned
            )
        self.holdings: dict[tuple[PrincipalRef, str], Holding] = {
            (principal, holding.scope): holding
            for principal in self.engine.principals
            for holding in self.engine.holdings(principal)
        }
        self.states: dict[object, object] = {}

    def verdict(self, holding: Holding, atom: int, folder: str | None, collection: str | None) -> Verdict:
        key = (id(holding), folder, collection)
        if key not in self.states:
            tree = self.engine.trees[holding.scope]
            self.states[key] = state_at(holding, tree, folder, [collection] if collection else [])
        return verdict_at(self.states[key], atom)  # type: ignore[arg-type]

    def atoms(self, finding: Finding, holding: Holding) -> list[int]:
        """The atoms that a finding's capabilities stand for, read from their words."""
        universe = self.engine.universe(holding.scope)
        wanted = [self.diff.capabilities[number] for number in finding.capabilities]
        return [
            bit
            for bit in universe.bits(holding.valid)
            if any(_means(capability, universe.atoms[bit]) for capability in wanted)
        ]

    def held(self) -> Iterator[tuple[Finding, Holding]]:
        """Each finding with the holding of its principal, and of each member it stands for."""
        for finding in self.diff.findings:
            members = [PrincipalRef(PrincipalType.USER, member) for member in finding.others]
            for principal in (finding.principal, *members):
                yield finding, self.holdings[principal, finding.region.environment_id]


@cache
def case(seed: int) -> Case:
    return Case(seed)


def _means(capability: Capability, atom: Atom) -> bool:
    namespace = atom.action_type.removesuffix("Action").removesuffix("::")
    action = atom.action if namespace == "Cloudinary" else f"{namespace}::{atom.action}"
    resource = atom.resource_type.removeprefix("Cloudinary::")
    named = f"{resource} {atom.entity_id}" if atom.entity_id else resource
    if resource == "Feature" and not atom.entity_id:
        named = "Feature *"
    if capability.action not in (action, "any") or capability.resource != named:
        return False
    tests = dict(atom.tests)
    for condition in capability.condition.split(" and ") if capability.condition else ():
        name, _, value = condition.partition(" is ")
        if tests[name] != (None if value.startswith("not ") else value):
            return False
    return True


def _place(finding: Finding) -> tuple[str | None, str | None]:
    content = finding.region.content_id or None
    region = finding.region  # an account's policy may name a folder, though none lies in the account
    is_folder = region.kind is RegionKind.FOLDER or region.label.startswith("the account, folder")
    return (content, None) if is_folder else (None, content)


@pytest.mark.parametrize("seed", SEEDS)
def test_findings_are_true_and_begin_at_their_region(seed: int) -> None:
    """Each atom of a finding has its verdict at the top of the region, and another just above."""
    this = case(seed)
    for finding, holding in this.held():
        tree = this.engine.trees[holding.scope]
        folder, collection = _place(finding)
        atoms = this.atoms(finding, holding)
        assert atoms
        for atom in atoms:
            assert finding.verdict is this.verdict(holding, atom, folder, collection)
            if finding.region.kind in (RegionKind.FOLDER, RegionKind.COLLECTION):
                parent = tree.parents[tree.index[folder]] if folder else -1
                above = tree.ids[parent] if parent >= 0 else None
                assert finding.verdict is not this.verdict(holding, atom, above, None)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_difference_is_left_out(seed: int) -> None:
    """Whatever differs anywhere is in a finding of that verdict at the place or above it."""
    this = case(seed)
    covered: dict[tuple[int, Verdict, str | None, str | None], set[int]] = {}
    for finding, holding in this.held():
        key = (id(holding), finding.verdict, *_place(finding))
        covered.setdefault(key, set()).update(this.atoms(finding, holding))
    for holding in this.holdings.values():
        universe, tree = this.engine.universe(holding.scope), this.engine.trees[holding.scope]
        collections = holding.before.collections.keys() | holding.after.collections.keys()
        places: list[tuple[str | None, str | None, int]] = [(None, None, universe.full)]
        places += [(folder, None, universe.folder_mask) for folder in tree.ids]
        places += [(None, name, universe.collection_mask) for name in collections]
        for folder, collection, mask in places:
            chain = [None, *(tree.ancestor_ids(tree.index[folder]) if folder else ())]
            for atom in universe.bits(holding.valid & mask):
                verdict = this.verdict(holding, atom, folder, collection)
                if verdict is not Verdict.UNCHANGED:
                    keys = [(id(holding), verdict, above, None) for above in chain]
                    keys.append((id(holding), verdict, None, collection))
                    assert any(atom in covered.get(key, ()) for key in keys), (folder, collection, verdict)


@pytest.mark.parametrize("seed", SEEDS)
def test_folders_are_counted_as_they_are(seed: int) -> None:
    """A region's folders are those of its subtree, less every branch where the verdict ends for any atom."""
    this = case(seed)
    for finding, holding in this.held():
        if finding.region.kind is not RegionKind.FOLDER:
            assert 0 == finding.region.folders
            continue
        atoms = this.atoms(finding, holding)
        assert _count(this, finding, holding, atoms, finding.region.content_id) == finding.region.folders


def _count(this: Case, finding: Finding, holding: Holding, atoms: list[int], folder: str) -> int:
    if any(this.verdict(holding, atom, folder, None) is not finding.verdict for atom in atoms):
        return 0
    tree = this.engine.trees[holding.scope]
    below = [tree.ids[i] for i, parent in enumerate(tree.parents) if parent == tree.index[folder]]
    return 1 + sum(_count(this, finding, holding, atoms, child) for child in below)


def test_the_accounts_have_something_to_find() -> None:
    """The seeds above hold findings of every verdict and kind of region, and findings for members."""
    found = Counter((f.verdict, f.region.kind) for seed in SEEDS for f in case(seed).diff.findings)

    assert {v for v in Verdict if v is not Verdict.UNCHANGED} == {verdict for verdict, _ in found}
    assert set(RegionKind) == {kind for _, kind in found}
    assert any(f.others for seed in SEEDS for f in case(seed).diff.findings)
    assert any(f.region.folders > 1 for seed in SEEDS for f in case(seed).diff.findings)
