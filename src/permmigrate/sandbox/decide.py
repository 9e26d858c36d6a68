"""Decides what a principal may do, by Cedar, from the roles it really holds.

A role given at the wrong scope or to the wrong kind of principal is held and has no effect. It never looks
at legacy roles or shares: before the move keys may do everything that no custom policy forbids.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import cedarpy

from permmigrate.sandbox.columns import Assignment
from permmigrate.sandbox.state import Account, Role

_ENTITY: Final = {"user": "User", "group": "Group", "apiKey": "APIKey", "provisioningKey": "APIKey"}
_FORBIDDEN: Final = re.compile(r'forbid\s*\(\s*principal\s*==\s*\w+::\w+::"([^"]*)"')
_CACHE_SIZE: Final = 512


@dataclass(frozen=True, slots=True)
class Resource:
    """What an action is done to: a Cedar type, an id and its attributes."""

    type: str
    id: str
    attributes: Mapping[str, object] = field(default_factory=dict)


def has_effect(role: Role, row: Assignment) -> bool:
    """Whether an assignment does anything: the role fits its principal's kind, its scope and its content."""
    kind = row.principal_type
    match role.level:
        case "account":
            return row.scope_id is None and kind != "apiKey"
        case "environment":
            return row.scope_id is not None
        case "folder":
            return row.scope_id is not None and row.content_kind == "folder_id" and kind != "provisioningKey"
        case _:
            return (
                row.scope_id is not None
                and row.content_kind == "collection_id"
                and kind in ("user", "group")
                and role.management_type == "system"
            )


