"""Laws: equal sides differ nowhere, more after never hides a gain, names and order do not matter."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from cedar_agreement import TODAY

from permmigrate.diff.compare import compare
from permmigrate.diff.value import Diff, Verdict
from permmigrate.mapping import Granted, LegacyKind, RowRef
from permmigrate.mapping.rows import BaselineRow, Origin
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import (
    ApiKey,
    Confidence,
    ContentKind,
    ContentRef,
    CustomPolicy,
    EnvironmentId,
    Folder,
    FolderId,
    PrincipalRef,
    PrincipalType,
    ProductEnvironment,
    RoleAssignment,
    RoleId,
    ScopeType,
    Share,
    User,
    UserId,
)
from permmigrate.snapshot import Snapshot
from random_accounts import Account, account, catalog
from sampling import some

pytestmark = pytest.mark.sampled

SEEDS = some(range(100, 125), 8)
ENVIRONMENT = EnvironmentId("env1")


def diff(made: Account) -> Diff:
    return compare(made.snapshot, made.tables, today=TODAY, tool_version="0", assigned=made.assigned)


def baseline(kind: LegacyKind, legacy: str, policies: tuple[str, ...], line: int) -> list[BaselineRow]:
    origin = Origin(RowRef("legacy_baseline.csv", line), "test", Confidence.CUSTOMER)
    yes = [
        BaselineRow(origin=origin, kind=kind, legacy=legacy, policy=policy, granted=Granted.YES)
        for policy in policies
    ]
    return [*yes, BaselineRow(origin=origin, kind=kind, legacy=legacy, policy="*", granted=Granted.NO)]


def same_on_both_sides() -> tuple[Snapshot, MappingTables, Snapshot]:
    """Legacy grants whose baseline is exactly the roles that were assigned in their stead."""
    book = catalog(forbids=False)

    def policies(role: str) -> tuple[str, ...]:
        return tuple(book.roles[RoleId(role)].policy_ids)

    ana = PrincipalRef(PrincipalType.USER, "ana")
    content = ContentRef(ENVIRONMENT, ContentKind.FOLDER, "f1")
    before = Snapshot.of(
        account_id="acc",
        captured_at="2026-11-22T08:00:00Z",
        tool_version="0",
        environments=(ProductEnvironment(ENVIRONMENT, "Env", "env", True),),
        users=(User(UserId("ana"), "Ana", "ana@example.com", "media_library_user"),),
        api_keys=(ApiKey("123", "site", ENVIRONMENT),),
        folders=(Folder(FolderId("f1"), ENVIRONMENT, "A"), Folder(FolderId("f2"), ENVIRONMENT, "A/B")),
        shares=(Share(content, ana, "can_edit", "shares.csv:2"),),
        catalog=book,
        custom_policies=(
            CustomPolicy(
                "c1",
                "No deletes",
                "",
                ScopeType.ENVIRONMENT,
                "all",
                'forbid(principal, action == Cloudinary::Action::"delete", resource);',
            ),
            CustomPolicy(
                "c2",
                "Odd",
                "",
                ScopeType.ENVIRONMENT,
                "all",
                "permit(principal, action, resource is Cloudinary::Folder) unless { resource has name };",
            ),
        ),
    )
    rows = [
        *baseline(
            LegacyKind.USER_ROLE,
            "media_library_user",
            (*policies("system::environment::ml"), "cld::policy::folder::*"),
            2,
        ),
        *baseline(LegacyKind.FOLDER_LEVEL, "can_edit", policies("system::folder::editor"), 3),
        *baseline(LegacyKind.API_KEY, "*", policies("system::environment::master"), 4),
    ]
    after = replace(
        before,
        assignments=(
            RoleAssignment(ana, RoleId("system::environment::ml"), "env1"),
            RoleAssignment(ana, RoleId("system::folder::editor"), "env1", FolderId("f1")),
            RoleAssignment(
                PrincipalRef(PrincipalType.API_KEY, "123"), RoleId("system::environment::master"), "all"
            ),
        ),
    )
    return before, MappingTables(legacy_baseline=tuple(rows)), after


def test_equal_sides_differ_nowhere() -> None:
    """Where the roles assigned mean what the legacy grants meant, there is no finding and nothing unknown."""
    before, tables, after = same_on_both_sides()

    found = compare(before, tables, today=TODAY, tool_version="0", assigned=after)

    assert () == found.findings
    assert "NO EXPANSION PROVED" == found.headline
    assert () == found.uncertainties  # what the odd custom policy tests was decided, too


def test_one_role_less_is_one_loss() -> None:
    """Taking the folder role away again is a loss on the folder, and on nothing else."""
    before, tables, after = same_on_both_sides()
    fewer = replace(after, assignments=tuple(a for a in after.assignments if a.folder_id is None))

    found = compare(before, tables, today=TODAY, tool_version="0", assigned=fewer)

    assert {(Verdict.LOST, "A", 2)} <= {(f.verdict, f.region.label, f.region.folders) for f in found.findings}
    assert {"A"} == {f.region.label for f in found.findings}
    assert not any(f.verdict.is_expansion for f in found.findings)


def test_a_custom_policy_that_came_later_is_an_expansion() -> None:
    """What the later snapshot's custom policies permit was not there before."""
    before, tables, after = same_on_both_sides()
    statement = 'permit(principal == Cloudinary::User::"ana", action, resource is Cloudinary::UploadPreset);'
    new = CustomPolicy("c3", "New", "", ScopeType.ENVIRONMENT, "env1", statement)
    later = replace(after, custom_policies=(*after.custom_policies, new))

    found = compare(before, tables, today=TODAY, tool_version="0", assigned=later)

    assert [("user:ana", Verdict.GAINED, ("custom policy New",))] == [
        (str(f.principal), f.verdict, f.causes) for f in found.findings
    ]


