"""Laws over random accounts: what must hold of any comparison, whatever the account and the tables.

Requests are decided one by one (`diff.decide`), so that a finding moved to a larger region hides nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cedar_agreement import TODAY

from permmigrate.catalog import Catalog
from permmigrate.diff.compare import compare
from permmigrate.diff.decide import state_at, verdict_at
from permmigrate.diff.value import Diff, Verdict
from permmigrate.entitlements import AfterAssignment, Entitlements
from permmigrate.mapping import Granted, LegacyKind, RowRef
from permmigrate.mapping.rows import (
    LEGACY_LEVELS,
    LEGACY_ROLES,
    AccountKeyRow,
    ApiKeyRow,
    BaselineRow,
    LevelRow,
    Origin,
    Scope,
    ScopeKind,
    Target,
    TargetType,
    UserRoleRow,
)
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.translate import translate
from permmigrate.model import (
    CollectionId,
    Confidence,
    ContentKind,
    FolderId,
    ManagementType,
    PrincipalRef,
    PrincipalType,
    Role,
    RoleAssignment,
)
from permmigrate.snapshot import Snapshot
from random_accounts import FORBIDDING, OPAQUE_STATEMENTS, account, catalog
from sampling import some

pytestmark = pytest.mark.sampled

Question = tuple[PrincipalRef, str, str | None, tuple[str, ...], int]
"""Principal, scope, folder, collections, atom."""

EXPANSIONS = (Verdict.GAINED, Verdict.MAYBE_GAINED)


def decided(engine: Entitlements) -> Iterator[tuple[Question, Verdict]]:
    """The verdict on every atom at every place where something may be held, for every principal."""
    named = {s.content.id for s in engine.snapshot.shares if s.content.kind is ContentKind.COLLECTION}
    named |= {str(c.id) for c in engine.snapshot.collections}
    named |= {str(entry.assignment.collection_id or "") for entry in engine.assignments} - {""}
    for principal in engine.principals:
        for holding in engine.holdings(principal):
            tree = engine.trees[holding.scope]
            places: list[tuple[str | None, tuple[str, ...]]] = [(None, ()), *((one, ()) for one in tree.ids)]
            places += [(None, (name,)) for name in sorted(named)]
            for folder, collections in places:
                state = state_at(holding, tree, folder, collections)
                for atom in engine.universe(holding.scope).bits(holding.valid):
                    question = (principal, holding.scope, folder, collections, atom)
                    yield question, verdict_at(state, atom)


def asked(engine: Entitlements, *verdicts: Verdict) -> set[Question]:
    """The questions whose answer is one of some verdicts."""
    return {question for question, verdict in decided(engine) if verdict in verdicts}


def plain(seed: int) -> tuple[Snapshot, MappingTables]:
    """An account without custom policies, over the catalog in which nothing forbids and all is decided."""
    made = account(seed)
    return replace(made.snapshot, custom_policies=(), catalog=catalog(forbids=False)), made.tables


def by_tables(snapshot: Snapshot, tables: MappingTables) -> Entitlements:
    made = translate(snapshot, tables, today=TODAY)
    after = tuple(AfterAssignment(p.assignment, str(p.row)) for p in made.planned)
    return Entitlements(snapshot, tables, after, made)


# ---------------------------------------------------------------- one more grant


def grants(rng: random.Random, snapshot: Snapshot) -> RoleAssignment:
    """Any role that permits, at any scope and place, for anybody; with effect or without."""
    harmless = [
        role
        for role in snapshot.catalog.roles.values()
        if not {policy.rpartition("::")[2] for policy in role.policy_ids} & UNSURE
    ]
    role = rng.choice(harmless)
    holders = [
        *(PrincipalRef(PrincipalType.USER, user.id) for user in snapshot.users),
        *(PrincipalRef(PrincipalType.GROUP, group.id) for group in snapshot.groups),
        *(PrincipalRef(PrincipalType.API_KEY, key.id) for key in snapshot.api_keys),
        *(PrincipalRef(PrincipalType.ACCOUNT_KEY, key.id) for key in snapshot.account_keys),
    ]
    scope = None if role.level == "account" else rng.choice(("all", snapshot.environments[0].id))
    folder = FolderId(rng.choice(snapshot.folders).id) if role.level == "folder" else None
    collection = CollectionId("col0") if role.level == "collection" else None
    return RoleAssignment(rng.choice(holders), role.id, scope, folder, collection)


UNSURE = FORBIDDING | {name for found in OPAQUE_STATEMENTS.values() for name in found}


@pytest.mark.parametrize("seed", some(range(500, 518), 6))
def test_one_more_grant_never_removes_an_expansion(seed: int) -> None:
    """Folder and collection roles, groups and keys included: what was an expansion still is one."""
    made = account(seed)
    engine = by_tables(made.snapshot, made.tables)
    expansions = asked(engine, *EXPANSIONS)
    for number in range(3):
        more = AfterAssignment(grants(random.Random(f"{seed} {number}"), made.snapshot), "more")
        wider = replace(engine, assignments=(*engine.assignments, more))
        assert set() == expansions - asked(wider, *EXPANSIONS), more


def test_a_grant_that_forbids_may_remove_one() -> None:
    """The law is about permits: a role that forbids takes expansions away, and it is seen."""
    removed = 0
    for seed in range(500, 520):
        made = account(seed)
        careful = [r.id for r in made.snapshot.catalog.roles.values() if r.name == "system careful"]
        engine = by_tables(made.snapshot, made.tables)
        for user in made.snapshot.users if made.forbids else ():
            holder = PrincipalRef(PrincipalType.USER, user.id)
            more = AfterAssignment(RoleAssignment(holder, careful[0], "all"), "more")
            wider = replace(engine, assignments=(*engine.assignments, more))
            removed += len(asked(engine, *EXPANSIONS) - asked(wider, *EXPANSIONS))
        if removed:
            break
    assert removed > 0


# ---------------------------------------------------------------- one row less


def fewer(tables: MappingTables) -> Iterator[tuple[str, MappingTables]]:
    """The tables without one row, for rows that stand in no other row's way.

    An override, or a row for one kind of principal, hides what another row gives: without it that comes back.
    """
    for name in ("user_roles", "folder_levels", "collection_levels", "api_keys", "account_keys"):
        rows = getattr(tables, name)
        for row in rows:
            if len({other.key for other in rows}) == 1 or name.endswith(("roles", "levels")):
                left: dict[str, Any] = {name: tuple(other for other in rows if other is not row)}
                yield str(row.ref), replace(tables, **left)


@pytest.mark.parametrize("seed", some(range(540, 552), 5))
def test_one_row_less_never_adds_an_expansion(seed: int) -> None:
    """Where nothing forbids: a row taken away removes expansions or leaves grants unknown, and adds none."""
    snapshot, tables = plain(seed)
    expansions = asked(by_tables(snapshot, tables), *EXPANSIONS)
    for ref, left in fewer(tables):
        assert set() == asked(by_tables(snapshot, left), *EXPANSIONS) - expansions, ref


def test_one_row_less_may_add_one_where_something_forbids() -> None:
    """The exception is real: without the row whose role forbids, its permits' companions are expansions."""
    added = 0
    for seed in range(540, 560):
        snapshot, tables = plain(seed)
        snapshot = replace(snapshot, catalog=catalog(forbids=True))
        expansions = asked(by_tables(snapshot, tables), *EXPANSIONS)
        for _, left in fewer(tables):
            added += len(asked(by_tables(snapshot, left), *EXPANSIONS) - expansions)
        if added:
            break
    assert added > 0


