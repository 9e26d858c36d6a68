"""Drafting: what is lacking and too much becomes operations, and the rest is said or refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import a_group, a_key, a_user, api_key, folder, folder_id, share
from builders import group as group_of
from builders import snapshot as snapshot_of
from builders import user as user_of
from permmigrate.diff import Diff
from permmigrate.diff.accepted import Acceptance, Accepted, people_of
from permmigrate.diff.compare import compare
from permmigrate.errors import RefusedError
from permmigrate.mapping import RowRef
from permmigrate.mapping.custom_roles import CustomRoleRow
from permmigrate.mapping.rows import LevelRow, Origin, Scope, ScopeKind, Target, TargetType
from permmigrate.mapping.tables import MappingTables, load
from permmigrate.model import (
    AccountKey,
    Confidence,
    CustomPolicy,
    LedgerEntry,
    ManagementType,
    PrincipalRef,
    PrincipalType,
    ReadStatus,
    Role,
    RoleAssignment,
    RoleId,
    ScopeType,
)
from permmigrate.plan import Kind, Limits, Plan, Standing
from permmigrate.plan.draft import Terms, as_assigned, draft
from permmigrate.plan.file import decode, encode
from permmigrate.plan.fitness import Reach, gaps_of, reach_of
from permmigrate.plan.signoff import Signoff
from permmigrate.plan.undo import assumed, left_by
from permmigrate.plan.wishes import REJECTED
from permmigrate.plan.world import World
from permmigrate.resources import mappings_dir
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.lists.ids import made_up
from plan_builders import account_key, assigned, policy_body, user
from random_accounts import account
from sampling import times

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TABLES = load(mappings_dir())
READ = LedgerEntry("roles", "GET /v2/accounts/{account_id}/permissions/roles", "", ReadStatus.READ, 20, 200)
LOCAL = "http://127.0.0.1:8080"


def snapshot(**fields: Any) -> Snapshot:
    """An account that was read from a sandbox, whole."""
    given_ = {"api_url": LOCAL, "digest": "5" * 64, "ledger": (READ,)} | fields
    return replace(snapshot_of(**{k: v for k, v in given_.items() if k != "digest"}), digest=given_["digest"])


def terms(**fields: Any) -> Terms:
    return Terms(**{"now": NOW, "tool_version": "1", "today": TODAY} | fields)


def compared(one: Snapshot, tables: MappingTables = TABLES) -> Diff:
    return compare(one, tables, today=TODAY, tool_version="1")


def drafted(one: Snapshot, tables: MappingTables = TABLES, **fields: Any) -> Plan:
    return draft(one, tables, compared(one, tables), terms(**fields))


def given_to(plan: Plan, who: PrincipalRef, kind: Kind = Kind.ASSIGN) -> set[str]:
    return {
        each.assignment.role_id for each in plan.operations if each.principal == who and each.kind is kind
    }


def reasons(plan: Plan) -> str:
    return "\n".join(f"{one.what}: {one.reason}" for one in plan.left_out)


def after(plan: Plan, one: Snapshot) -> Snapshot:
    """The account once the plan was done."""
    world = left_by(plan, assumed(plan), World.of(one))
    return replace(one, assignments=tuple(a for held in world.held.values() for a in held))


@pytest.mark.sampled
@settings(max_examples=times(10, 25), deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_planning_again_is_empty(seed: int, remove_extra: bool) -> None:
    """Once a plan's operations are done there is nothing left to plan, and the plan survives its file."""
    case = account(seed)
    one = replace(case.snapshot, digest="5" * 64, api_url=LOCAL, ledger=(READ,))
    plan = drafted(one, case.tables, remove_extra=remove_extra)
    assert plan == decode(encode(plan)[1], Path("plan.json"))
    assert plan.held.keys() == {each.principal for each in plan.operations if each.principal}
    assert all(set(plan.held[who]) == {a for a in one.assignments if a.principal == who} for who in plan.held)

    done = after(plan, one)
    again = drafted(done, case.tables, remove_extra=remove_extra)
    assert () == again.operations
    assert () == again.expansions
    assert plan.left_out == again.left_out
    assert plan.by_hand == again.by_hand


def test_what_is_held_already_is_not_planned() -> None:
    """Only what is lacking is given."""
    one = snapshot(users=(user_of("u-1", "media_library_user"),))
    (operation,) = drafted(one).operations
    assert (Kind.ASSIGN, "user_roles.csv:8") == (operation.kind, operation.cause)
    assert () == drafted(replace(one, assignments=(operation.assignment,))).operations