def expansions(found: Diff) -> set[tuple[object, ...]]:
    """(principal, place, capability) of everything that is or may be gained, for members as for groups."""
    return {
        (who, finding.region.environment_id, finding.region.content_id, found.capabilities[number])
        for finding in found.findings
        if finding.verdict.is_expansion
        for who in (finding.principal, *(PrincipalRef(PrincipalType.USER, m) for m in finding.others))
        for number in finding.capabilities
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_more_after_never_hides_an_expansion(seed: int) -> None:
    """With one more permitting role on top, every expansion is still at its place or above it."""
    made = account(seed)
    assigned = made.assigned or made.snapshot
    wanted = [
        role
        for role in made.snapshot.catalog.roles.values()
        if role.level in ("account", "environment") and not role.name.endswith("careful")
    ]
    role = random.Random(seed).choice(wanted)
    holder = PrincipalRef(PrincipalType.USER, made.snapshot.users[0].id)
    scope = None if role.level == "account" else "all"
    more = replace(assigned, assignments=(*assigned.assignments, RoleAssignment(holder, role.id, scope)))

    fewer_found = expansions(diff(replace(made, assigned=assigned)))
    more_found = expansions(diff(replace(made, assigned=more)))

    wider = {
        (who, environment, capability) for who, environment, content, capability in more_found if not content
    }
    assert {key for key in fewer_found - more_found if (key[0], key[1], key[3]) not in wider} == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_names_change_only_names(seed: int) -> None:
    """With other names of people, groups, keys and environments the same findings come out, id by id."""
    made = account(seed)
    snapshot = made.snapshot
    renamed = replace(
        snapshot,
        users=tuple(replace(user, name=f"Z {user.name[::-1]}") for user in snapshot.users),
        groups=tuple(replace(group, name=f"Q {group.name}") for group in snapshot.groups),
        api_keys=tuple(replace(key, name=f"K {key.name}") for key in snapshot.api_keys),
        environments=tuple(replace(e, name=f"E {e.name}") for e in snapshot.environments),
    )

    plain, other = diff(made), diff(replace(made, snapshot=renamed))

    assert Counter(f.id for f in plain.findings) == Counter(f.id for f in other.findings)
    assert plain.capabilities == other.capabilities
    assert plain.counts == other.counts


@pytest.mark.parametrize("seed", SEEDS)
def test_order_does_not_matter(seed: int) -> None:
    """A snapshot put together in another order is the same comparison to the letter."""
    made = account(seed)
    rng = random.Random(seed)
    snapshot = made.snapshot

    def mixed(rows: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(rng.sample(rows, len(rows)))

    tables = ("users", "groups", "api_keys", "folders", "shares", "custom_policies", "environments")
    shuffled = Snapshot.of(
        account_id=snapshot.account_id,
        captured_at=snapshot.captured_at,
        tool_version=snapshot.tool_version,
        catalog=snapshot.catalog,
        account_keys=snapshot.account_keys,
        collections=snapshot.collections,
        **{name: mixed(getattr(snapshot, name)) for name in tables},
    )

    assert diff(replace(made, assigned=None)) == diff(replace(made, snapshot=shuffled, assigned=None))


@pytest.mark.parametrize("seed", SEEDS)
def test_ids_tell_findings_apart(seed: int) -> None:
    """No two findings of a comparison share an id."""
    ids = Counter(finding.id for finding in diff(account(seed)).findings)

    assert [] == [(id_, count) for id_, count in ids.items() if count > 1]
