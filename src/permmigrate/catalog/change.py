"""What changed between two catalogs: roles, policies, schema, and the roles that it reaches.

It compares texts and lists, and does not say who gains: that is what the comparison of two sides is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from permmigrate.catalog.value import Catalog
from permmigrate.model import Policy, PolicyId, Role, RoleId

ADDED: Final = "added"
REMOVED: Final = "removed"
RENAMED: Final = "renamed"
NEW_ID: Final = "has another id"
CONTENTS: Final = "contents changed"
STATEMENT: Final = "statement changed"
REWORDED: Final = "reworded"
CHANGED: Final = "changed"


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """One thing that is not as it was."""

    subject: str
    """`role`, `policy` or `schema`."""
    id: str
    name: str
    kind: str
    """`added`, `removed`, `renamed`, `has another id`, `contents changed`, `statement changed`, ..."""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def matters(self) -> bool:
        """Whether it can change what anybody may do: a name or a description cannot."""
        return self.kind not in (RENAMED, REWORDED)


@dataclass(frozen=True, slots=True)
class CatalogChanges:
    """Everything that changed, sorted, and the roles whose holders it can reach."""

    changes: tuple[CatalogChange, ...]
    roles: tuple[RoleId, ...]
    """Roles, of before or after, that were changed themselves or hold a policy that was."""


def catalog_changes(before: Catalog, after: Catalog) -> CatalogChanges:
    """Compare two catalogs. Blanks in a statement do not count; the order of a role's policies neither."""
    roles, policies = list(_role_changes(before, after)), list(_policy_changes(before, after))
    schema = list(_schema_changes(before.schema, after.schema))
    changed = {change.id for change in policies if change.matters}
    types = {name for change in schema for one in (before, after) for name in _reach(change.name, one.schema)}
    reached = {RoleId(change.id) for change in roles if change.matters}
    for catalog in (before, after):
        for role in catalog.roles.values():
            if changed & set(role.policy_ids) or any(
                types & _types_of(policy) for policy in catalog.policies_of(role)
            ):
                reached.add(role.id)
    order = {"role": 0, "policy": 1, "schema": 2}
    found = sorted((*roles, *policies, *schema), key=lambda c: (order[c.subject], c.id, c.kind))
    return CatalogChanges(tuple(found), tuple(sorted(reached)))


def _role_changes(before: Catalog, after: Catalog) -> Iterator[CatalogChange]:
    gone = {id_: role for id_, role in before.roles.items() if id_ not in after.roles}
    new = {id_: role for id_, role in after.roles.items() if id_ not in before.roles}
    for role in gone.values():
        same = [one for one in new.values() if _selector(one) == _selector(role)]
        if len(same) == 1:
            del new[same[0].id]
            yield CatalogChange("role", same[0].id, role.name, NEW_ID, (role.id,), (same[0].id,))
            yield from _contents(role, same[0])
        else:
            yield CatalogChange("role", role.id, role.name, REMOVED, before=tuple(sorted(role.policy_ids)))
    for role in new.values():
        yield CatalogChange("role", role.id, role.name, ADDED, after=tuple(sorted(role.policy_ids)))
    for id_, role in before.roles.items():
        if id_ in after.roles:
            yield from _contents(role, after.roles[id_])


def _selector(role: Role) -> tuple[str, str]:
    return role.level, role.name.casefold()


def _contents(old: Role, new: Role) -> Iterator[CatalogChange]:
    if old.name != new.name:
        yield CatalogChange("role", new.id, new.name, RENAMED, (old.name,), (new.name,))
    gone, come = set(old.policy_ids) - set(new.policy_ids), set(new.policy_ids) - set(old.policy_ids)
    if gone or come:
        yield CatalogChange("role", new.id, new.name, CONTENTS, tuple(sorted(gone)), tuple(sorted(come)))
    if _nature(old) != _nature(new):
        yield CatalogChange("role", new.id, new.name, CHANGED, _nature(old), _nature(new))
    if old.description != new.description:
        yield CatalogChange("role", new.id, new.name, REWORDED, (old.description,), (new.description,))


