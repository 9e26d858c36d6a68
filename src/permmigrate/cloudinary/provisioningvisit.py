"""The Provisioning API's side of a doctor's visit: first pages, and how many users there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from permmigrate.cloudinary import wire
from permmigrate.cloudinary.budget import PROVISIONING
from permmigrate.cloudinary.choices import CAREFUL_PAGE, KEYS_A_PAGE, USERS_A_PAGE
from permmigrate.cloudinary.credentials import AccountKeyPair
from permmigrate.cloudinary.record import Record
from permmigrate.cloudinary.usercount import Rows, Users, count
from permmigrate.cloudinary.visit import Question, Visit, of_account
from permmigrate.errors import CredentialsError, ServiceError
from permmigrate.model import ProductEnvironment
from permmigrate.snapshot.source import ListedGroup

PROVISIONING_API: Final = "Provisioning API"

_USERS: Final = f"{PROVISIONING}/users"
_GROUPS: Final = f"{PROVISIONING}/user_groups"


@dataclass(frozen=True, slots=True)
class ProvisioningSide:
    """What the API told; None for what it did not."""

    accepted: bool = False
    """Whether the account key is one."""
    environments: tuple[ProductEnvironment, ...] | None = None
    users: Users | None = None
    groups: tuple[ListedGroup, ...] = ()
    keys: int = 0
    """The keys of the environment that was looked at."""


def visit_provisioning(visit: Visit, account: AccountKeyPair) -> ProvisioningSide:
    """Look at the API; when the key is not accepted nothing else is asked with it."""
    question = of_account(account, PROVISIONING_API, "product environments", f"{PROVISIONING}/sub_accounts")
    environments = visit.ask(question, wire.environments, lambda rows: f"{len(rows)} product environments")
    if isinstance(visit.errors.get(question.subject), CredentialsError):
        for subject in ("users", "groups", "API keys"):
            visit.unchecked(PROVISIONING_API, subject, "the account key was not accepted")
        return ProvisioningSide()
    users = _users(visit, account)
    groups = _groups(visit, account)
    keys = _keys(visit, account, environments) if environments else 0
    return ProvisioningSide(True, environments, users, groups, keys)


def _users(visit: Visit, account: AccountKeyPair) -> Users | None:
    question = of_account(account, PROVISIONING_API, "users", _USERS, params={"page_size": USERS_A_PAGE})
    first = visit.peek(question, wire.users)
    if isinstance(first, ServiceError) and first.status == 400:
        question = replace(question, params={"page_size": CAREFUL_PAGE})
        first = visit.peek(question, wire.users)
    if isinstance(first, ServiceError):
        visit.refused(question, first)
        return None
    asked = int((question.params or {})["page_size"])

    def ask(number: int) -> Rows | ServiceError:
        return visit.peek(replace(question, params={"page_size": asked, "page": number}), wire.users)

    users = count(first, asked, ask)
    if users.error is not None:
        visit.refused(question, users.error)
    visit.answered(question, f"{users.total:,} users")
    if users.limited_ids:
        _environments_of(visit, account, users)
    return users


def _environments_of(visit: Visit, account: AccountKeyPair, users: Users) -> None:
    one = of_account(
        account,
        PROVISIONING_API,
        "environments of a user",
        f"{_USERS}/{{user_id}}/sub_accounts",
        user_id=users.limited_ids[0],
    )
    about = "" if users.exact else "about "
    visit.ask(one, wire.user_environments, lambda _: f"for {about}{users.limited:,} users it must be asked")


def _groups(visit: Visit, account: AccountKeyPair) -> tuple[ListedGroup, ...]:
    question = of_account(account, PROVISIONING_API, "groups", _GROUPS, params={"extended_details": True})
    groups = visit.ask(question, wire.groups, lambda rows: f"{len(rows):,} groups") or ()
    unknown = [row.group for row in groups if not row.members_known]
    if unknown:
        one = of_account(
            account,
            PROVISIONING_API,
            "members of a group",
            f"{_GROUPS}/{{group_id}}/users",
            group_id=unknown[0].id,
        )
        visit.ask(one, wire.group_users, lambda _: f"for {len(unknown):,} groups it must be asked")
    return groups


def _keys(visit: Visit, account: AccountKeyPair, environments: Sequence[ProductEnvironment]) -> int:
    """Look at one environment's keys; the others are asked in the same way."""
    first = environments[0]
    question: Question = of_account(
        account,
        PROVISIONING_API,
        "API keys",
        f"{PROVISIONING}/sub_accounts/{{sub_account_id}}/access_keys",
        params={"page_size": KEYS_A_PAGE},
        sub_account_id=first.id,
    )

    def parse(answer: Record) -> int:
        return answer.count("total") or len(wire.api_keys(answer, first.id))

    return visit.ask(question, parse, lambda keys: f"{keys:,} keys in {first.name}") or 0