def test_extra_roles_stay_unless_they_are_to_go() -> None:
    """Cutting back takes what the mapping does not want from whom it speaks of, add before remove."""
    extra = assigned(user("u-1"), "cld::role::prodenv::master_admin", "env1")
    one = snapshot(users=(user_of("u-1"),), assignments=(extra,))
    assert set() == given_to(drafted(one), user("u-1"), Kind.REMOVE)
    plan = drafted(one, remove_extra=True)
    assert ["assign role", "remove role"] == [each.kind for each in plan.operations]
    assert extra == plan.operations[1].assignment
    assert "cut back" == plan.purpose
    assert not {g.name: g.holds for g in plan.guards}["removals"]
    allowed = drafted(one, remove_extra=True, limits=Limits(removals=1))
    assert {g.name: g.holds for g in allowed.guards}["removals"]


def test_a_role_under_a_name_the_catalog_does_not_have_stays() -> None:
    """Two forms of the folder Editor's id are in use: what is held under the other one is not taken away."""
    one = shared_twice("Brands")
    held = drafted(one).operations
    (editor,) = (each.assignment for each in held if each.assignment.folder_id)
    other = replace(editor, role_id=RoleId("cld::role::folder::editor"))
    assert other.role_id not in one.catalog.roles
    assert "another name" in reasons(drafted(replace(one, assignments=(other,)), remove_extra=True))
    plan = drafted(replace(one, assignments=(other,)), remove_extra=True)
    assert {Kind.ASSIGN} == {each.kind for each in plan.operations}


def test_whoever_the_mapping_does_not_speak_of_keeps_all() -> None:
    """A group without shares, and a user whose legacy role nobody translates, are left alone."""
    extra = [
        assigned(a_group("g-1"), "cld::role::prodenv::admin", "env1"),
        assigned(user("u-1"), "cld::role::prodenv::admin", "env1"),
    ]
    one = snapshot(users=(user_of("u-1", "curator"),), groups=(group_of("g-1"),), assignments=tuple(extra))
    plan = drafted(one, remove_extra=True)
    assert () == plan.operations
    assert "no row of user_roles.csv translates legacy role `curator`" in reasons(plan)


def test_who_has_an_untranslated_grant_keeps_all() -> None:
    """What a legacy grant stands for nobody knows, so nothing is taken from its holder."""
    odd = share("Brands", a_user("u-1"), "can_dance")
    extra = assigned(user("u-1"), "cld::role::prodenv::admin", "env1")
    one = snapshot(users=(user_of("u-1"),), folders=(folder("Brands"),), shares=(odd,), assignments=(extra,))
    plan = drafted(one, remove_extra=True)
    assert set() == given_to(plan, user("u-1"), Kind.REMOVE)
    assert "a legacy grant of the same principal is not translated" in reasons(plan)


def test_folder_roles_stay_while_the_shares_are_not_known() -> None:
    """A share list with a gap proves nothing about what is extra on a folder."""
    extra = assigned(user("u-1"), "cld::role::folder::viewer", "env1", folder=folder_id("Brands"))
    gap = LedgerEntry("shares", "list shares.csv", "", ReadStatus.SKIPPED)
    one = snapshot(
        users=(user_of("u-1"),), folders=(folder("Brands"),), assignments=(extra,), ledger=(READ, gap)
    )
    plan = drafted(one, remove_extra=True, allow_incomplete=True)
    assert set() == given_to(plan, user("u-1"), Kind.REMOVE)
    assert "the legacy shares are not all known" in reasons(plan)
    known = drafted(replace(one, ledger=(READ,)), remove_extra=True)
    assert {extra.role_id} == given_to(known, user("u-1"), Kind.REMOVE)


def test_nothing_is_taken_from_whom_the_right_role_cannot_be_given() -> None:
    """A key whose own role cannot be made keeps the vendor's: less than it needs is worse than more."""
    vendors = assigned(a_key(), "cld::role::prodenv::master_admin", "env1")
    one = with_role(
        snapshot(api_keys=(api_key(),), assignments=(vendors,)),
        custom("Uploader", "cld::policy::global::ml::access"),
    )
    plan = drafted(one, giving("new-role/Uploader", role_row()), remove_extra=True)
    assert () == plan.operations
    assert "something that it should be given first is not planned" in reasons(plan)