def _nature(one: Role | Policy) -> tuple[str, ...]:
    return (one.scope_type.value, one.permission_type.value, *one.parameters)


def _policy_changes(before: Catalog, after: Catalog) -> Iterator[CatalogChange]:
    for id_ in sorted({*before.policies, *after.policies}):
        yield from _policy(id_, before.policies.get(id_), after.policies.get(id_))


def _policy(id_: PolicyId, old: Policy | None, new: Policy | None) -> Iterator[CatalogChange]:
    if old is None and new is not None:
        yield CatalogChange("policy", id_, new.name, ADDED, after=(new.statement,))
    elif new is None and old is not None:
        yield CatalogChange("policy", id_, old.name, REMOVED, before=(old.statement,))
    elif old is not None and new is not None:
        if old.name != new.name:
            yield CatalogChange("policy", id_, new.name, RENAMED, (old.name,), (new.name,))
        if _plain(old.statement) != _plain(new.statement):
            yield CatalogChange("policy", id_, new.name, STATEMENT, (old.statement,), (new.statement,))
        if _nature(old) != _nature(new):
            yield CatalogChange("policy", id_, new.name, CHANGED, _nature(old), _nature(new))
        old_words = (old.description, old.category, old.sub_category)
        new_words = (new.description, new.category, new.sub_category)
        if old_words != new_words:
            yield CatalogChange("policy", id_, new.name, REWORDED, old_words, new_words)


def _plain(statement: str) -> str:
    """The statement with blanks outside its literals made one: the service rewrites them."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', statement)
    return "".join(part if n % 2 else re.sub(r"\s+", " ", part) for n, part in enumerate(parts)).strip()


def _types_of(policy: Policy) -> set[str]:
    """The entity types and actions that a statement names, `Cloudinary::Asset`."""
    text = policy.statement
    found = set(re.findall(r"\b([A-Za-z_]\w*::[A-Za-z_]\w*)", text))
    return found | {
        f"{space}::{name}" for space, name in re.findall(r'([A-Za-z_]\w*)::Action::"([^"]*)"', text)
    }


def _reach(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """What a statement may name to be reached by a changed definition: itself, and what an action is on."""
    yield name
    space, _, own = name.rpartition("::")
    action = ((schema.get(space) or {}).get("actions") or {}).get(own) or {}
    for one in (action.get("appliesTo") or {}).get("resourceTypes") or ():
        yield one if "::" in one else f"{space}::{one}"


def _schema_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[CatalogChange]:
    for space in sorted({*before, *after}):
        old, new = before.get(space) or {}, after.get(space) or {}
        for kind, section in (("entity type", "entityTypes"), ("action", "actions"), ("type", "commonTypes")):
            old_part, new_part = old.get(section) or {}, new.get(section) or {}
            for name in sorted({*old_part, *new_part}):
                yield from _definition(
                    kind, f"{space}::{name}" if space else name, old_part.get(name), new_part.get(name)
                )


def _definition(kind: str, name: str, old: Any, new: Any) -> Iterator[CatalogChange]:
    if old == new:
        return
    old_facts, new_facts = (frozenset(_facts(one)) for one in (old, new))
    what = ADDED if old is None else REMOVED if new is None else CHANGED
    yield CatalogChange(
        "schema", f"{kind} {name}", name, what,
        tuple(sorted(old_facts - new_facts)), tuple(sorted(new_facts - old_facts)),
    )  # fmt: skip


def _facts(value: Any, where: str = "") -> Iterator[str]:
    """A definition as flat facts: `appliesTo.resourceTypes: Asset`."""
    if isinstance(value, Mapping) and value:
        for name in sorted(value):
            yield from _facts(value[name], f"{where}.{name}" if where else str(name))
    elif isinstance(value, list) and value:
        for item in value:
            yield from _facts(item, where)
    elif value is not None:
        yield f"{where}: {value}" if where else str(value)