# ---------------------------------------------------------------- other names


def told(found: Diff, name_of: dict[str, str]) -> set[tuple[object, ...]]:
    """What a comparison says of each principal, ids translated back, names left out."""
    return {
        (
            principal.type,
            name_of.get(principal.id, principal.id),
            finding.verdict,
            finding.severity,
            (finding.region.kind, finding.region.environment_id),
            name_of.get(finding.region.content_id, finding.region.content_id),
            finding.region.folders,
            frozenset(found.capabilities[number] for number in finding.capabilities),
            finding.causes,
            finding.dormant,
        )
        for finding in found.findings
        for principal in finding.principals
    }


def diff(snapshot: Snapshot, tables: MappingTables, assigned: Snapshot | None = None) -> Diff:
    return compare(snapshot, tables, today=TODAY, tool_version="0", assigned=assigned)


@pytest.mark.parametrize("seed", some(range(580, 590), 4))
def test_other_folder_names_change_only_names(seed: int) -> None:
    """Folders called otherwise, in another order, with the same parents: the same findings, id by id."""
    made = account(seed)

    def renamed(snapshot: Snapshot) -> Snapshot:
        return replace(
            snapshot,
            folders=tuple(
                replace(f, path="/".join(f"{len(part)}{part[::-1]}" for part in f.path.split("/")))
                for f in snapshot.folders
            ),
        )

    one = diff(made.snapshot, made.tables, made.assigned)
    other = diff(renamed(made.snapshot), made.tables, made.assigned and renamed(made.assigned))

    assert {finding.id for finding in one.findings} == {finding.id for finding in other.findings}
    assert told(one, {}) == told(other, {})
    assert (one.counts, one.decided, one.headline) == (other.counts, other.decided, other.headline)
    assert [(c.kind, c.principal) for c in one.concerns] == [(c.kind, c.principal) for c in other.concerns]