def test_the_vendors_master_admin_on_keys_is_cut_back() -> None:
    """After the move a key's own row is the target, and what the vendor gave beyond it is taken."""
    vendors = assigned(a_key(), "cld::role::prodenv::master_admin", "env1")
    legacy = snapshot(api_keys=(api_key(),))
    today = replace(legacy, assignments=(vendors,), digest="6" * 64, captured_at="2026-11-23T08:00:00Z")
    narrow = replace(
        TABLES,
        api_keys=(
            replace(
                TABLES.api_keys[0],
                target=Target(TargetType.ROLE, "environment/Contributor", Scope(ScopeKind.EACH)),
            ),
        ),
    )
    base = as_assigned(legacy, today)
    plan = draft(
        legacy,
        narrow,
        compared(base, narrow),
        terms(remove_extra=True, limits=Limits(removals=1)),
        assigned=today,
    )
    assert {"cld::role::prodenv::contributor"} == given_to(plan, a_key())
    assert {vendors.role_id} == given_to(plan, a_key(), Kind.REMOVE)
    assert ("6" * 64, today.captured_at) == (plan.digests.assigned, plan.captured_at)
    assert (vendors,) == plan.held[a_key()]


def test_who_and_what_is_gone_is_left_out() -> None:
    """People and folders that a later snapshot does not have are named and not planned."""
    brands, press = folder("Brands"), folder("Press")
    legacy = snapshot(
        users=(user_of("u-1"), user_of("u-2")),
        folders=(brands, press),
        shares=(share("Brands", a_user("u-1")), share("Press", a_user("u-1"))),
    )
    today = replace(legacy, users=legacy.users[:1], folders=(brands,), digest="6" * 64)
    base = as_assigned(legacy, today)
    plan = draft(legacy, TABLES, compared(base), terms(), assigned=today)
    assert {user("u-1")} == set(plan.held)
    assert "the user is no longer in the account" in reasons(plan)
    assert "the folder is no longer in the account" in reasons(plan)
    assert {folder_id("Brands")} == {e.assignment.folder_id for e in plan.operations} - {None}


def test_break_glass_principals_are_left_alone() -> None:
    """Whoever is protected has no operation, and is named."""
    one = snapshot(users=(user_of("u-1"), user_of("u-2")))
    plan = drafted(one, protected=(user("u-1"),))
    assert {user("u-2")} == set(plan.held)
    assert "break-glass" in reasons(plan)


def test_a_protected_acting_key_keeps_what_it_has() -> None:
    """The remedy that the acting key's guard names: with it nothing is taken from the key."""
    master = "cld::role::prodenv::master_admin"
    theirs = [assigned(key, master, "env1") for key in map(account_key, "ab")]
    one = snapshot(account_keys=(AccountKey("a"), AccountKey("b")), assignments=tuple(theirs))

    def guard(**fields: Any) -> bool:
        limits = Limits(removals=None, expansions=None, promotions=None)
        plan = drafted(one, remove_extra=True, limits=limits, acting_key=account_key("a"), **fields)
        assert {account_key("b")} <= {each.principal for each in plan.operations if each.kind.revokes}
        return {each.name: each.holds for each in plan.guards}["acting key"]

    assert not guard()
    assert guard(protected=(account_key("a"),))


def test_made_up_ids_are_for_hands_only() -> None:
    """Whoever is known by a name from a list cannot be named in a call: it goes to the checklist."""
    someone = user_of(made_up("user", "Ada"))
    plan = drafted(snapshot(users=(someone, user_of("u-2"))))
    assert {user("u-2")} == set(plan.held)
    assert [someone.id] == [each.operation.assignment.principal.id for each in plan.by_hand]
    assert "known by name only" in plan.by_hand[0].reason


# custom roles


def role_row(name: str = "Uploader", *policies: str, level: str = "environment") -> CustomRoleRow:
    return CustomRoleRow(
        origin=Origin(RowRef("custom_roles.csv", 2), "us", Confidence.CUSTOMER),
        role=name,
        level=level,
        policies=policies or ("cld::policy::global::upload_presets::manage",),
    )


def giving(target: str, *roles: CustomRoleRow) -> MappingTables:
    """Tables that give every key of an environment one role."""
    row = replace(TABLES.api_keys[0], target=Target(TargetType.ROLE, target, Scope(ScopeKind.EACH)))
    return replace(TABLES, api_keys=(row,), custom_roles=roles)


