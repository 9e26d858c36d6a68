"""From the rows that speak of a grant to the roles they ask for, with everything that forbids one.

A recipe holds for every grant of its kind: what depends on the one grant (its environments, its folder) is
left to `translate`. `lint` reads the same recipes, so what lint passes is what translate can do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from permmigrate.catalog import Catalog, UnknownTarget, refusal, scope_refusal
from permmigrate.mapping.reading import did_you_mean
from permmigrate.mapping.rows import BundleRow, Scope, ScopeKind, TargetRow, TargetType
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.value import LegacyKind, RowRef
from permmigrate.model import PrincipalType, Role


@dataclass(frozen=True, slots=True)
class Step:
    """One role to give, and where."""

    role: Role
    scope: Scope
    row: RowRef
    bundle_row: RowRef | None = None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a row cannot be carried out."""

    rule: str
    """`unknown-role`, `unknown-bundle`, `wrong-principal` or `wrong-scope`."""
    reason: str
    hint: str
    row: RowRef
    """The row that translates the grant."""
    at: RowRef
    """The row to change: the same, or one of the bundle's."""

    def __str__(self) -> str:
        return self.reason + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, eq=False)
class Recipe:
    """What a group of rows makes of a grant of one kind, held by one kind of principal."""

    rows: tuple[RowRef, ...]
    """Every row that was asked, those of bundles included; empty when no row speaks of the grant."""
    steps: tuple[Step, ...]
    obstacles: tuple[Obstacle, ...]
    nothing: RowRef | None = None
    """The row that deliberately gives nothing."""


def recipe(
    rows: Sequence[TargetRow],
    kind: LegacyKind,
    holder: PrincipalType,
    tables: MappingTables,
    catalog: Catalog,
) -> Recipe:
    """Resolve the targets of rows that apply together."""
    used: dict[RowRef, None] = {}
    steps: list[Step] = []
    obstacles: list[Obstacle] = []
    nothing: RowRef | None = None
    for row in rows:
        used[row.ref] = None
        match row.target.type:
            case TargetType.NONE:
                nothing = nothing or row.ref
                continue
            case TargetType.ROLE:
                found = [_step(row, row.target.name, row.target.scope, None, kind, holder, catalog)]
            case TargetType.BUNDLE:
                found = list(_bundle_steps(row, kind, holder, tables, catalog))
                used |= dict.fromkeys(part.ref for part in tables.bundle(row.target.name))
        steps += (each for each in found if isinstance(each, Step))
        obstacles += (each for each in found if isinstance(each, Obstacle))
    return Recipe(tuple(used), tuple(steps), tuple(obstacles), nothing)


def _bundle_steps(
    row: TargetRow, kind: LegacyKind, holder: PrincipalType, tables: MappingTables, catalog: Catalog
) -> Iterator[Step | Obstacle]:
    parts = tables.bundle(row.target.name)
    if not parts:
        reason = f"access bundle `{row.target.name}` has no row in bundles.csv"
        hint = did_you_mean(row.target.name, dict.fromkeys(part.bundle for part in tables.bundles))
        yield Obstacle("unknown-bundle", reason, hint, row.ref, row.ref)
    for part in parts:
        scope = part.scope if part.scope.kind is ScopeKind.ACCOUNT else row.target.scope
        yield _step(row, part.role, scope, part, kind, holder, catalog)


def _step(
    row: TargetRow,
    name: str,
    scope: Scope,
    part: BundleRow | None,
    kind: LegacyKind,
    holder: PrincipalType,
    catalog: Catalog,
) -> Step | Obstacle:
    role = catalog.resolve(name)
    at = part.ref if part else row.ref
    if isinstance(role, UnknownTarget):
        return unknown_role(role, row.ref, at)
    label = f"role `{role.id}`"
    reason = refusal(role, holder)
    if reason:
        article = "an" if holder.label[0] in "aA" else "a"
        return Obstacle(
            "wrong-principal", f"{label} for {article} {holder.label}: {reason}", "", row.ref, row.ref
        )
    reason = misplaced(role, scope, kind)
    if reason:
        at = at if part and misfit(part, role) else row.ref
        return Obstacle("wrong-scope", f"{label} with scope `{scope}`: {reason}", "", row.ref, at)
    return Step(role, scope, row.ref, part.ref if part else None)


def unknown_role(role: UnknownTarget, row: RowRef, at: RowRef) -> Obstacle:
    """The obstacle of a target that the catalog does not resolve to one role."""
    near = " or ".join(f"`{each}`" for each in ", ".join(role.suggestions).split(", ") if each)
    ambiguous = role.reason.startswith("names")
    hint = f"name one by its id: {near}" if ambiguous else f"did you mean {near}?" if near else ""
    return Obstacle("unknown-role", f"role `{role.name}` {role.reason}", hint, row, at)


def misfit(part: BundleRow, role: Role) -> bool:
    """Whether a bundle's row itself puts an account role in environments, or another role in the account."""
    return (part.scope.kind is ScopeKind.ACCOUNT) != (role.level == "account")


def misplaced(role: Role, scope: Scope, kind: LegacyKind) -> str:
    """Why the role has no effect where the scope puts it for a grant of this kind, or the empty string."""
    shared = {LegacyKind.FOLDER_LEVEL: ScopeKind.FOLDER, LegacyKind.COLLECTION_LEVEL: ScopeKind.COLLECTION}
    match scope.kind:
        case ScopeKind.ACCOUNT:
            return scope_refusal(role, None, None, None)
        case ScopeKind.EACH | ScopeKind.ALL | ScopeKind.ONE:
            return scope_refusal(role, scope.kind.value, None, None)
        case ScopeKind.FOLDER | ScopeKind.COLLECTION:
            if shared.get(kind) is not scope.kind:
                return f"the legacy grant has no {scope.kind} to give it on"
            if role.level == "environment":
                return f"an environment role cannot be bound to a {scope.kind}"
            on_folder = scope.kind is ScopeKind.FOLDER
            return scope_refusal(
                role, "its own", "its own" if on_folder else None, None if on_folder else "its own"
            )
