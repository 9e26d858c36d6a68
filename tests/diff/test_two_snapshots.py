"""After the move: an older snapshot against a newer one, each side with its own people and groups."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from builders import (
    a_group,
    a_key,
    a_user,
    api_key,
    environment,
    folder,
    group,
    sandbox_catalog,
    share,
    snapshot,
    user,
)
from permmigrate.diff import Diff, Verdict
from permmigrate.diff.compare import compare
from permmigrate.mapping.tables import load
from permmigrate.model import (
    FolderId,
    LedgerEntry,
    PrincipalRef,
    ReadStatus,
    RoleAssignment,
    RoleId,
)
from permmigrate.resources import mappings_dir
from permmigrate.snapshot import Snapshot

MASTER = RoleId("cld::role::prodenv::master_admin")
ML_USER = RoleId("cld::role::prodenv::ml_user")
MANAGER = RoleId("cld::role::folder::manager")


def diff(before: Snapshot, after: Snapshot | None = None) -> Diff:
    return compare(before, load(mappings_dir()), today=date(2026, 11, 22), tool_version="0", assigned=after)


def gains(result: Diff, principal: PrincipalRef) -> int:
    """How many certain gains hold for a principal, its groups' among them."""
    return sum(f.verdict is Verdict.GAINED and principal in f.principals for f in result.findings)


def test_a_principal_that_only_the_newer_snapshot_has_gains_all_it_holds() -> None:
    """Somebody hired since, with Master Admin, is no proof that nobody gained access."""
    before = snapshot(users=(user("old"),))
    hired = RoleAssignment(a_user("new"), MASTER, "env1")
    after = replace(before, users=(user("old"), user("new")), assignments=(hired,))

    result = diff(before, after)

    assert gains(result, a_user("new")) > 0
    assert "EXPANDS" == result.headline


def test_a_member_of_a_new_group_gains_what_the_group_holds() -> None:
    """A group made since carries its roles to people who were there before."""
    before = snapshot(users=(user("u"),))
    holds = RoleAssignment(a_group("g"), MASTER, "env1")
    after = replace(before, groups=(group("g", "u"),), assignments=(holds,))

    assert gains(diff(before, after), a_user("u")) > 0


def test_a_user_added_to_an_old_group_gains_its_folders() -> None:
    """Membership is compared as each snapshot has it."""
    before = snapshot(
        users=(user("in"), user("out")),
        groups=(group("g", "in"),),
        folders=(folder("A"),),
        shares=(share("A", a_group("g"), "can_manage"),),
    )
    holds = RoleAssignment(a_group("g"), MANAGER, "env1", folder_id=FolderId("f:A"))
    same = replace(before, assignments=(holds,))
    joined = replace(same, groups=(group("g", "in", "out"),))

    assert 0 == gains(diff(before, same), a_user("out"))
    assert gains(diff(before, joined), a_user("out")) > gains(diff(before, same), a_user("in"))


def test_who_has_left_is_compared_with_nothing_after() -> None:
    """A principal that is gone loses, and gains nothing."""
    before = snapshot(users=(user("u", "media_library_admin"), user("gone", "media_library_admin")))
    stays = RoleAssignment(a_user("u"), ML_USER, "env1")
    after = replace(before, users=(user("u"),), assignments=(stays,))

    result = diff(before, after)

    assert 0 == gains(result, a_user("gone"))
    assert any(f.verdict is Verdict.LOST and a_user("gone") in f.principals for f in result.findings)


def test_a_newer_snapshot_without_any_role_proves_nothing() -> None:
    """An account that has not moved yet is not one where everybody lost everything for good."""
    before = snapshot(users=(user("u"),))

    result = diff(before, before)

    assert not result.complete
    assert "not assigned" in {uncertainty.kind for uncertainty in result.uncertainties}


def test_a_role_held_already_counts_beside_what_the_tables_ask_for() -> None:
    """The tables narrow nobody who holds Master Admin as it is."""
    before = snapshot(users=(user("u"),), assignments=(RoleAssignment(a_user("u"), MASTER, "env1"),))

    result = diff(before)

    assert gains(result, a_user("u")) > 0
    assert f"assigned {MASTER}" in {cause.ref for cause in result.causes}


@pytest.mark.parametrize("role", ["media_library_user", "billing"])
def test_shares_that_were_never_read_make_no_certain_gain_of_a_folder_role(role: str) -> None:
    """What a share may have given is not said to be new, except to those whom no share could reach."""
    unread = LedgerEntry("shares", "list", "", ReadStatus.UNREADABLE, detail="no list was given")
    before = snapshot(users=(user("u", role),), folders=(folder("A"),), ledger=(unread,))
    holds = RoleAssignment(a_user("u"), MANAGER, "env1", folder_id=FolderId("f:A"))
    after = replace(before, assignments=(holds,))

    verdicts = {f.verdict for f in diff(before, after).findings if f.region.label == "A"}

    assert ({Verdict.MAYBE_GAINED} if role == "media_library_user" else {Verdict.GAINED}) == verdicts


def test_nothing_is_compared_across_catalogs_by_name() -> None:
    """The newer catalog's roles are what counts: a role that lost its policies gives nothing."""
    catalog = sandbox_catalog()
    emptied = {**catalog.roles, MASTER: replace(catalog.roles[MASTER], policy_ids=())}
    before = snapshot(environments=(environment(),), api_keys=(api_key(),))
    holds = RoleAssignment(a_key(), MASTER, "env1")
    after = replace(before, catalog=replace(catalog, roles=emptied), assignments=(holds,))

    assert 0 == sum(f.verdict.is_expansion for f in diff(before, after).findings)