def custom(name: str, *policies: str) -> Role:
    like = snapshot_of().catalog.roles[RoleId("upload_manager_351766dt")]
    assert like.management_type is ManagementType.CUSTOM
    return replace(like, id=RoleId("theirs_1"), name=name, policy_ids=tuple(policies))  # type: ignore[arg-type]


def with_role(one: Snapshot, role: Role) -> Snapshot:
    roles = dict(sorted({**one.catalog.roles, role.id: role}.items()))
    return replace(one, catalog=replace(one.catalog, roles=roles))


KEYS = (api_key("k-1"), api_key("k-2"))


def test_a_custom_role_is_made_once_and_given_by_reference() -> None:
    """A role of the tables is created before it is given, and it is given by what stands for its id."""
    plan = drafted(snapshot(api_keys=KEYS), giving("new-role/Uploader", role_row()))
    first, *others = plan.operations
    assert (Kind.CREATE_ROLE, "new-role/Uploader", None) == (
        first.kind,
        first.definition.id,
        first.definition.before,
    )
    assert {"new-role/Uploader"} == {each.needs_role for each in others}
    assert 2 == len(others)


def test_a_role_that_is_there_already_is_given_as_it_is() -> None:
    """The same name and policies: nothing is created."""
    one = with_role(
        snapshot(api_keys=KEYS), custom("uploader", "cld::policy::global::upload_presets::manage")
    )
    plan = drafted(one, giving("new-role/Uploader", role_row()))
    assert {"theirs_1"} == {each.assignment.role_id for each in plan.operations}


def test_a_role_of_the_same_name_with_other_policies_is_no_stand_in() -> None:
    """It is never replaced: what needs the new one is left out, with both sides' numbers."""
    theirs = custom("Uploader", "cld::policy::global::ml::access", "cld::policy::global::portals::publish")
    plan = drafted(with_role(snapshot(api_keys=KEYS), theirs), giving("new-role/Uploader", role_row()))
    assert () == plan.operations
    assert "(`theirs_1`), with other policies: 2 more and 1 fewer" in reasons(plan)
    assert "2 × role new-role/Uploader" in reasons(plan)


def test_a_role_without_policies_is_not_made() -> None:
    """A row whose policies the catalog does not have would make a role that does nothing."""
    plan = drafted(
        snapshot(api_keys=KEYS), giving("new-role/Uploader", role_row("Uploader", "cld::policy::nothing"))
    )
    assert () == plan.operations
    assert "the role would have no policy" in reasons(plan)


def test_a_role_that_the_catalog_renamed_is_told() -> None:
    """An id that the mapping names and the catalog no longer has is left out, with the nearest name."""
    plan = drafted(snapshot(api_keys=KEYS), giving("cld::role::prodenv::contributer"))
    assert () == plan.operations
    assert "is not in the catalog (did you mean" in reasons(plan)


def test_a_collection_role_for_a_key_is_never_planned() -> None:
    """The vendor takes it and it has no effect: such a row becomes no operation."""
    plan = drafted(snapshot(api_keys=KEYS), giving("collection/Viewer"))
    assert () == plan.operations
    assert "collection role" in reasons(plan)


# custom policies


def kept(statement: str, name: str = "Read Clothing", **fields: Any) -> CustomPolicy:
    return CustomPolicy("p-1", name, "", ScopeType.ENVIRONMENT, "env-1", statement, **fields)


def with_policies(*there: CustomPolicy) -> Plan:
    one = snapshot(custom_policies=there)
    wanted = policy_body(statement="permit (principal, action, resource is Cloudinary::Asset) ;")
    return draft(one, TABLES, compared(one), terms(), policies=[wanted])


def test_a_policy_that_the_server_wrote_in_its_own_way_is_the_same() -> None:
    """Layout and comments are no difference."""
    there = kept("// ours\npermit(\n  principal,\n  action,\n  resource is Cloudinary::Asset\n);")
    assert () == with_policies(there).operations


