"""People: missing roles, administrators, reach beyond their environments, and who is not there any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Final

from permmigrate.diff import RegionKind, Severity
from permmigrate.mapping import Granted, LegacyKind
from permmigrate.model import PermissionType, PrincipalRef, PrincipalType, User
from permmigrate.readiness.evidence import Evidence, user_name
from permmigrate.readiness.scoring import Issue, area, issue
from permmigrate.readiness.value import Area

STALE_DAYS: Final = 180
"""Nobody who works in the account stays away for longer than half a year."""
FEWEST_ADMINISTRATORS: Final = 2
"""One lost password must not lock the account."""

_MASTER_ADMIN: Final = "master_admin"
_CONTENT: Final = (RegionKind.FOLDER, RegionKind.COLLECTION)


def assess_area(evidence: Evidence) -> Area:
    """Judge the people; each user is a thing."""
    found = chain(_roles(evidence), _administrators(evidence), _reach(evidence), _activity(evidence))
    users = evidence.snapshot.users
    return area("people", len(users), found, _facts(evidence), evidence.unread_of("people"))


def _roles(evidence: Evidence) -> Iterator[Issue]:
    unmapped = [user for user in evidence.snapshot.users if not _translated(evidence, user)]
    if none := [user for user in unmapped if not user.legacy_role]:
        yield issue(
            Severity.HIGH,
            "Users without a legacy role",
            "No role is on record and no override speaks of them: they would hold nothing after the move.",
            "Ask who they are, then give them a role in the Console or a row in overrides.csv.",
            none,
            user_name,
        )
    if unknown := [user for user in unmapped if user.legacy_role]:
        yield issue(
            Severity.HIGH,
            "Users with a legacy role that no table translates",
            "The mapping tables do not know their role: they would hold nothing after the move.",
            "Add the role to user_roles.csv, or give the users rows in overrides.csv.",
            unknown,
            lambda user: f"{user_name(user)}: {user.legacy_role}",
        )


def _translated(evidence: Evidence, user: User) -> bool:
    return bool(evidence.lookup.of_value(_ref(user), LegacyKind.USER_ROLE, user.legacy_role).rows)


def _administrators(evidence: Evidence) -> Iterator[Issue]:
    users = evidence.snapshot.users
    masters = [user for user in users if user.legacy_role == _MASTER_ADMIN]
    active = [user for user in masters if user.id in evidence.active]
    if users and len(active) < FEWEST_ADMINISTRATORS:
        yield issue(
            Severity.CRITICAL,
            "Fewer than two active master admins",
            f"The snapshot holds {_number(len(active))} who is enabled and has accepted the invitation: "
            "one lost password locks the account during the move.",
            "Make a second person master admin, and have both log in, before anything is changed.",
            active,
            user_name,
        )
    after = [
        summary
        for summary in evidence.diff.principals
        if summary.principal.type is PrincipalType.USER and summary.admin_after and not summary.dormant
    ]
    if users and evidence.snapshot.catalog.roles and len(after) < FEWEST_ADMINISTRATORS:
        yield issue(
            Severity.CRITICAL,
            "Fewer than two administrators after the move",
            f"By the mapping tables {_number(len(after))} surely manages users, roles or security "
            "afterwards.",
            "Change the rows that translate your master admins until two active people keep the account.",
            after,
            lambda summary: f"{summary.name} ({summary.detail})" if summary.detail else summary.name,
            (),
        )
    if dormant := [(user, state) for user in masters if (state := _inactive(evidence, user))]:
        yield issue(
            Severity.HIGH,
            "Dormant master admins",
            "They have every right in the account and do not use it; the move would renew it.",
            "Disable them or give them a smaller role before the move.",
            dormant,
            lambda pair: f"{user_name(pair[0])}: {pair[1]}",
            [user for user, _ in dormant],
        )


def _number(count: int) -> str:
    return "one person" if count else "nobody"


def _reach(evidence: Evidence) -> Iterator[Issue]:
    users = evidence.snapshot.users
    limited = (user for user in users if not user.all_environments and user.legacy_role != _MASTER_ADMIN)
    if elsewhere := [(user, names) for user in limited if (names := _gained_elsewhere(evidence, user))]:
        yield issue(
            Severity.HIGH,
            "Users limited to some environments who gain in others",
            "They gain, or may gain, access in product environments that were closed to them.",
            "Look the users up in the comparison, and narrow the scope of the rows it names as causes.",
            elsewhere,
            lambda pair: f"{user_name(pair[0])}: {', '.join(pair[1])}",
            [user for user, _ in elsewhere],
        )
    shut = _roles_without_content(evidence)
    if woken := [user for user in users if user.legacy_role in shut and _wakes(evidence, user)]:
        yield issue(
            Severity.HIGH,
            "Shares that come to life",
            "By the legacy baseline the role of these users kept them out of the Media Library, so their "
            "folder and collection shares had no effect; after the move they have.",
            "Remove the shares, or give the users override rows with target type none for them.",
            woken,
            lambda user: f"{user_name(user)}: {user.legacy_role}",
        )


def _gained_elsewhere(evidence: Evidence, user: User) -> list[str]:
    own = frozenset(user.environment_ids)
    gained = {finding.region.environment_id for finding in evidence.expansions.get(_ref(user), ())}
    return sorted(evidence.environment_names.get(each, each) for each in gained - own if each)


def _roles_without_content(evidence: Evidence) -> frozenset[str]:
    """The legacy roles for which the baseline says that no share had any effect."""
    policies = [
        policy
        for policy in evidence.snapshot.catalog.policies.values()
        if policy.permission_type is PermissionType.CONTENT
    ]
    return frozenset(
        role
        for role in {user.legacy_role for user in evidence.snapshot.users}
        if policies
        and all(
            evidence.tables.baseline(LegacyKind.USER_ROLE, role, policy).granted is Granted.NO
            for policy in policies
        )
    )


def _wakes(evidence: Evidence, user: User) -> bool:
    """Whether the user holds shares, by itself or through a group, and gains on a folder or collection."""
    groups = evidence.snapshot.groups_of.get(user.id, ())
    holders = (_ref(user), *(PrincipalRef(PrincipalType.GROUP, group) for group in groups))
    return any(holder in evidence.sharers for holder in holders) and any(
        finding.region.kind in _CONTENT for finding in evidence.expansions.get(_ref(user), ())
    )


_ACTIVITY: Final = {
    "invitation pending": (
        Severity.MEDIUM,
        "Pending invitations",
        "They have never accepted; whatever role they are given waits for whoever opens the mail.",
        "Withdraw the invitations nobody waits for, and remind the others.",
    ),
    "disabled": (
        Severity.LOW,
        "Disabled users",
        "Their roles are moved too and take effect when somebody enables them again.",
        "Delete those who have left, or give them override rows with target type none.",
    ),
    "never logged in": (
        Severity.MEDIUM,
        "Users who never logged in",
        "They are enabled and the account has no log-in on record for them.",
        "Ask whether they need the seat; disable those who do not.",
    ),
    "dormant": (
        Severity.MEDIUM,
        f"Users who have not logged in for {STALE_DAYS} days",
        "Nobody would notice what they gain or lose.",
        "Disable them, or have their owner confirm them before the move.",
    ),
}


def _activity(evidence: Evidence) -> Iterator[Issue]:
    users = evidence.snapshot.users
    states: dict[str, list[User]] = {state: [] for state in _ACTIVITY}
    for user in users:
        if state := _inactive(evidence, user):
            states[state if state in states else "dormant"].append(user)
    for state, (severity, title, detail, action) in _ACTIVITY.items():
        if states[state]:
            yield issue(severity, title, detail, action, states[state], user_name)
    loners = [user for user in users if user.id not in evidence.snapshot.groups_of]
    if loners and not evidence.unread("groups"):
        yield issue(
            Severity.LOW,
            "Users in no group",
            "What they may do hangs on their own role and shares alone, and must be kept up one by one.",
            "Put those who share a job into a group, and give the group the shares.",
            loners,
            user_name,
        )


def _inactive(evidence: Evidence, user: User) -> str:
    """Why the user does not act today, or the empty string; an unreadable log-in date counts as active."""
    if user.pending:
        return "invitation pending"
    if not user.enabled:
        return "disabled"
    if not user.last_login:
        return "never logged in"
    days = evidence.days_since(user.last_login)
    return f"last log-in {days:,} days ago" if days is not None and days > STALE_DAYS else ""


def _facts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    users = evidence.snapshot.users
    masters = [user.id for user in users if user.legacy_role == _MASTER_ADMIN]
    unreadable = [user for user in users if user.last_login and evidence.days_since(user.last_login) is None]
    yield "Users", f"{len(users):,}"
    yield "Enabled and not pending", f"{len(evidence.active):,}"
    yield "Pending", f"{sum(user.pending for user in users):,}"
    yield "Disabled", f"{sum(not user.enabled for user in users):,}"
    yield (
        "Master admins, active of all",
        f"{len(evidence.active.intersection(masters)):,} of {len(masters):,}",
    )
    yield "Limited to some environments", f"{sum(not user.all_environments for user in users):,}"
    yield "Last log-in not readable as a date", f"{len(unreadable):,}"
    yield "Gain or may gain access", f"{evidence.gainers((PrincipalType.USER,)):,}"
    for role, count in sorted(Counter(user.legacy_role for user in users).items()):
        yield f"Legacy role {role or '(none)'}", f"{count:,}"


def _ref(user: User) -> PrincipalRef:
    return PrincipalRef(PrincipalType.USER, user.id)
