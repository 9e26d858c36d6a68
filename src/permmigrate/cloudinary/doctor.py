"""Look an account over before a crawl: credentials, reach, clock, rights, the permissions system, the cost.

It reads a few first pages and nothing more, writes nothing, and asks the public catalog first: a host that
does not answer like the vendor's gets no credentials.
"""

from __future__ import annotations

import math
from typing import Final

import httpx

from permmigrate.cloudinary import choices, wire
from permmigrate.cloudinary.adminvisit import ADMIN_API, AdminSide, visit_environments
from permmigrate.cloudinary.budget import PUBLIC, Glimpse, Paged, Sizes, estimate, foretell
from permmigrate.cloudinary.diagnosis import Budget, Diagnosis, Finding, Indication, System
from permmigrate.cloudinary.permissionsvisit import (
    PERMISSIONS_API,
    ROLES,
    PermissionsSide,
    visit_permissions,
)
from permmigrate.cloudinary.probe import Clock, Probe
from permmigrate.cloudinary.provisioningvisit import (
    PROVISIONING_API,
    ProvisioningSide,
    visit_provisioning,
)
from permmigrate.cloudinary.sources import Found
from permmigrate.cloudinary.usercount import Users
from permmigrate.cloudinary.visit import Question, Visit
from permmigrate.errors import MalformedAnswerError, UnreachableError
from permmigrate.model import Confidence, PrincipalType, RoleId

SKEW_AT_MOST: Final = 60.0
"""Seconds a clock may be off before it is worth a word."""

_SIGN_UP: Final = (
    "set CLOUDINARY_ACCOUNT_URL=account://KEY:SECRET@ACCOUNT_ID (Console: Settings > Account API Keys)"
)


def examine(
    found: Found,
    client: httpx.Client,
    *,
    clock: Clock | None = None,
    share: float = choices.RATE_SHARE,
    workers: int = choices.WORKERS,
) -> Diagnosis:
    """Look the account over. It raises nothing for what the service refuses: that is what it tells."""
    probe = Probe(client, found.secrets, clock or Clock())
    visit = Visit(probe)
    _credentials(visit, found)
    known, reached = _reach(visit, found)
    account, rights, admin = ProvisioningSide(), PermissionsSide(), AdminSide()
    if not reached:
        for area in (PROVISIONING_API, PERMISSIONS_API, ADMIN_API):
            visit.unchecked(area, "all of it", "no credentials were sent to a host that does not answer")
    else:
        if found.account is not None:
            account = visit_provisioning(visit, found.account)
            if account.accepted:
                rights = visit_permissions(visit, found.account, account.environments, known)
            else:
                visit.unchecked(PERMISSIONS_API, "all of it", "the account key was not accepted")
        else:
            for area in (PROVISIONING_API, PERMISSIONS_API):
                visit.unchecked(area, "all of it", "there is no account key")
        admin = visit_environments(visit, found.environments, account.environments)
    _clock(visit)
    return Diagnosis(
        found.account.id if found.account else None,
        found.api_url.value,
        tuple(visit.checks),
        _system(visit, rights, admin),
        tuple(probe.allowances.values()),
        probe.ahead,
        _budget(probe, account, rights, admin, share, workers),
        probe.calls,
    )


def _credentials(visit: Visit, found: Found) -> None:
    """Where everything comes from; never what it is."""
    area = "credentials"
    if found.account:
        visit.add(area, "account key", Finding.OK, f"from {found.account.pair.source}")
    else:
        visit.add(area, "account key", Finding.MISSING, "there is none", _SIGN_UP)
    for cloud, pair in sorted(found.environments.items()):
        visit.add(area, f"key of {cloud}", Finding.OK, f"from {pair.source}")
    visit.add(area, "host", Finding.OK, f"{found.api_url.value}, from {found.api_url.source}")
    if found.proxy:
        visit.add(area, "proxy", Finding.OK, f"from {found.proxy.source}")
    if found.ca_bundle:
        visit.add(area, "CA bundle", Finding.OK, f"{found.ca_bundle.value}, from {found.ca_bundle.source}")
    for path in found.exposed:
        visit.add(
            area,
            path.name,
            Finding.WARNING,
            "holds secrets, and others on this machine can read it",
            f"chmod 600 {path}",
        )
    for notice in found.notices:
        visit.add(area, "passed over", Finding.NOTE, notice, "nothing, if that is what you meant")