def test_a_policy_is_created_or_changed() -> None:
    """A missing one is created; one that says something else is changed, its old text kept for undo."""
    (created,) = with_policies().operations
    assert (Kind.CREATE_POLICY, None) == (created.kind, created.definition.before)
    there = kept("permit(principal, action, resource);")
    (changed,) = with_policies(there).operations
    assert (Kind.UPDATE_POLICY, "p-1") == (changed.kind, changed.definition.id)
    assert changed.definition.before == policy_body(statement=there.statement)
    (off,) = with_policies(
        kept("permit(principal, action, resource is Cloudinary::Asset);", enabled=False)
    ).operations
    assert Kind.UPDATE_POLICY is off.kind


def test_a_policy_that_is_there_under_another_name_is_not_made_twice() -> None:
    """The service refuses a second policy with the same statement in the same scope."""
    plan = with_policies(kept("permit(principal, action, resource is Cloudinary::Asset);", "Theirs"))
    assert () == plan.operations
    assert "custom policy p-1 of another name says the same" in reasons(plan)


def test_two_policies_of_one_name_are_not_guessed_between() -> None:
    """Which of them is meant nobody can tell."""
    first = kept("permit(principal, action, resource);")
    plan = with_policies(first, replace(first, id="p-2", statement="forbid(principal, action, resource);"))
    assert () == plan.operations
    assert "2 custom policies have that name: p-1, p-2" in reasons(plan)


# expansions


def accepting(diff: Diff, expires: date | None = None) -> Signoff:
    """Everything accepted, as it is."""
    entries = tuple(Acceptance(each.id, people_of(each), expires, "us", "meant", 2) for each in diff.findings)
    return Signoff.accepting(Accepted(entries), diff, TODAY)


def test_expansions_are_counted_where_operations_make_them() -> None:
    """The shipped tables give keys everything: refused unsigned and rejected, and passed when signed."""
    one = snapshot(users=(user_of("u-1"),), api_keys=(api_key(),))
    diff = compared(one)
    plan = draft(one, TABLES, diff, terms())
    made = [each for each in plan.expansions if each.principal == a_key()]
    assert made
    assert {Standing.UNSIGNED} == {each.standing for each in made}
    assert {(each.principal, each.cause) for each in plan.expansions} <= {
        (each.principal, each.cause) for each in plan.operations
    }
    assert not {g.name: g.holds for g in plan.guards}["unsigned expansions"]

    signed = draft(one, TABLES, diff, terms(signoff=accepting(diff)))
    assert {g.name: g.holds for g in signed.guards}["unsigned expansions"]
    assert sum(e.findings for e in signed.expansions) == sum(e.findings for e in plan.expansions)
    assert signed.digests.signoff != plan.digests.signoff


def deciding(diff: Diff, **said: Standing) -> Signoff:
    """One word for the expansions in each region; the rest stays open."""
    return Signoff({f.id: said[f.region.label] for f in diff.findings if f.region.label in said})


def shared_twice(*paths: str) -> Snapshot:
    """A user to whom folders are shared by one mapping row."""
    folders = tuple(folder(path) for path in paths)
    return snapshot(
        users=(user_of("u-1", "media_library_user"),),
        folders=folders,
        shares=tuple(share(path, a_user("u-1"), "can_edit") for path in paths),
    )


def folders_given(plan: Plan) -> set[str | None]:
    return {each.assignment.folder_id for each in plan.operations if each.assignment.folder_id}


def test_what_makes_nothing_but_what_was_rejected_leaves_the_plan() -> None:
    """A grant for a rejected folder is left out with the reason, and the same row's for another one stays."""
    one = shared_twice("Brands", "Legal")
    diff = compared(one)
    assert {folder_id("Brands"), folder_id("Legal")} == folders_given(draft(one, TABLES, diff, terms()))
    said = deciding(diff, Brands=Standing.SIGNED, Legal=Standing.REJECTED)
    plan = draft(one, TABLES, diff, terms(signoff=said))
    assert {folder_id("Brands")} == folders_given(plan)
    assert f": {REJECTED}" in reasons(plan)
    assert {"rejected expansions": True} == {g.name: g.holds for g in plan.guards if g.name[:4] == "reje"}


def test_rejected_with_what_was_approved_stops_the_plan() -> None:
    """A role that makes both stays, and the guard says that only the mapping can help."""
    one = snapshot(api_keys=(api_key(),))
    diff = compared(one)
    no, *yes = (each.id for each in diff.findings if each.verdict.is_expansion)
    said = dict.fromkeys(yes, Standing.SIGNED) | {no: Standing.REJECTED}
    plan = draft(one, TABLES, diff, terms(signoff=Signoff(said)))
    assert given_to(plan, a_key())
    (guard,) = (each for each in plan.guards if each.name == "rejected expansions")
    assert (False, "1") == (guard.holds, guard.measured)
    assert "others that the same grants make were approved" in guard.sentence


