"""Groups: empty ones, names that cannot be told apart, and members that are not users."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from permmigrate.diff import Severity
from permmigrate.model import Group, PrincipalType
from permmigrate.readiness.evidence import Evidence, group_name
from permmigrate.readiness.scoring import Issue, area, issue, plural
from permmigrate.readiness.value import Area


def assess_area(evidence: Evidence) -> Area:
    """Judge the groups; each group is a thing."""
    groups = evidence.snapshot.groups
    return area("groups", len(groups), _issues(evidence), _facts(evidence), evidence.unread_of("groups"))


def _issues(evidence: Evidence) -> Iterator[Issue]:
    groups, users = evidence.snapshot.groups, evidence.snapshot.user_by_id
    if alike := _alike(groups):
        yield issue(
            Severity.HIGH,
            "Groups whose names cannot be told apart",
            "The names are the same but for upper case or spaces: a share list or an override that names "
            "one of them can mean the other.",
            "Rename or merge them, or use their ids in share lists and overrides.",
            alike,
            lambda group: f"{group_name(group)} ({group.id})",
        )
    if empty := [group for group in groups if not group.member_ids]:
        yield issue(
            Severity.LOW,
            "Empty groups",
            "Nobody has their shares today; whoever joins after the move gets them.",
            "Delete the groups that nobody is waiting for.",
            empty,
            group_name,
        )
    if evidence.unread("people"):
        return
    if strangers := [group for group in groups if any(member not in users for member in group.member_ids)]:
        yield issue(
            Severity.MEDIUM,
            "Groups with members that are not users of the account",
            "The list of users does not have some of their members, so what these may do is not compared.",
            "Take the snapshot again; if they stay, remove the members in the Console.",
            strangers,
            lambda group: f"{group_name(group)}: {_strangers(group, evidence):,}",
        )


def _alike(groups: tuple[Group, ...]) -> list[Group]:
    by_name: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        by_name[" ".join(group.name.casefold().split())].append(group)
    return [group for same in by_name.values() if len(same) > 1 for group in same]


def _strangers(group: Group, evidence: Evidence) -> int:
    return sum(member not in evidence.snapshot.user_by_id for member in group.member_ids)


def _facts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    groups = evidence.snapshot.groups
    yield "Groups", f"{len(groups):,}"
    yield "Memberships", f"{sum(len(group.member_ids) for group in groups):,}"
    yield "Largest group", plural(max((len(group.member_ids) for group in groups), default=0), "member")
    yield "Users in at least one group", f"{len(evidence.snapshot.groups_of):,}"
    yield "Hold shares", f"{sum(each.type is PrincipalType.GROUP for each in evidence.sharers):,}"
    yield "Gain or may gain access", f"{evidence.gainers((PrincipalType.GROUP,)):,}"
