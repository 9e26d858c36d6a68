"""What changing a row would remove: the same as changing it and looking everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from builders import a_key, a_user, api_key, folder, sandbox_catalog, share, snapshot, user
from permmigrate.cedar import Universe
from permmigrate.cedar.words import action_of, condition_of, resource_of
from permmigrate.diff.counterfactuals import Counterfactual, weigh, weigh_causes
from permmigrate.diff.decide import state_at, verdict_at
from permmigrate.diff.lesser import NOTHING, Compared, lesser_changes, lesser_roles, restrict
from permmigrate.diff.value import Capability, Diff, Finding, RegionKind
from permmigrate.entitlements import AfterAssignment, Entitlements, FolderTree, Holding
from permmigrate.mapping.rows import TargetType
from permmigrate.mapping.tables import load
from permmigrate.mapping.translate import translate
from permmigrate.model import PrincipalRef, RoleAssignment, ScopeType
from permmigrate.resources import mappings_dir
from random_accounts import account
from sampling import some

pytestmark = pytest.mark.sampled

Places = tuple[str, ...]
TODAY = date(2026, 11, 22)
SHIPPED = load(mappings_dir())


def compared(seed: int) -> Compared:
    made = account(seed)
    return Compared(made.snapshot, made.tables, TODAY, made.assigned)


def about(found: Diff, holders: set[PrincipalRef]) -> set[tuple[object, ...]]:
    """Everything a comparison says of some principals, by words and not by numbers."""
    return {
        (
            holder,
            finding.verdict,
            finding.region,
            frozenset(found.capabilities[number] for number in finding.capabilities),
            finding.before,
            finding.after,
            finding.causes,
        )
        for finding in found.findings
        for holder in set(finding.principals) & holders
    }


@pytest.mark.parametrize("seed", some(range(400, 415), 5))
def test_a_part_of_the_account_says_what_the_whole_says(seed: int) -> None:
    """Restricted to some principals and their groups, a comparison says the same of them."""
    made = compared(seed)
    whole = made.again()
    everybody = sorted({finding.principal for finding in whole.findings})
    for holders in ({*everybody[::2]}, {*everybody[1::3]}):
        part = replace(
            made,
            snapshot=restrict(made.snapshot, holders),
            assigned=made.assigned and restrict(made.assigned, holders),
        )
        assert about(whole, holders) == about(part.again(), holders)


def _entitlements(made: Compared) -> Entitlements:
    """The whole account after a change, spelt out."""
    if made.assigned is not None:
        after = [AfterAssignment(a, "") for a in made.assigned.assignments]
        later = replace(
            made.snapshot, catalog=made.assigned.catalog, custom_policies=made.assigned.custom_policies
        )
        return Entitlements(later, made.tables, tuple(after), earlier=made.snapshot)
    found = translate(made.snapshot, made.tables, today=TODAY)
    after = [AfterAssignment(p.assignment, str(p.row)) for p in found.planned]
    held = [AfterAssignment(a, "") for a in made.snapshot.assignments]
    return Entitlements(made.snapshot, made.tables, (*after, *held), found)


def _atoms(universe: Universe, capability: Capability) -> Iterator[int]:
    for number, atom in enumerate(universe.atoms):
        action = capability.action in ("any", action_of(atom))
        condition = capability.condition in ("", condition_of(universe, atom))
        if resource_of(atom) == capability.resource and action and condition:
            yield number


def _places(finding: Finding, holding: Holding, tree: FolderTree) -> Iterator[tuple[str | None, Places]]:
    """The places of a finding's region: the folders below it, and the collections where something is held."""
    region = finding.region
    for folder_id in (None, *tree.ids):
        path = "" if folder_id is None else tree.paths[tree.index[folder_id]] + "/"
        inside = region.kind is not RegionKind.FOLDER or path.startswith(region.label + "/")
        if inside and region.kind is not RegionKind.COLLECTION:
            yield folder_id, ()
    for name in {*holding.before.collections, *holding.after.collections}:
        if region.kind is not RegionKind.FOLDER and region.content_id in ("", name):
            yield None, (name,)


def _is_left(finding: Finding, capabilities: tuple[Capability, ...], engine: Entitlements) -> bool:
    """Whether any request of the finding is still an expansion anywhere in its region."""
    scope = finding.region.environment_id
    universe = engine.universe(scope)
    atoms = {n for number in finding.capabilities for n in _atoms(universe, capabilities[number])}
    for holding in engine.holdings(finding.principal):
        if holding.scope == scope:
            tree = engine.trees[scope]
            for place in _places(finding, holding, tree):
                state = state_at(holding, tree, *place)
                if any(holding.valid >> n & 1 and verdict_at(state, n).is_expansion for n in atoms):
                    return True
    return False


@pytest.mark.parametrize("seed", some(range(420, 436), 5))
def test_what_is_removed_is_nowhere_to_be_found(seed: int) -> None:
    """For each cause and change, deciding every request of every finding again agrees."""
    made = compared(seed)
    whole = made.again()
    causes = [cause.ref for cause in whole.causes if cause.expansions]
    for cause in causes[:4]:
        named = [f for f in whole.findings if f.verdict.is_expansion and cause in f.causes]
        changes = dict(lesser_changes(made, cause))
        weighed = weigh(whole, made, cause)
        assert list(changes) == [each.target for each in weighed]
        for each in weighed:
            engine = _entitlements(changes[each.target])
            left = sum(_is_left(finding, whole.capabilities, engine) for finding in named)
            assert (len(named), len(named) - left) == (each.expansions, each.removed), str(each)
            assert 0 <= each.lessened <= left


# ---------------------------------------------------------------- by hand


