"""Makes the imaginary accounts: a media company with regions, brands and agencies, in three sizes.

Everything comes from the seed: the same seed and size make the same account, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Final

from permmigrate.sandbox import handmade, people, tree
from permmigrate.sandbox.catalog import load
from permmigrate.sandbox.context import secret, stable_id
from permmigrate.sandbox.roles import CATALOG_TIME
from permmigrate.sandbox.state import (
    Account,
    AccountKey,
    Environment,
    Group,
    Key,
    Role,
    User,
)

DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything an account has."""

    users: int
    groups: int
    folders: tuple[int, ...]
    """Folders in each environment."""
    shares: int
    assets: int
    """Assets in each environment."""


SIZES: Final = {
    "small": Size(40, 8, (100, 50), 400, 40),
    "medium": Size(1_500, 80, (5_000, 2_000, 1_000), 40_000, 80),
    "large": Size(10_000, 500, (55_000, 20_000, 15_000, 7_000, 3_000), 1_000_000, 120),
}
_ENVIRONMENTS: Final = (
    ("Meridian Production", "meridian-prod", "Everything that is published"),
    ("Meridian Staging", "meridian-staging", "Where websites are tried out"),
    ("Meridian Brasil", "meridian-br", "The Brazilian subsidiary"),
    ("Partner Portal", "meridian-partners", "Agencies and licensees"),
    ("Cold Archive (2012-2018)", "meridian-archive", ""),
)
_KEYS: Final = (
    ("website-prod", 9.0, True),
    ("legacy-import", 8.2, True),
    ("mobile-app", 5.5, True),
    ("old-cms (do not use)", 7.7, False),
    ("ci-uploader", 2.1, True),
    ("bynder sync", 4.4, True),
)
"""Names of an environment's keys, their ages in years, and whether they are enabled."""
_AWKWARD_KEYS: Final = ((people.FORMULA, 1.0, True), (people.IMAGE, 0.6, False), ("Root", 10.0, True))
"""Only in the first environment."""
_GROUPS: Final = (
    "Brand Managers",
    "Brand  Managers",
    "Agency Northlight",
    "Editors EMEA",
    "Finance & Reporting",
    "Summer Interns 2019",
    people.FORMULA,
    "摄影师 Photographers",
)
EMPTY_GROUP: Final = 5
FINANCE_GROUP: Final = 4


def make(size: str, seed: int, now: int, *, enforced: bool) -> Account:
    """Make an account as of the epoch `now`. Raises ValueError for an unknown size."""
    if size not in SIZES:
        raise ValueError(f"there is no account size `{size}`: use {', '.join(SIZES)}")
    wanted, catalog = SIZES[size], load()
    environments = [
        Environment(
            stable_id(seed, "environment", n, 32),
            name,
            cloud if seed == 1 else f"{cloud}-{seed}",
            text,
            n != 4,
            now - (10 - n) * 365 * DAY,
            now - (40 + n) * DAY,
        )
        for n, (name, cloud, text) in enumerate(_ENVIRONMENTS[: len(wanted.folders)])
    ]
    users = people.users(seed, wanted.users, [environment.id for environment in environments], now)
    groups = _groups(seed, wanted.groups, users, now)
    keys = _keys(seed, environments, now)
    folders = tree.plant(seed, list(wanted.folders), now)
    account = Account(
        id=stable_id(seed, "account", size, 32),
        name="Meridian Media Group",
        seed=seed,
        environments=environments,
        keys={key.id: key for key in keys},
        account_keys={key.id: key for key in _account_keys(seed)},
        users={user.id: user for user in users},
        groups={group.id: group for group in groups},
        folders=folders,
        assets=tree.fill(seed, folders, len(environments), wanted.assets, now),
        roles=_roles(catalog.system_roles, catalog.custom_roles, now),
        custom_policies={},
        system_policies={policy["id"]: dict(policy) for policy in catalog.system_policies},
        schema=dict(catalog.schema),
        enforced=enforced,
    )
    written = handmade.policies(seed, environments, users, groups, keys, folders, now)
    account.custom_policies = {policy.id: policy for policy in written}
    return account


def _digits(seed: int, kind: str, number: object) -> str:
    """Fifteen digits, the first not zero, as the vendor's keys are."""
    return str(
        int(stable_id(seed, f"digits/{kind}", number, 16), 16) % 9 * 10**14
        + 10**14
        + int(stable_id(seed, f"more/{kind}", number, 12), 16) % 10**14
    )


def _keys(seed: int, environments: list[Environment], now: int) -> list[Key]:
    found = []
    for n, environment in enumerate(environments):
        for name, age, enabled in _KEYS + (_AWKWARD_KEYS if n == 0 else ()):
            created = now - int(age * 365 * DAY) - n * 3 * DAY
            label = f"{n}/{name}"
            found.append(
                Key(
                    _digits(seed, "key", label),
                    secret(seed, "key", label),
                    name,
                    environment.id,
                    enabled,
                    created,
                    created + 20 * DAY,
                )
            )
    return found


def _account_keys(seed: int) -> list[AccountKey]:
    return [
        AccountKey(_digits(seed, "account", n), secret(seed, "account", n), name)
        for n, name in enumerate(("provisioning", "audit-readonly"))
    ]


def _groups(seed: int, number: int, users: list[User], now: int) -> list[Group]:
    random = Random(f"{seed}/groups")
    regions, crafts = (
        ("EMEA", "APAC", "LATAM", "Nordics", "DACH", "日本"),
        ("Designers", "Editors", "Video", "Social"),
    )
    open_to = [n for n in range(len(users)) if not people.is_ungrouped(n)]
    finance = [n for n in open_to if users[n].role in ("billing", "reports")]
    found = []
    for n in range(number):
        name = _GROUPS[n] if n < len(_GROUPS) else f"{random.choice(crafts)} {random.choice(regions)} {n}"
        members: list[int] = []
        if n == FINANCE_GROUP:
            members = sorted(finance + random.sample(open_to, 3))
        elif n != EMPTY_GROUP:
            members = sorted(random.sample(open_to, min(len(open_to), max(4, len(users) * 3 // number))))
        created = now - (3000 - n * 5) * DAY
        ids = dict.fromkeys(users[member].id for member in members)
        found.append(Group(stable_id(seed, "group", n), name, ids, created, created + 300 * DAY))
    return found


def _roles(system: tuple[Any, ...], custom: tuple[Any, ...], now: int) -> dict[str, Role]:
    found = {}
    for kind, entries in (("system", system), ("custom", custom)):
        for entry in entries:
            created = CATALOG_TIME if kind == "system" else now - 200 * DAY
            found[entry["id"]] = Role(
                entry["id"],
                entry["name"],
                entry["description"],
                kind,
                entry["permission_type"],
                entry["scope_type"],
                tuple(entry["system_policy_ids"]),
                tuple(entry["policy_parameters"]),
                created,
                created,
            )
    policies = found["upload_manager_12334565"].policy_ids
    found["awkward_name_9f2c"] = Role(
        "awkward_name_9f2c",
        people.SCRIPT,
        people.FORMULA,
        "custom",
        "global",
        "prodenv",
        policies,
        (),
        now - 90 * DAY,
        now - 90 * DAY,
    )
    return found
