"""API keys and account keys: too much power or none, age, names, environments that hang on one key."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import Final

from permmigrate.diff import Severity
from permmigrate.mapping.recipes import Recipe
from permmigrate.model import AccountKey, ApiKey, PrincipalRef, PrincipalType
from permmigrate.readiness.evidence import Evidence
from permmigrate.readiness.scoring import Issue, area, issue
from permmigrate.readiness.value import Area

OLD_DAYS: Final = 730
"""Two years."""

_MASTER_ADMIN: Final = "master admin"


def assess_area(evidence: Evidence) -> Area:
    """Judge the keys; each API key and each known account key is a thing."""
    snapshot = evidence.snapshot
    things = len(snapshot.api_keys) + len(snapshot.account_keys)
    found = chain(_power(evidence), _hygiene(evidence), _environments(evidence), _account_keys(evidence))
    return area("keys", things, found, _facts(evidence), evidence.unread_of("keys"))


def _power(evidence: Evidence) -> Iterator[Issue]:
    recipes = {key: _recipe(evidence, key) for key in evidence.snapshot.api_keys}
    if strong := [key for key, recipe in recipes.items() if _gives_master(recipe, "environment")]:
        yield issue(
            Severity.HIGH,
            "API keys that would become environment Master Admin",
            "By the mapping tables they may do everything in their product environment, settings and other "
            "keys included; whoever finds one owns the environment.",
            "Find out what each key is used for and put a row with a smaller role above in api_keys.csv.",
            strong,
            evidence.key_name,
        )
    if powerless := [k for k, r in recipes.items() if k.enabled and not r.steps and not r.nothing]:
        yield issue(
            Severity.HIGH,
            "API keys that would hold no role",
            "No row of the mapping tables gives them a role: every call with them is refused (403) after "
            "the move.",
            "Add a row to api_keys.csv that matches them.",
            powerless,
            evidence.key_name,
        )


def _recipe(evidence: Evidence, key: ApiKey) -> Recipe:
    return evidence.lookup.of_api_key(PrincipalRef(PrincipalType.API_KEY, key.id), key)


def _gives_master(recipe: Recipe, level: str) -> bool:
    return any(
        step.role.level == level and step.role.name.casefold() == _MASTER_ADMIN for step in recipe.steps
    )


def _hygiene(evidence: Evidence) -> Iterator[Issue]:
    keys = evidence.snapshot.api_keys
    if old := [key for key in keys if (evidence.days_since(key.created_at) or 0) > OLD_DAYS]:
        yield issue(
            Severity.MEDIUM,
            "API keys older than two years",
            "Their secrets have had a long time to spread, and the move would renew what they open.",
            "Replace them with new keys that hold only what their integration needs.",
            old,
            evidence.key_name,
        )
    if disabled := [key for key in keys if not key.enabled]:
        yield issue(
            Severity.MEDIUM,
            "Disabled API keys",
            "They do nothing today; the role they are given takes effect when somebody enables them.",
            "Delete them, or put a row with target type none for disabled keys into api_keys.csv.",
            disabled,
            evidence.key_name,
        )
    if unnamed := [key for key in keys if not key.name.strip()]:
        yield issue(
            Severity.MEDIUM,
            "API keys without a name",
            "Nobody can tell what they are for, so nobody can give them less.",
            "Name each after the integration that uses it.",
            unnamed,
            evidence.key_name,
        )
    names = Counter((key.environment_id, _folded(key.name)) for key in keys)
    if twins := [k for k in keys if k.name.strip() and names[k.environment_id, _folded(k.name)] > 1]:
        yield issue(
            Severity.MEDIUM,
            "API keys with the same name in one environment",
            "A mapping row that names one of them means all of them.",
            "Rename them, or match them by their ids in api_keys.csv.",
            twins,
            evidence.key_name,
        )


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _environments(evidence: Evidence) -> Iterator[Issue]:
    enabled: dict[str, list[ApiKey]] = defaultdict(list)
    for key in evidence.snapshot.api_keys:
        if key.enabled:
            enabled[key.environment_id].append(key)
    if alone := [keys[0] for keys in enabled.values() if len(keys) == 1]:
        yield issue(
            Severity.MEDIUM,
            "Environments with a single API key",
            "Everything that calls the environment uses the one key: it cannot be given less without "
            "stopping some of it, and a wrong role stops all of it.",
            "Give each integration a key of its own before the move.",
            alone,
            evidence.key_name,
        )


def _account_keys(evidence: Evidence) -> Iterator[Issue]:
    keys = evidence.snapshot.account_keys
    if keys:
        strong = sum(_account_master(evidence, key) for key in keys)
        yield issue(
            Severity.MEDIUM,
            "Account keys",
            f"They can change users, groups and roles of the whole account; {strong:,} of {len(keys):,} "
            "would become account Master Admin. No API lists account keys: these are known because they "
            "were used or hold a role, and there may be others.",
            "Compare with the list in the Console, revoke those nobody uses, and narrow the rest in "
            "account_keys.csv.",
            keys,
            lambda key: f"{key.name} ({key.id})" if key.name else key.id,
        )


def _account_master(evidence: Evidence, key: AccountKey) -> bool:
    ref = PrincipalRef(PrincipalType.ACCOUNT_KEY, key.id)
    return _gives_master(evidence.lookup.of_account_key(ref, key.name), "account")


def _facts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    keys = evidence.snapshot.api_keys
    yield "API keys", f"{len(keys):,}"
    yield "Enabled", f"{sum(key.enabled for key in keys):,}"
    yield "Age not known", f"{sum(evidence.days_since(key.created_at) is None for key in keys):,}"
    yield "Account keys known", f"{len(evidence.snapshot.account_keys):,}"
    gainers = evidence.gainers((PrincipalType.API_KEY, PrincipalType.ACCOUNT_KEY))
    yield "Gain or may gain access", f"{gainers:,}"
    count = Counter(key.environment_id for key in keys)
    for environment in evidence.snapshot.environments:
        yield f"API keys in {evidence.environment_names[environment.id]}", f"{count[environment.id]:,}"
