"""What the choosing of roles, keys and shares has in common: the look-ups, and answers as rows to write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Final

from permmigrate.mapping.lookup import Lookup
from permmigrate.mapping.overrides import Overrides
from permmigrate.mapping.recipes import Recipe
from permmigrate.mapping.rows import Scope, ScopeKind, TargetRow
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.value import RowRef
from permmigrate.model import Confidence, RoleId, ScopeType
from permmigrate.snapshot import Snapshot
from permmigrate.suggest.offers import Offers
from permmigrate.suggest.phrases import cost_words, counted, given_at, listed, named, role_words
from permmigrate.suggest.solve import Answer, Question, answer
from permmigrate.suggest.value import Cost, NewRole, Pick

ENVIRONMENT: Final = "environment"
ACCOUNT: Final = "account"


@dataclass
class Chooser:
    """One suggestion under way."""

    snapshot: Snapshot
    tables: MappingTables
    today: date
    new_roles: bool
    """Whether roles may be created."""
    keep_doubtful: bool
    made: dict[str, NewRole] = field(default_factory=dict)
    """The roles to be created, by name."""
    kept: list[str] = field(default_factory=list)
    """What was left to the people who decided it, in words."""

    @cached_property
    def offers(self) -> Offers:
        return Offers(self.snapshot, self.tables)

    @cached_property
    def overrides(self) -> Overrides:
        return Overrides(self.tables, self.snapshot, self.today)

    @cached_property
    def lookup(self) -> Lookup:
        return Lookup(self.tables, replace(self.snapshot, catalog=self.offers.catalog), self.today)

    @cached_property
    def _rows(self) -> Mapping[RowRef, TargetRow]:
        return {row.ref: row for row in self.tables.target_rows()}

    def rows_of(self, recipe: Recipe) -> tuple[TargetRow, ...]:
        """The rows that a recipe was made from, without those of bundles."""
        return tuple(self._rows[ref] for ref in recipe.rows if ref in self._rows)

    def answer(self, question: Question, *, new_roles: bool = True) -> Answer:
        """Answer a question with the roles there are, or with new ones where both allow them."""
        return answer(
            self.offers,
            question,
            new_roles=new_roles and self.new_roles,
            keep_doubtful=self.keep_doubtful,
        )

    def picks(self, found: Answer, level: str, scope: Scope, name: str) -> tuple[Pick, ...]:
        """The answer as roles to give at a scope; a role to be created is noted under `name`."""
        if found.policies:
            purpose = f"{name}: exactly what it surely allowed before the move"
            role = NewRole(self._free_name(name, found), level, found.policies, purpose)
            self.made[role.name] = role
            return (Pick(role.target, f"new role {role.name}", scope),)
        return tuple(Pick(role_id, self.role_words(role_id), scope) for role_id in found.roles)

    def _free_name(self, name: str, found: Answer) -> str:
        """The name, with a number where another new role has it."""
        taken = {row.role.casefold() for row in self.tables.custom_roles}
        taken |= {role.name.casefold() for role in self.snapshot.catalog.roles.values()}
        number, free = 1, name
        while free.casefold() in taken or (free in self.made and self.made[free].policies != found.policies):
            number += 1
            free = f"{name} {number}"
        return free

    def role_words(self, role_id: RoleId) -> str:
        return role_words(role_id, self.offers.catalog)

    def why(self, found: Answer) -> str:
        """Why this answer and nothing else."""
        if found.unknown:
            return "nobody knows anything it surely allowed: say so in legacy_baseline.csv"
        if found.policies:
            without = found.without or Cost()
            loses = f" and loses {named(without.lost)}" if without.lost else ""
            return (
                f"the best of the catalog adds {_added(without)}{loses}; "
                f"a new role of exactly what is needed: {cost_words(found.cost)}"
            )
        if found.cost.is_exact:
            words = cost_words(found.cost)
        else:
            proof = "less would lose something" if found.proved else "the best found, not proved the least"
            words = f"{cost_words(found.cost)}; no role of the catalog fits exactly, and {proof}"
        return words


def _added(cost: Cost) -> str:
    parts = [counted(cost.gained)] if cost.gained else []
    if cost.maybe_gained:
        parts.append(f"perhaps {counted(cost.maybe_gained)}")
    return listed(parts) or "nothing"


def decided_by_hand(rows: Iterable[TargetRow]) -> bool:
    """Whether a person decided one of the rows: such rows are not touched."""
    return any(row.origin.confidence is Confidence.CUSTOMER for row in rows)


def given_words(recipe: Recipe, chooser: Chooser) -> tuple[str, ...]:
    """What a recipe gives, in words; `nothing` for rows that deliberately give nothing."""
    words = [given_at(chooser.role_words(step.role.id), step.scope) for step in recipe.steps]
    words += [str(obstacle) for obstacle in recipe.obstacles]
    return tuple(dict.fromkeys(words))


def given_roles(recipe: Recipe, level: str, *, one_environment: bool) -> tuple[RoleId, ...]:
    """The roles of a level that a recipe gives wherever the holder is; one environment may be everywhere."""
    return tuple(
        dict.fromkeys(
            step.role.id
            for step in recipe.steps
            if step.role.level == level and (step.scope.kind is not ScopeKind.ONE or one_environment)
        )
    )


SCOPES: Final = {ACCOUNT: ScopeType.ACCOUNT, ENVIRONMENT: ScopeType.ENVIRONMENT}