def test_an_account_role_and_an_environment_role_of_one_row_stand_apart() -> None:
    """What was rejected of the account takes out the role that is held there, and not the other."""
    one = snapshot(users=(user_of("u-1", "admin"),))
    diff = compared(one)
    said = Signoff({each.id: Standing.REJECTED for each in diff.findings if each.verdict.is_expansion})
    assert {"cld::role::prodenv::admin"} == given_to(
        draft(one, TABLES, diff, terms(signoff=said)), user("u-1")
    )


def test_nothing_is_taken_from_whom_a_rejected_role_would_have_come_first() -> None:
    """Whoever gets nothing instead keeps what it has."""
    one = shared_twice("Legal")
    odd = assigned(user("u-1"), "cld::role::folder::manager", one.folders[0].environment_id, folder="f:Legal")
    one = replace(one, assignments=(odd,))
    diff = compared(one)
    rejected = Signoff({f.id: Standing.REJECTED for f in diff.findings})
    assert Kind.REMOVE in {
        each.kind for each in draft(one, TABLES, diff, terms(remove_extra=True)).operations
    }
    plan = draft(one, TABLES, diff, terms(remove_extra=True, signoff=rejected))
    assert Kind.REMOVE not in {each.kind for each in plan.operations}
    assert "keeps role" in reasons(plan)


def test_an_expired_acceptance_signs_nothing() -> None:
    """After its last day an acceptance counts no longer."""
    diff = compared(snapshot(users=(user_of("u-1"),), api_keys=(api_key(),)))
    assert accepting(diff).standings
    assert {} == dict(accepting(diff, date(2026, 1, 1)).standings)


def test_administrators_of_before_are_known() -> None:
    """A legacy master admin is made one again without a promotion; a new one is one."""
    one = snapshot(users=(user_of("u-1", "master_admin"), user_of("u-2", "master_admin")))
    plan = drafted(one, limits=Limits(expansions=None))
    assert set(map(user, ("u-1", "u-2"))) <= set(plan.admins_before)
    assert all(guard.holds for guard in plan.guards), plan.guards
    assert RoleId("cld::role::account::master_admin") in plan.admin_roles
    assert RoleId("cld::role::account::billing") not in plan.admin_roles


# what cannot be planned from


def test_an_illustrative_catalog_is_refused() -> None:
    """A real account is never planned for with the sandbox's ids; the sandbox itself is."""
    one = snapshot(users=(user_of("u-1"),))
    for url in ("https://api.cloudinary.com", ""):
        with pytest.raises(RefusedError, match="illustrative"):
            drafted(replace(one, api_url=url))
    assert drafted(one).operations


def test_a_snapshot_with_gaps_is_refused_unless_allowed() -> None:
    """The first gap is named with its reason."""
    gap = LedgerEntry("groups", "GET /user_groups", "", ReadStatus.DENIED, 0, 403, "not allowed")
    one = snapshot(users=(user_of("u-1"),), ledger=(READ, gap))
    with pytest.raises(RefusedError, match="1 gap, the first in groups: not allowed"):
        drafted(one)
    assert drafted(one, allow_incomplete=True).operations


def test_a_comparison_of_something_else_is_refused() -> None:
    """Another snapshot's or other tables' comparison says nothing of this plan's expansions."""
    one = snapshot(users=(user_of("u-1"),))
    other = compared(replace(one, digest="7" * 64))
    with pytest.raises(RefusedError, match="not of this snapshot"):
        draft(one, TABLES, other, terms())
    fact = compare(one, TABLES, today=TODAY, tool_version="1", assigned=one)
    with pytest.raises(RefusedError, match="not of this snapshot"):
        draft(one, TABLES, fact, terms())
    with pytest.raises(RefusedError, match="two accounts"):
        draft(one, TABLES, compared(one), terms(), assigned=replace(one, account_id="acc-2"))  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="never saved"):
        drafted(replace(one, digest=""))


# accounts that cannot be written

ABSENT = LedgerEntry(READ.area, READ.endpoint, "", ReadStatus.FAILED, 0, 404, "not found")
DENIED = LedgerEntry(READ.area, READ.endpoint, "", ReadStatus.DENIED, 0, 403, "not allowed")


