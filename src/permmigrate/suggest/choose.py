"""Suggest, for every distinct set of legacy grants of an account, what loses nothing and adds least."""

from __future__ import annotations

from datetime import date

from permmigrate.mapping.tables import MappingTables
from permmigrate.model import ManagementType
from permmigrate.snapshot import Snapshot
from permmigrate.suggest.chooser import Chooser
from permmigrate.suggest.roles import account_keys, api_keys, user_roles
from permmigrate.suggest.shares import levels
from permmigrate.suggest.value import Suggestion


def suggest(
    snapshot: Snapshot,
    tables: MappingTables,
    *,
    today: date,
    custom_roles: bool,
    keep_doubtful: bool = False,
) -> Suggestion:
    """Search the snapshot's catalog for better targets than those of the tables.

    Rows that a person decided (confidence `customer`) and overrides in force on `today` are left alone. With
    `custom_roles`, new roles may be defined where no roles of the catalog fit; with `keep_doubtful`, what may
    have been had is kept as well.
    """
    chooser = Chooser(snapshot, tables, today, custom_roles, keep_doubtful)
    choices = (*user_roles(chooser), *levels(chooser), *api_keys(chooser), *account_keys(chooser))
    used = {pick.target for choice in choices if choice.changed for pick in choice.picks}
    return Suggestion(
        snapshot_digest=snapshot.digest,
        catalog_digest=snapshot.catalog.digest,
        choices=choices,
        new_roles=tuple(role for name, role in sorted(chooser.made.items()) if role.target in used),
        kept=tuple(chooser.kept),
        custom_roles=custom_roles,
    )


def has_custom_roles(snapshot: Snapshot) -> bool:
    """Whether the account has roles of its own making, so that its plan surely allows them.

    Source: custom roles come with Enterprise plans only (vendor's guide to roles in the Console, Apr-2026);
    no API says which plan an account has.
    """
    return any(role.management_type is ManagementType.CUSTOM for role in snapshot.catalog.roles.values())