def _reach(visit: Visit, found: Found) -> tuple[frozenset[RoleId], bool]:
    """The public catalog's roles, and whether the host is worth sending credentials to."""
    question = Question("reach", "public catalog", "public", f"{PUBLIC}/catalog", {})
    catalog = visit.ask(
        question, wire.catalog, lambda read: f"{len(read.roles)} roles, {len(read.policies)} policies"
    )
    error = visit.errors.get(question.subject)
    if isinstance(error, UnreachableError) or (
        isinstance(error, MalformedAnswerError) and error.status is not None
    ):
        return frozenset(), False
    schema = Question("reach", "Cedar schema", "public", f"{PUBLIC}/schema", {})
    visit.ask(schema, wire.schema, lambda read: f"{len(read)} namespaces")
    return frozenset(role.id for role in catalog.roles) if catalog else frozenset(), True


def _clock(visit: Visit) -> None:
    ahead = visit.probe.ahead
    if ahead is None:
        return
    if abs(ahead) <= SKEW_AT_MOST:
        visit.add("reach", "clock", Finding.OK, f"within {max(1, math.ceil(abs(ahead)))} s of the service's")
    else:
        way = "ahead of" if ahead > 0 else "behind"
        visit.add(
            "reach",
            "clock",
            Finding.WARNING,
            f"{abs(ahead):,.0f} s {way} the service's: the times in a snapshot would be off",
            "set this machine's clock (NTP)",
        )


def _system(visit: Visit, rights: PermissionsSide, admin: AdminSide) -> System:
    """What speaks for which permissions system; only the Console can really tell."""
    found: list[Indication] = []
    people = rights.holders(PrincipalType.USER, PrincipalType.GROUP)
    inferred, source = Confidence.INFERRED, "no page of the vendor says so"
    if people:
        text = f"{people:,} users and groups were seen to hold roles"
        found.append(Indication(text, "new", source, inferred))
    elif rights.assignments:
        text = "no user and no group was seen to hold a role"
        found.append(Indication(text, "legacy", source, inferred))
    if rights.roles is not None:
        text = "the Permissions API lists roles, which may also be so before the move"
        found.append(Indication(text, "neither", source, inferred))
    elif error := visit.errors.get(ROLES):
        text = f"the Permissions API does not list roles ({error.status or 'no answer'}): no proof of either"
        found.append(Indication(text, "neither", source, inferred))
    if admin.folder_roles:
        text = "a folder is shared with people; whether legacy shares show there too is not documented"
        found.append(Indication(text, "neither", "schema asset-management 0.4.0, of February 2026", inferred))
    sides = {one.speaks_for for one in found} - {"neither"}
    answer = sides.pop() if len(sides) == 1 else "unknown"
    return System(answer, Confidence.INFERRED if answer != "unknown" else Confidence.UNKNOWN, tuple(found))


def _budget(
    probe: Probe,
    account: ProvisioningSide,
    rights: PermissionsSide,
    admin: AdminSide,
    share: float,
    workers: int,
) -> Budget | None:
    """What a snapshot costs; None when the environments or the users could not be counted."""
    users, environments = account.users, account.environments
    if environments is None or users is None:
        return None
    sizes = Sizes(
        len(environments),
        users.total,
        users.page_size,
        users.limited,
        users.exact,
        sum(not row.members_known for row in account.groups),
        account.keys,
        len(rights.roles or ()),
        Paged(1, 1, exact=True) if all(page.whole for page in rights.policies) else Paged(1, 2, exact=False),
        _assignments(account, users, rights, admin),
        all(page.whole for page in rights.assignments),
        admin.trees,
    )
    return estimate(sizes, probe.allowances, share=share, workers=workers, latency=probe.latency)


def _assignments(
    account: ProvisioningSide, users: Users, rights: PermissionsSide, admin: AdminSide
) -> tuple[int, ...]:
    """Pages of assignments of the account and of each environment, foretold from two first pages."""
    environments = account.environments or ()
    if len(rights.assignments) < 2:
        return (1,) * (1 + len(environments))
    whole, one = rights.assignments[:2]
    inside = users.total - users.limited + users.limited // max(1, len(environments))
    expected = {
        PrincipalType.USER.value: inside,
        PrincipalType.GROUP.value: len(account.groups),
        PrincipalType.API_KEY.value: account.keys,
    }
    folders = {tree.cloud_name: tree.total or 0 for tree in admin.trees}
    first = folders.get(environments[0].cloud_name, 0)
    weights = [folders.get(each.cloud_name, first) / first if first else 1.0 for each in environments]
    return foretell(
        [
            Glimpse(whole.by_kind, whole.whole, {PrincipalType.USER.value: users.beyond}),
            *(Glimpse(one.by_kind, one.whole, expected, weight) for weight in weights),
        ]
    )