@pytest.mark.parametrize("seed", some(range(600, 612), 4))
def test_other_ids_change_only_ids(seed: int) -> None:
    """People, groups, keys, folders under other ids, in another order: the same is said of each."""
    snapshot, tables = plain(seed)
    tables = replace(tables, overrides=())
    ids = [*(f.id for f in snapshot.folders), *(s.content.id for s in snapshot.shares)]
    ids += [member.id for kind in (snapshot.users, snapshot.groups, snapshot.api_keys) for member in kind]
    new = {id_: f"{99 - number} {id_}" for number, id_ in enumerate(sorted(set(ids)))}
    groups = tuple(
        replace(group, id=new[group.id], member_ids=tuple(sorted(new[m] for m in group.member_ids)))
        for group in snapshot.groups
    )
    shares = tuple(
        replace(
            share,
            content=replace(share.content, id=new[share.content.id]),
            principal=replace(share.principal, id=new[share.principal.id]),
        )
        for share in snapshot.shares
    )
    other = Snapshot.of(
        account_id=snapshot.account_id,
        captured_at=snapshot.captured_at,
        tool_version=snapshot.tool_version,
        environments=snapshot.environments,
        users=tuple(replace(user, id=new[user.id]) for user in snapshot.users),
        groups=groups,
        api_keys=tuple(replace(key, id=new[key.id]) for key in snapshot.api_keys),
        account_keys=snapshot.account_keys,
        folders=tuple(replace(folder, id=new[folder.id]) for folder in snapshot.folders),
        collections=tuple(replace(c, id=new.get(c.id, c.id)) for c in snapshot.collections),
        shares=shares,
        catalog=snapshot.catalog,
    )

    back = {theirs: ours for ours, theirs in new.items()}
    assert told(diff(snapshot, tables), {}) == told(diff(other, tables), back)


# ---------------------------------------------------------------- the same on both sides


def alike(rng: random.Random, book: Catalog) -> MappingTables:
    """Tables whose baseline says of every legacy grant just what the roles hold that they give for it."""
    lines = iter(range(2, 10_000))

    def origin(file: str) -> Origin:
        return Origin(RowRef(file, next(lines)), "test", Confidence.CUSTOMER)

    def any_of(level: str) -> Role:
        system = [role for role in book.roles.values() if role.management_type is ManagementType.SYSTEM]
        return rng.choice([role for role in system if role.level == level])

    def target(role: Role, scope: ScopeKind) -> Target:
        return Target(TargetType.ROLE, role.id, Scope(scope))

    baseline: list[BaselineRow] = []

    def says(kind: LegacyKind, legacy: str, *roles: Role) -> None:
        held = {policy for role in roles for policy in role.policy_ids}
        for policy in book.policies.values():
            content = kind is LegacyKind.USER_ROLE and bool(policy.parameters)
            granted = Granted.YES if policy.id in held or content else Granted.NO
            row = BaselineRow(
                origin=origin("legacy_baseline.csv"),
                kind=kind,
                legacy=legacy,
                policy=policy.id,
                granted=granted,
            )
            baseline.append(row)

    user_roles, levels, keys, account_keys = [], {"folder": [], "collection": []}, [], []
    for legacy in (*LEGACY_ROLES, ""):
        wide, local = any_of("account"), any_of("environment")
        says(LegacyKind.USER_ROLE, legacy, wide, local)
        for role, scope in ((wide, ScopeKind.ACCOUNT), (local, ScopeKind.EACH)):
            row = UserRoleRow(origin=origin("user_roles.csv"), target=target(role, scope), legacy_role=legacy)
            user_roles.append(row)
    for kind, rows in levels.items():
        for level in (*LEGACY_LEVELS, "can_wonder"):
            role = any_of(kind)
            says(LegacyKind(f"{kind}_level"), level, role)
            there = target(role, ScopeKind(kind))
            file = origin(f"{kind}_levels.csv")
            rows.append(LevelRow(origin=file, target=there, level=level, principal_type="any"))
    local, wide = any_of("environment"), any_of("account")
    says(LegacyKind.API_KEY, "*", local)
    keys.append(
        ApiKeyRow(
            origin=origin("api_keys.csv"),
            target=target(local, ScopeKind.EACH),
            match="*",
            environment="*",
            enabled="any",
        )
    )
    says(LegacyKind.ACCOUNT_KEY, "*", wide, local)
    for role, scope in ((wide, ScopeKind.ACCOUNT), (local, ScopeKind.EACH)):
        account_keys.append(
            AccountKeyRow(origin=origin("account_keys.csv"), target=target(role, scope), match="*")
        )
    return MappingTables(
        user_roles=tuple(user_roles),
        folder_levels=tuple(levels["folder"]),
        collection_levels=tuple(levels["collection"]),
        api_keys=tuple(keys),
        account_keys=tuple(account_keys),
        legacy_baseline=tuple(baseline),
    )


@pytest.mark.parametrize("seed", some(range(620, 645), 8))
def test_the_same_on_both_sides_differs_nowhere(seed: int) -> None:
    """Roles that hold what the legacy grants held, forbids and all: no finding, before and after the move."""
    made = account(seed)
    book = catalog(forbids=bool(seed % 2))
    decided_ones = tuple(c for c in made.snapshot.custom_policies if c.id not in made.opaque)
    snapshot = replace(
        made.snapshot,
        catalog=book,
        custom_policies=decided_ones,
        users=tuple(replace(u, all_environments=True, environment_ids=()) for u in made.snapshot.users),
    )
    tables = alike(random.Random(seed), book)

    planned = translate(snapshot, tables, today=TODAY)
    assigned = replace(snapshot, assignments=tuple(p.assignment for p in planned.planned))
    for found in (diff(snapshot, tables), diff(snapshot, tables, assigned)):
        assert () == found.findings
        assert () == found.concerns
        assert len(found.principals) == found.counts[Verdict.UNCHANGED]
