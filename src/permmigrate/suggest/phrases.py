"""Costs and choices as sentences: for the notes in the rows and for the person who decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from permmigrate.catalog import Catalog
from permmigrate.diff import Severity
from permmigrate.mapping.custom_roles import NEW_ROLE
from permmigrate.mapping.rows import Scope, ScopeKind
from permmigrate.model import ManagementType, RoleId
from permmigrate.suggest.value import Cost, Items, NewRole

NAMED: Final = 4
"""How many capabilities a sentence names."""


def counted(items: Items) -> str:
    """`2 critical, 1 high`; `nothing` when empty."""
    counts = Counter(item.severity for item in items)
    return ", ".join(f"{counts[s]} {s.value}" for s in Severity if counts[s]) or "nothing"


def named(items: Items) -> str:
    """`2 critical, 1 high: Delete assets, Share folders and 1 more`; `nothing` when empty."""
    if not items:
        return "nothing"
    shown = ", ".join(item.label for item in items[:NAMED])
    more = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
    return f"{counted(items)} ({shown}{more})"


def cost_words(cost: Cost) -> str:
    """What one holder gains and loses: "loses nothing; adds 1 high (Delete assets)"."""
    parts = [f"loses {named(cost.lost)}"]
    if cost.maybe_lost:
        parts.append(f"may lose {named(cost.maybe_lost)}")
    parts.append(f"adds {named(cost.gained)}")
    if cost.maybe_gained:
        parts.append(f"may add {named(cost.maybe_gained)}")
    return "; ".join(parts)


_EVERYWHERE: Final = {
    ScopeKind.EACH: " in each environment",
    ScopeKind.ALL: " in all environments, tomorrow's too",
}


def given_at(words: str, scope: Scope) -> str:
    """A role in words with where it is given, as far as its level does not say so."""
    place = f" in environment {scope.environment}" if scope.kind is ScopeKind.ONE else ""
    return words + _EVERYWHERE.get(scope.kind, place)


def role_words(role_id: RoleId, catalog: Catalog) -> str:
    """`folder role Editor`, `custom folder role Proofreader`, `new role legacy-editor`."""
    role = catalog.roles.get(role_id)
    if role is None or role.id.startswith(NEW_ROLE):
        return f"new role {role_id.removeprefix(NEW_ROLE)}"
    custom = "custom " if role.management_type is ManagementType.CUSTOM else ""
    return f"{custom}{role.level} role {role.name}"


def policies(role: NewRole) -> str:
    """`1 policy`, `22 policies`."""
    return "1 policy" if len(role.policies) == 1 else f"{len(role.policies)} policies"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)