class Decider:
    """Answers requests against one account, remembering parsed policies."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._parsed: OrderedDict[str, cedarpy.PolicySet] = OrderedDict()
        self._decided: OrderedDict[tuple[str, str, str], tuple[cedarpy.Decision, list[str]]] = OrderedDict()

    def effective(
        self, principal: tuple[str, str], environment_id: str | None
    ) -> list[tuple[Role, Assignment]]:
        """The roles with an effect for a principal itself in an environment, or in the account (None)."""
        found = []
        for row in self._account.assignments.rows(principal=principal):
            role = self._account.roles.get(row.role_id)
            if role is None or not has_effect(role, row):
                continue
            if row.scope_id == environment_id or (environment_id is not None and row.scope_id == "all"):
                found.append((role, row))
        return found

    def holds_any(self, key_id: str, environment_id: str) -> bool:
        """Whether a key may do anything at all: with no role and no custom policy it may not."""
        if not self._account.enforced or self.effective(("apiKey", key_id), environment_id):
            return True
        return any(f'"{key_id}"' in text for text in self._custom(environment_id))

    def may_be_forbidden(self, key_id: str, environment_id: str) -> bool:
        """Whether some custom policy forbids anything that could be this key's."""
        return any(
            (named := _FORBIDDEN.match(effect)) is None or named[1] == key_id
            for text in self._custom(environment_id)
            for effect in re.findall(r"\bforbid\s*\(.*", text)
        )

    def key_allowed(self, key_id: str, environment_id: str, action: str, resource: Resource) -> bool:
        """Whether an API key may do an action. Before the move keys are bounded by forbids alone."""
        return self.allowed("apiKey", key_id, environment_id, action, resource)

    def allowed(
        self,
        principal_type: str,
        principal_id: str,
        environment_id: str | None,
        action: str,
        resource: Resource,
    ) -> bool:
        """Whether a principal may do an action on a resource, a user's groups counted in.

        Any permit is enough and any forbid refuses, whichever of the user and the groups it comes by.
        """
        principals = [(principal_type, principal_id)]
        groups = (
            [group.id for group in self._account.groups_of(principal_id)] if principal_type == "user" else []
        )
        principals += [("group", group) for group in groups]
        allowed = False
        for principal in principals:
            decision, reasons = self._ask(principal, groups, environment_id, action, resource)
            if decision is cedarpy.Decision.Deny and reasons:
                return False
            allowed = allowed or decision is cedarpy.Decision.Allow
        return allowed

    def _ask(
        self,
        principal: tuple[str, str],
        groups: list[str],
        environment_id: str | None,
        action: str,
        resource: Resource,
    ) -> tuple[cedarpy.Decision, list[str]]:
        texts = self._custom(environment_id)
        if principal[0] == "apiKey" and not self._account.enforced:
            texts.append("permit(principal, action, resource);")
        else:
            texts += self._statements(principal, environment_id, resource)
        if not texts:
            return cedarpy.Decision.Deny, []
        kind, identity = _ENTITY[principal[0]], principal[1]
        parents = [_uid("Group", group) for group in groups] if principal[0] == "user" else []
        entities = [
            {"uid": _uid(kind, identity), "attrs": self._attributes(principal), "parents": parents},
            {"uid": _uid(resource.type, resource.id), "attrs": dict(resource.attributes), "parents": []},
        ]
        request = {
            "principal": _uid(kind, identity),
            "action": _uid("Action", action),
            "resource": _uid(resource.type, resource.id),
            "context": {},
        }
        return self._decision(json.dumps(request), "\n".join(texts), json.dumps(entities))

    def _decision(self, request: str, policies: str, entities: str) -> tuple[cedarpy.Decision, list[str]]:
        """What Cedar says: all that it hangs on is in the arguments, so the same question is asked once."""
        known = self._decided.get((request, policies, entities))
        if known is None:
            answer = cedarpy.is_authorized(json.loads(request), self._policy_set(policies), entities)
            if answer.decision is cedarpy.Decision.NoDecision:
                raise RuntimeError(f"Cedar could not decide: {answer.diagnostics.errors}")
            known = self._decided[request, policies, entities] = answer.decision, answer.diagnostics.reasons
            if len(self._decided) > _CACHE_SIZE:
                self._decided.popitem(last=False)
        return known

    def _attributes(self, principal: tuple[str, str]) -> dict[str, object]:
        user = self._account.users.get(principal[1]) if principal[0] == "user" else None
        return {"root": user.root} if user else {}

    def _statements(
        self, principal: tuple[str, str], environment_id: str | None, resource: Resource
    ) -> list[str]:
        """The bound statements of the roles held; content that the resource is not in cannot matter."""
        inside: set[object] = {resource.id}
        for attribute in ("ancestor_ids", "collection_ids"):
            listed = resource.attributes.get(attribute)
            inside.update(listed if isinstance(listed, list | tuple) else ())
        texts: dict[str, None] = {}
        for role, row in self.effective(principal, environment_id):
            if not row.content_kind or row.content_id in inside:
                texts.update(dict.fromkeys(self.bound(role, row.parameters)))
        return list(texts)

    def bound(self, role: Role, parameters: Mapping[str, str]) -> list[str]:
        """A role's statements with its folder or collection put in place of the placeholder."""
        found = []
        for policy_id in role.policy_ids:
            policy = self._account.system_policies.get(policy_id)
            if policy is not None:
                found.append(bind(str(policy["policy"]), parameters))
        return found

    def _custom(self, environment_id: str | None) -> list[str]:
        scopes: Iterable[str | None] = (environment_id, "all") if environment_id else (None,)
        return [
            policy.statement
            for policy in self._account.custom_policies.values()
            if policy.enabled and policy.scope_id in scopes
        ]

    def _policy_set(self, text: str) -> cedarpy.PolicySet:
        parsed = self._parsed.get(text)
        if parsed is None:
            parsed = self._parsed[text] = cedarpy.PolicySet.from_str(text)
            if len(self._parsed) > _CACHE_SIZE:
                self._parsed.popitem(last=False)
        else:
            self._parsed.move_to_end(text)
        return parsed

    def account_key_may(self, key_id: str, action: str, kind: str, environment_id: str | None = None) -> bool:
        """Whether an account key may do an action on a kind of thing in the account or in an environment.

        Before the move account keys may do everything. Afterwards their roles are asked as any other
        principal's; that they are is an assumption: the vendor does not say which call needs which role.
        """
        if not self._account.enforced:
            return True
        resource = Resource(kind, "any")
        scopes: tuple[str | None, ...] = (None, environment_id) if environment_id else (None,)
        return any(self.allowed("provisioningKey", key_id, scope, action, resource) for scope in scopes)


def bind(statement: str, parameters: Mapping[str, str]) -> str:
    """Put ids in place of `<folder_id>` and `<collection_id>`."""
    for name, value in parameters.items():
        statement = statement.replace(f"<{name}>", value.replace("\\", "\\\\").replace('"', '\\"'))
    return statement


def _uid(kind: str, identity: str) -> dict[str, str]:
    return {"type": f"Cloudinary::{kind}", "id": identity}