def test_a_smaller_role_for_keys_is_weighed() -> None:
    """Keys that become Master Admin gain; each lesser role removes more, nothing removes all."""
    made = Compared(snapshot(api_keys=(api_key(), api_key("999999999999999"))), SHIPPED, TODAY)
    found = made.again()

    weighed = weigh(found, made, "api_keys.csv:4")

    assert NOTHING == weighed[-1].target
    assert (weighed[-1].expansions, 0) == (weighed[-1].removed, weighed[-1].lessened)
    assert 0 < weighed[-1].lost
    removed = [each.removed for each in weighed]
    assert sorted(removed) == removed
    assert {"environment/Admin", "environment/Technical Admin"} <= {each.target for each in weighed}
    total = weighed[-1].expansions
    lost = weighed[-1].lost
    assert f"changing `api_keys.csv:4` to nothing removes {total} of {total}, loses {lost}" == str(
        weighed[-1]
    )


def test_numbers_are_told_in_one_sentence() -> None:
    """Thousands are grouped, and what is none is left out."""
    told = str(Counterfactual("user_roles.csv:17", "folder/Viewer", 4300, 4112, 100, 2, 0))

    changed = "changing `user_roles.csv:17` to folder/Viewer"
    assert f"{changed} removes 4,112 of 4,300, lessens 100, adds 2" == told


def test_another_row_that_gives_the_same_leaves_it() -> None:
    """What a second grant gives as well, on a smaller place, is lessened by changing the first."""
    manager = tuple(
        replace(row, target=replace(row.target, name="folder/Manager")) for row in SHIPPED.folder_levels
    )
    made = Compared(
        snapshot(
            users=(user("ana"),),
            folders=(folder("Brands"), folder("Brands/A"), folder("HR")),
            shares=(
                share("Brands", a_user("ana"), "can_view"),
                share("Brands/A", a_user("ana"), "can_contribute", line=3),
                share("HR", a_user("ana"), "can_view", line=4),
            ),
        ),
        replace(SHIPPED, folder_levels=manager),
        TODAY,
    )
    found = made.again()
    nothing = weigh(found, made, "folder_levels.csv:2")[-1]

    named = [f for f in found.findings if f.verdict.is_expansion and "folder_levels.csv:2" in f.causes]
    lonely = [finding for finding in named if finding.region.label == "HR"]
    assert {"Brands", "HR"} <= {finding.region.label for finding in named}
    assert 0 < len(lonely) <= nothing.removed < nothing.expansions == len(named)
    assert 0 < nothing.lessened <= nothing.expansions - nothing.removed


def test_a_bundle_is_weighed_against_lesser_bundles() -> None:
    """A row that gives a bundle is tried with the bundles that hold some of its policies only."""
    made = Compared(snapshot(users=(user("ana", "media_library_admin"),)), SHIPPED, TODAY)
    row = next(row for row in SHIPPED.user_roles if row.legacy_role == "media_library_admin")
    assert TargetType.BUNDLE is row.target.type

    targets = [each.target for each in weigh(made.again(), made, str(row.ref))]

    assert ["Media Library User", NOTHING] == targets


def test_an_assigned_role_is_weighed_in_both_kinds_of_comparison() -> None:
    """A role that is assigned already is tried with lesser roles, beside the tables and later."""
    role = sandbox_catalog().resolve("environment/Admin")
    before = snapshot(users=(user("ana"),), api_keys=(api_key(),))
    held = replace(before, assignments=(RoleAssignment(a_user("ana"), role.id, "env1"),))
    for made in (Compared(held, SHIPPED, TODAY), Compared(before, SHIPPED, TODAY, held)):
        weighed = weigh(made.again(), made, f"assigned {role.id}")
        assert weighed[0].expansions == weighed[-1].removed > weighed[0].removed
        assert NOTHING == weighed[-1].target


def test_what_no_row_makes_is_not_weighed() -> None:
    """A cause without expansions, and one that is neither row nor role, have no change to weigh."""
    made = Compared(snapshot(api_keys=(api_key(),)), SHIPPED, TODAY)
    found = made.again()

    assert () == weigh(found, made, "user_roles.csv:2")
    odd = tuple(replace(finding, causes=("custom policy X",)) for finding in found.findings)
    assert () == weigh(replace(found, findings=odd), made, "custom policy X")
    gone = replace(held := made, tables=replace(SHIPPED, api_keys=()))
    assert () == weigh(found, gone, "api_keys.csv:4")
    assert a_key() in {finding.principal for finding in held.again().findings}


def test_the_first_causes_are_weighed_one_by_one() -> None:
    """Nothing is compared before it is asked for, and causes without expansions are passed over."""
    made = Compared(snapshot(api_keys=(api_key(), api_key("9" * 15, enabled=False))), SHIPPED, TODAY)
    found = made.again()

    lazily = weigh_causes(found, made, 1)
    assert {"api_keys.csv:4"} == {each.cause for each in next(lazily)}
    assert [] == list(lazily)
    assert 2 == len(list(weigh_causes(found, made, 99)))


def test_lesser_roles_are_of_the_same_level() -> None:
    """A lesser role holds some of the policies and no others, at the same level, the largest first."""
    book = sandbox_catalog()
    for role in book.roles.values():
        found = lesser_roles(role, book)
        assert {role.level} >= {each.level for each in found}
        assert all(set(each.policy_ids) < set(role.policy_ids) for each in found)
        assert sorted((len(each.policy_ids) for each in found), reverse=True) == [
            len(each.policy_ids) for each in found
        ]
    assert ScopeType.ENVIRONMENT is book.resolve("folder/Viewer").scope_type
    assert "Viewer" in [each.name for each in lesser_roles(book.resolve("folder/Editor"), book)]