@pytest.mark.parametrize(
    ("ledger", "reach"),
    [
        ((READ,), Reach.PERMISSIONS),
        ((ABSENT, READ), Reach.PERMISSIONS),
        ((DENIED,), Reach.PERMISSIONS),
        ((ABSENT,), Reach.ADMIN),
        ((), Reach.ADMIN),
        ((replace(READ, endpoint="GET /v2/accounts/permissions/public/catalog"),), Reach.ADMIN),
    ],
)
def test_the_ledger_tells_what_can_be_written(ledger: tuple[LedgerEntry, ...], reach: Reach) -> None:
    """Only an API that answers 404, or was never asked, is not there; a denied one is."""
    assert reach is reach_of(snapshot(ledger=ledger))


def test_without_the_permissions_api_only_keys_get_folder_roles() -> None:
    """Folder roles of API keys go through the Admin API; everything else is done by hand."""
    on_key = LevelRow(
        origin=Origin(RowRef("folder_levels.csv", 9), "us", Confidence.CUSTOMER),
        target=Target(TargetType.ROLE, "cld::role::folder::viewer", Scope(ScopeKind.FOLDER)),
        level="can_view",
        principal_type="apiKey",
    )
    tables = replace(TABLES, folder_levels=(*TABLES.folder_levels, on_key))
    one = snapshot(
        users=(user_of("u-1"),),
        api_keys=(api_key(),),
        folders=(folder("Brands"),),
        shares=(share("Brands", a_key()), share("Brands", a_user("u-1"))),
        ledger=(ABSENT,),
    )
    assert () == gaps_of(one)
    plan = drafted(one, tables)
    (operation,) = plan.operations
    assert (Kind.ASSIGN_FOLDER, a_key()) == (operation.kind, operation.principal)
    assert {"env1": "env1"} == plan.environments
    assert {user("u-1"), a_key()} == {each.operation.principal for each in plan.by_hand}
    assert {"the account has no Permissions API"} == {each.reason for each in plan.by_hand}
    holds = {guard.name: guard.holds for guard in plan.guards}
    assert holds["master admins"]

    extra = assigned(a_key(), "cld::role::folder::manager", "env1", folder=folder_id("Brands"))
    held = replace(one, assignments=(extra,))
    waiting = drafted(held, tables, remove_extra=True)
    assert set() == given_to(waiting, a_key(), Kind.REMOVE_FOLDER)  # what is given by hand comes first
    none = replace(TABLES.api_keys[0], target=Target(TargetType.NONE, "", Scope(ScopeKind.EACH)))
    cut = drafted(held, replace(tables, api_keys=(none,)), remove_extra=True)
    assert {extra.role_id} == given_to(cut, a_key(), Kind.REMOVE_FOLDER)
    made = drafted(
        one,
        replace(tables, api_keys=giving("new-role/U", role_row("U")).api_keys, custom_roles=(role_row("U"),)),
    )
    assert "no Permissions API to make a custom role" in reasons(made)


def test_labels_are_for_what_is_named() -> None:
    """People, roles, folders and environments that operations name have their names in the plan."""
    one = snapshot(
        users=(user_of("u-1"),),
        groups=(group_of("g-1", "u-1"),),
        folders=(folder("Brands"), folder("Press")),
        shares=(share("Brands", a_group("g-1")),),
        account_keys=(AccountKey("ak-1", "ci"),),
    )
    labels = drafted(one).labels
    assert "User u-1" == labels["user:u-1"]
    assert "Brands" == labels[f"folder:{folder_id('Brands')}"]
    assert f"folder:{folder_id('Press')}" not in labels
    assert "Media Library User (environment)" == labels["role:cld::role::prodenv::ml_user"]
    assert "ci" == labels[str(PrincipalRef(PrincipalType.ACCOUNT_KEY, "ak-1"))]


def test_assignments_sort_as_they_are_read() -> None:
    """What was held is kept sorted, so that the same account gives the same plan."""
    held = [assigned(user("u-1"), role, "env1") for role in ("b", "a")]
    one = snapshot(users=(user_of("u-1"),), assignments=tuple(held))
    rows: tuple[RoleAssignment, ...] = drafted(one).held[user("u-1")]
    assert ["a", "b"] == [each.role_id for each in rows]
