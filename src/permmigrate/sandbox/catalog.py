"""The sandbox's own illustrative catalog: roles, policies and Cedar schema, read from `catalog.json`.

It is not the vendor's catalog and must be labelled so wherever it shows: every entry says in `provenance`
what of it is known and how surely. Entries stay the plain mappings of the file, in the file's order;
turning them into answers of the wire is left to the server.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class SandboxCatalog:
    """What the sandbox serves. Nothing may change it: one value is shared by every sandbox of the process."""

    schema: Entry
    """Cedar's JSON schema, as `public/schema` serves it."""
    system_policies: tuple[Entry, ...]
    system_roles: tuple[Entry, ...]
    custom_roles: tuple[Entry, ...]
    """Example roles of a customer, most of them the vendor's own examples."""
    bundles: Mapping[str, tuple[str, ...]]
    """An access bundle's name and the ids of the roles it stands for."""

    @cached_property
    def policy_by_id(self) -> Mapping[str, Entry]:
        return {policy["id"]: policy for policy in self.system_policies}

    @cached_property
    def role_by_id(self) -> Mapping[str, Entry]:
        """System and custom roles together."""
        return {role["id"]: role for role in self.system_roles + self.custom_roles}

    def policies_of(self, role_id: str) -> tuple[Entry, ...]:
        """Return the role's policies in the role's order; raises KeyError for an id that is not here."""
        held = self.role_by_id[role_id]["system_policy_ids"]
        return tuple(self.policy_by_id[policy_id] for policy_id in held)


@cache
def load() -> SandboxCatalog:
    """Read the catalog that ships beside this module; raises KeyError when a section is missing."""
    content = json.loads(files("permmigrate.sandbox").joinpath("catalog.json").read_text(encoding="utf-8"))
    return SandboxCatalog(
        schema=content["schema"],
        system_policies=tuple(content["system_policies"]),
        system_roles=tuple(content["system_roles"]),
        custom_roles=tuple(content["custom_roles"]),
        bundles={name: tuple(roles) for name, roles in content["bundles"].items()},
    )
