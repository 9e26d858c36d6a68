"""Laws of suggestions over random accounts: nothing certain is lost, nothing more is added, twice is once."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from table_texts import reloaded, texts

from permmigrate.catalog import refusal
from permmigrate.diff import Diff, Verdict
from permmigrate.diff.compare import compare
from permmigrate.mapping.lint import check
from permmigrate.mapping.rows import LEGACY_LEVELS, LEGACY_ROLES, Scope, ScopeKind, Target, TargetType
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import ManagementType, PrincipalRef, PrincipalType
from permmigrate.snapshot import Snapshot
from permmigrate.suggest import rewritten, suggest
from random_accounts import FORBIDDING, Account, account
from sampling import some

pytestmark = pytest.mark.sampled

TODAY = date(2026, 11, 22)
SEEDS = some(range(10), 4)
Held = tuple[PrincipalRef, str, str, str, str]
"""Whose, which environment, which place, which action, on what."""


@cache
def plain(seed: int) -> Account:
    """A random account in which nobody has decided anything by hand and no system policy forbids."""
    made = next(found for found in map(account, range(seed * 1000, seed * 1000 + 99)) if not found.forbids)
    return replace(made, tables=replace(made.tables, overrides=()))


def diffed(snapshot: Snapshot, tables: MappingTables) -> Diff:
    return compare(snapshot, tables, today=TODAY, tool_version="0")


def held(diff: Diff, *verdicts: Verdict) -> set[Held]:
    """What findings of these verdicts say, whoever they are listed with."""
    found = set()
    for finding in diff.findings:
        if finding.verdict in verdicts:
            for number in finding.capabilities:
                c = diff.capabilities[number]
                action = "" if c.resource.startswith("Feature") else c.action
                region = finding.region
                found |= {
                    (who, region.environment_id, region.content_id, action, c.resource)
                    for who in finding.principals
                }
    return found


def everything(snapshot: Snapshot, tables: MappingTables) -> MappingTables:
    """Tables that give every grant all roles that can be weighed: nothing can lose less."""

    def targets(level: str, holder: PrincipalType, scope: ScopeKind) -> list[Target]:
        return [
            Target(TargetType.ROLE, role.id, Scope(scope))
            for role in snapshot.catalog.roles.values()
            if role.level == level
            and not refusal(role, holder)
            and not {p.rpartition("::")[2] for p in role.policy_ids} & FORBIDDING
        ]

    both = {
        holder: targets("account", holder, ScopeKind.ACCOUNT) + targets("environment", holder, ScopeKind.EACH)
        for holder in PrincipalType
    }
    everywhere = [replace_scope(t) for t in both[PrincipalType.USER]]
    roles = {user.legacy_role for user in snapshot.users} & set(LEGACY_ROLES)
    return replace(
        tables,
        user_roles=tuple(
            replace(tables.user_roles[0], legacy_role=role, target=target)
            for role in sorted(roles)
            for target in (everywhere if role == "master_admin" else both[PrincipalType.USER])
        ),
        folder_levels=_levels(tables.folder_levels, targets("folder", PrincipalType.USER, ScopeKind.FOLDER)),
        collection_levels=_levels(
            tables.collection_levels, targets("collection", PrincipalType.USER, ScopeKind.COLLECTION)
        ),
        api_keys=tuple(
            replace(row, target=target)
            for row in tables.api_keys[:1]
            for target in both[PrincipalType.API_KEY]
            if target.scope.kind is ScopeKind.EACH
        ),
        account_keys=tuple(
            replace(row, target=target)
            for row in tables.account_keys[:1]
            for target in both[PrincipalType.ACCOUNT_KEY]
        ),
    )


def replace_scope(target: Target) -> Target:
    each = target.scope.kind is ScopeKind.EACH
    return replace(target, scope=Scope(ScopeKind.ALL)) if each else target


def _levels(rows: tuple, targets: list[Target]) -> tuple:  # type: ignore[type-arg]
    return tuple(
        replace(row, level=level, target=target)
        for row in rows[:1]
        for level in LEGACY_LEVELS
        for target in targets
    )


@pytest.mark.parametrize("custom_roles", [False, True])
def test_nothing_is_lost_for_certain_that_could_be_kept(tmp_path: Path, custom_roles: bool) -> None:
    """What the suggested tables lose is lost with every role there is; the tables load and lint clean."""
    kept = 0
    for seed in SEEDS:
        made = plain(seed)
        files = texts(made.tables)
        given = reloaded(tmp_path / f"{seed}", files)
        suggestion = suggest(made.snapshot, given, today=TODAY, custom_roles=custom_roles)
        better = reloaded(tmp_path / f"{seed} better", rewritten(files, suggestion))
        lost = held(diffed(made.snapshot, better), Verdict.LOST)
        unavoidable = held(diffed(made.snapshot, everything(made.snapshot, given)), Verdict.LOST)
        assert lost <= unavoidable, seed
        kept += len(held(diffed(made.snapshot, given), Verdict.LOST) - lost)
        errors = [
            notice
            for notice in check(better, catalog=None, snapshot=made.snapshot, today=TODAY)
            if notice.level == "error" and notice.problem.line in _suggested(better, notice.problem.file)
        ]
        assert not errors, seed
    assert kept > 20 * len(SEEDS)


def _suggested(tables: MappingTables, file: str) -> set[int]:
    return {ref.line for ref, _, source, _ in tables.all_rows() if ref.file == file and source != "test"}


def test_nothing_more_is_added_than_the_tables_add(tmp_path: Path) -> None:
    """Each on its own, a role, a key or a share gains no more than with tables that lose nothing either."""
    better = 0
    for seed in SEEDS:
        made = plain(seed)
        for snapshot in (_only_roles_and_keys(made.snapshot), _only_shares(made.snapshot)):
            for tables in (made.tables, everything(made.snapshot, made.tables)):
                files = texts(tables)
                given = reloaded(tmp_path / f"{seed}", files)
                suggestion = suggest(snapshot, given, today=TODAY, custom_roles=False)
                before = diffed(snapshot, given)
                after = diffed(snapshot, reloaded(tmp_path / f"{seed} better", rewritten(files, suggestion)))
                gone = held(before, Verdict.LOST, Verdict.UNKNOWN) - held(after, Verdict.LOST)
                losing = {who for who, *_ in gone}
                was, is_now = _added(before), _added(after)
                for who in {*was, *is_now} - losing:
                    assert is_now[who] <= was[who], (seed, who)
                    better += is_now[who] < was[who]
    assert better > 1.5 * len(SEEDS)


def _added(diff: Diff) -> dict[PrincipalRef, tuple[int, int]]:
    sure = Counter(who for who, *_ in held(diff, Verdict.GAINED))
    doubtful = Counter(who for who, *_ in held(diff, Verdict.MAYBE_GAINED))
    everybody = {summary.principal for summary in diff.principals}
    return {who: (sure[who], doubtful[who]) for who in everybody}


def _only_roles_and_keys(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, groups=(), shares=(), custom_policies=())


def _only_shares(snapshot: Snapshot) -> Snapshot:
    """One share a group, and nobody else."""
    groups = tuple(replace(group, member_ids=()) for group in snapshot.groups)
    own = {s.principal: s for s in snapshot.shares if s.principal.type is PrincipalType.GROUP}
    return replace(
        snapshot, groups=groups, shares=tuple(own.values()), users=(), api_keys=(), custom_policies=()
    )


@pytest.mark.parametrize("keep_doubtful", [False, True])
def test_the_same_account_gets_the_same_suggestion(tmp_path: Path, keep_doubtful: bool) -> None:
    """Whatever order people came in; and what was suggested is not made better a second time."""
    rng = random.Random(1)
    for seed in SEEDS:
        made = plain(seed)
        files = texts(made.tables)
        given = reloaded(tmp_path / f"{seed}", files)
        how = {"today": TODAY, "custom_roles": True, "keep_doubtful": keep_doubtful}
        first = suggest(made.snapshot, given, **how)  # type: ignore[arg-type]
        users = list(made.snapshot.users)
        rng.shuffle(users)
        catalog = made.snapshot.catalog
        mixed = replace(catalog, roles=dict(rng.sample(list(catalog.roles.items()), len(catalog.roles))))
        again = suggest(
            Snapshot.of(**_fields(made.snapshot) | {"users": tuple(users), "catalog": mixed}),  # type: ignore[arg-type]
            given,
            **how,  # type: ignore[arg-type]
        )
        assert rewritten(files, first) == rewritten(files, again)
        better = reloaded(tmp_path / f"{seed} better", rewritten(files, first))
        settled = suggest(made.snapshot, better, **how)  # type: ignore[arg-type]
        assert not [c for c in settled.changed if c.file != "overrides.csv"], seed


def _fields(snapshot: Snapshot) -> dict[str, object]:
    return {name: getattr(snapshot, name) for name in snapshot.__dataclass_fields__}


def test_what_a_person_decided_stays(tmp_path: Path) -> None:
    """Overrides and rows of confidence `customer` come out as they went in, and are said to be left alone."""
    left_alone = 0
    for seed in SEEDS:
        made = account(seed)
        files = {name: text.replace(",inferred,", ",customer,") for name, text in texts(made.tables).items()}
        given = reloaded(tmp_path / f"{seed}", files)
        suggestion = suggest(made.snapshot, given, today=TODAY, custom_roles=True)
        better = reloaded(tmp_path / f"{seed} better", rewritten(files, suggestion))
        mine = {row.ref for row in given.target_rows()}
        written = {(r.ref.file, r.key, r.target) for r in better.target_rows() if r.origin.source == "test"}
        assert {(r.ref.file, r.key, r.target) for r in given.target_rows()} == written
        assert not [c for c in suggestion.changed if c.replaces]
        left_alone += bool(suggestion.kept and mine)
    assert left_alone > 0.5 * len(SEEDS)


def test_custom_roles_are_defined_only_where_they_are_allowed(tmp_path: Path) -> None:
    """Without leave no role is created; with it some are, of their level's policies, none for collections."""
    created = 0
    for seed in SEEDS:
        made = plain(seed)
        given = reloaded(tmp_path / f"{seed}", texts(made.tables))
        assert not suggest(made.snapshot, given, today=TODAY, custom_roles=False).new_roles
        for role in suggest(made.snapshot, given, today=TODAY, custom_roles=True).new_roles:
            assert role.level in ("account", "environment", "folder")
            assert all(policy.startswith(f"cld::policy::{role.level}::") for policy in role.policies)
            created += 1
    assert created > 2 * len(SEEDS)
    assert ManagementType.CUSTOM in {r.management_type for r in plain(0).snapshot.catalog.roles.values()}
