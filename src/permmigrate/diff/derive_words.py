"""Find the principal, the action and the resource that a person means, or say what else there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from permmigrate.cedar import Unparsed, parse
from permmigrate.cedar.universe import COLLECTION_TYPE
from permmigrate.cedar.words import FEATURE, FEATURE_PREFIX, NAMESPACE, condition_of, label_of
from permmigrate.diff.derive_roles import InColumns
from permmigrate.diff.derive_value import Spot
from permmigrate.diff.value import Capability, Region, RegionKind
from permmigrate.entitlements import ACCOUNT_SCOPE, Entitlements
from permmigrate.errors import UsageError
from permmigrate.model import ContentKind, PrincipalRef, PrincipalType, ScopeType

ASSET: Final = f"{NAMESPACE}Asset"
FOLDER: Final = f"{NAMESPACE}Folder"
KINDS: Final = {
    "user": PrincipalType.USER,
    "group": PrincipalType.GROUP,
    "key": PrincipalType.API_KEY,
    "apikey": PrincipalType.API_KEY,
    "accountkey": PrincipalType.ACCOUNT_KEY,
    "account-key": PrincipalType.ACCOUNT_KEY,
    "provisioningkey": PrincipalType.ACCOUNT_KEY,
}
ACCOUNT_WORD: Final = "account"
SHOWN: Final = 3


class Question(NamedTuple):
    """An action on a resource: one atom for each condition that some policy makes a difference by."""

    scope: str
    spot: Spot
    atoms: tuple[int, ...]
    """Numbers in the scope's universe."""
    conditions: tuple[str, ...]
    """In words, parallel to `atoms`; empty where there is only one."""
    action: str
    resource: str
    """In words."""


class _Thing(NamedTuple):
    resource_type: str
    entity_id: str
    kind: str
    """`folder` or `collection` for where it lies; empty for nowhere."""
    place: str
    """The folder's path or id, or the collection's id or name, as written."""


@dataclass
class Reader:
    """Reads what a person wrote about one account."""

    entitlements: Entitlements

    # ------------------------------------------------------------------ principals

    def principal(self, text: str) -> PrincipalRef:
        """Find by id, e-mail address, key or name, with or without `user:`, `group:`, `key:` before it."""
        prefix, colon, rest = text.partition(":")
        kind = KINDS.get(prefix.strip().casefold()) if colon else None
        wanted = (rest if kind else text).strip()
        found = dict.fromkeys(self._names.get(wanted.casefold(), ()))
        if kind:
            found = {principal: None for principal in found if principal.type is kind}
        exact = [principal for principal in found if principal.id == wanted]
        if len(exact) == 1:
            return exact[0]
        if not found:
            named = [
                n for n, owners in self._names.items() if not kind or any(p.type is kind for p in owners)
            ]
            raise UsageError(f"there is no principal `{text}`", hint=_near(wanted, named))
        if len(found) > 1:
            shown = " or ".join(f"`{principal}`" for principal in list(found)[:SHOWN])
            raise UsageError(f"`{text}` is {len(found)} principals", hint=f"say which: {shown}")
        return next(iter(found))

    @cached_property
    def _names(self) -> dict[str, list[PrincipalRef]]:
        """Everything a principal is known by, without case."""
        snapshot = self.entitlements.snapshot
        found: dict[str, list[PrincipalRef]] = {}
        emails = {user.id: user.email for user in snapshot.users}
        for principal in self.entitlements.principals:
            names = {str(principal.id), snapshot.principal_name(principal)}
            if principal.type is PrincipalType.USER:
                names.add(emails.get(principal.id, ""))  # type: ignore[call-overload]
            for name in names - {""}:
                found.setdefault(name.casefold(), []).append(principal)
        return found

    # ------------------------------------------------------------------ questions

    def question(self, action: str, resource: str, environment: str | None = None) -> Question:
        """Find the action on the resource; raises UsageError with what there is when something is not."""
        thing = self._thing(resource)
        scope, spot = self._where(thing, environment)
        universe = self.entitlements.universe(scope)
        atoms = [
            (n, atom)
            for n, atom in universe.of_type(thing.resource_type)
            if atom.entity_id == thing.entity_id
        ]
        if not atoms and thing.entity_id:
            atoms = [(n, atom) for n, atom in universe.of_type(thing.resource_type) if not atom.entity_id]
        namespace, name = _action(action)
        if name == "use" and thing.resource_type == NAMESPACE + FEATURE:
            name = "read"
        fitting = [
            (n, atom) for n, atom in atoms if atom.action == name and atom.action_type.startswith(namespace)
        ]
        if not fitting:
            known = sorted({atom.action for _, atom in atoms})
            hint = _near(name, known) or "its actions are " + ", ".join(f"`{one}`" for one in known)
            raise UsageError(f"there is no action `{action}` on `{resource}`", hint=hint)
        conditions = tuple(condition_of(universe, atom) for _, atom in fitting)
        return Question(
            scope,
            spot,
            tuple(n for n, _ in fitting),
            conditions if len(fitting) > 1 else ("",),
            label_of(fitting[0][1]),
            self._words(thing, spot),
        )

    def asked(self, capability: Capability, region: Region) -> Question:
        """The question that a finding answers about one of its capabilities."""
        scope = region.environment_id
        named, _, entity = capability.resource.partition(" ")
        resource_type = named if "::" in named else NAMESPACE + named
        namespace, name = _action(capability.action)
        universe = self.entitlements.universe(scope)
        fitting = [
            (number, atom)
            for number, atom in universe.of_type(resource_type)
            if atom.entity_id == entity.removeprefix("*")
            and (
                capability.action == "any" or (atom.action == name and atom.action_type.startswith(namespace))
            )
            and capability.condition in ("", condition_of(universe, atom))
        ]
        if capability.action == "any":
            fitting = fitting[:1]
        tree = self.entitlements.trees[scope]
        spot = Spot(scope)
        if region.kind is RegionKind.FOLDER:
            spot = Spot(scope, tree.ancestor_ids(tree.index[region.content_id]))
        elif region.kind is RegionKind.COLLECTION:
            spot = Spot(scope, (), (region.content_id,))
        conditions = tuple(condition_of(universe, atom) for _, atom in fitting)
        return Question(
            scope,
            spot,
            tuple(number for number, _ in fitting),
            conditions if len(fitting) > 1 else ("",),
            capability.label,
            region.label,
        )

    def _words(self, thing: _Thing, spot: Spot) -> str:
        snapshot = self.entitlements.snapshot
        where = snapshot.environment_by_id[spot.scope].name if spot.scope else "the account"
        name = thing.resource_type.removeprefix(NAMESPACE).rpartition("::")[2]
        tree = self.entitlements.trees[spot.scope]
        if thing.kind == "folder" and spot.folders:
            path = tree.paths[tree.index[spot.folders[0]]]
            return f"{path}, {where}" if thing.resource_type == FOLDER else f"an asset in {path}, {where}"
        if thing.kind == "collection":
            what = "" if thing.resource_type == COLLECTION_TYPE else "an asset in "
            return f"{what}collection {thing.place}, {where}"
        return f"{name}{' ' if thing.entity_id else ''}{thing.entity_id}, {where}"

    def _thing(self, text: str) -> _Thing:
        prefix, colon, rest = text.partition(":")
        head, wanted = prefix.strip().casefold(), rest.strip().strip("/")
        if colon and not rest.startswith(":"):
            if head == "folder":
                return _Thing(FOLDER, "", "folder", wanted)
            if head == "collection":
                return _Thing(COLLECTION_TYPE, "", "collection", wanted)
            if head == "asset":
                return _Thing(ASSET, "", "folder", wanted)
            known = self._types.get(head)
            if known:
                return _Thing(known, self._entity(known, wanted), "", "")
        for words, kind in (("asset in collection ", "collection"), ("asset in ", "folder")):
            if text.casefold().startswith(words):
                return _Thing(ASSET, "", kind, text[len(words) :].strip().strip("/"))
        known = self._types.get(text.strip().casefold())
        if known and not self._folders_called(text.strip("/")):
            return _Thing(known, "", "", "")
        return _Thing(ASSET, "", "folder", text.strip().strip("/"))

    @cached_property
    def _types(self) -> dict[str, str]:
        """Resource types by the names people use: `asset`, `upload preset`, `MediaFlows::EasyFlow`."""
        found: dict[str, str] = {}
        for universe in self.entitlements.compiler.universes.values():
            for atom in universe.atoms:
                name = atom.resource_type.rpartition("::")[2]
                spaced = "".join(f" {c}" if c.isupper() else c for c in name).strip()
                for known in (atom.resource_type, name, spaced):
                    found.setdefault(known.casefold(), atom.resource_type)
        return found

    def _entity(self, resource_type: str, wanted: str) -> str:
        """An entity that policies name, or another: one that none of them does, unless it is a feature."""
        named = {
            atom.entity_id
            for universe in self.entitlements.compiler.universes.values()
            for _, atom in universe.of_type(resource_type)
        }
        for known in (wanted, f"{FEATURE_PREFIX}{wanted}"):
            if known in named:
                return known
        if resource_type == NAMESPACE + FEATURE:
            names = sorted(named - {""}) + sorted(n.removeprefix(FEATURE_PREFIX) for n in named - {""})
            raise UsageError(f"no policy speaks of the feature `{wanted}`", hint=_near(wanted, names))
        return wanted

    # ------------------------------------------------------------------ places

    def _where(self, thing: _Thing, environment: str | None) -> tuple[str, Spot]:
        scopes = self._scopes(environment)
        if thing.kind:
            found = list(self._places(thing, scopes))
            if not found:
                raise UsageError(
                    f"there is no {thing.kind} `{thing.place}`", hint=self._near_place(thing, scopes)
                )
            if len(found) > 1:
                names = [
                    self.entitlements.snapshot.environment_by_id[spot.scope].cloud_name for spot in found
                ]
                raise UsageError(
                    f"the {thing.kind} `{thing.place}` is in {len(found)} product environments",
                    hint=f"add --environment {' or --environment '.join(names)}",
                )
            return found[0].scope, found[0]
        about = [scope for scope in scopes if self._is_about(thing, scope)] or list(scopes)
        if len({bool(scope) for scope in about}) > 1 and environment is None:
            about = [ACCOUNT_SCOPE]
        if len(about) > 1:
            names = [self.entitlements.snapshot.environment_by_id[scope].cloud_name for scope in about]
            raise UsageError(
                "which product environment is meant is not said",
                hint=f"add --environment {' or --environment '.join(names)}",
            )
        return about[0], Spot(about[0])

    def _is_about(self, thing: _Thing, scope: str) -> bool:
        """Whether some policy of the scope's kind speaks of such a resource."""
        kind = ScopeType.ENVIRONMENT if scope else ScopeType.ACCOUNT
        found = self._spoken_of[kind]
        if thing.entity_id:
            return (thing.resource_type, thing.entity_id) in found
        return any(resource_type == thing.resource_type for resource_type, _ in found)

    @cached_property
    def _spoken_of(self) -> dict[ScopeType, set[tuple[str, str | None]]]:
        found: dict[ScopeType, set[tuple[str, str | None]]] = {kind: set() for kind in ScopeType}
        for policy in self.entitlements.snapshot.catalog.policies.values():
            parsed = parse(policy.statement)
            if not isinstance(parsed, Unparsed):
                found[policy.scope_type] |= {(one.resource_type, one.resource_id) for one in parsed}
        return found

    def _scopes(self, environment: str | None) -> tuple[str, ...]:
        if environment is None:
            return self.entitlements.scopes
        if environment.casefold() == ACCOUNT_WORD:
            return (ACCOUNT_SCOPE,)
        known: dict[str, str] = {}
        for one in self.entitlements.snapshot.environments:
            known |= dict.fromkeys((one.name.casefold(), one.cloud_name.casefold(), one.id), one.id)
        found = known.get(environment) or known.get(environment.casefold())
        if found is None:
            raise UsageError(
                f"there is no product environment `{environment}`", hint=_near(environment, known)
            )
        return (found,)

    def _places(self, thing: _Thing, scopes: Iterable[str]) -> Iterator[Spot]:
        for scope in scopes:
            if thing.kind == "collection":
                if thing.place in self._collections(scope).values():
                    yield Spot(scope, (), (thing.place,))
                elif thing.place.casefold() in self._collections(scope):
                    yield Spot(scope, (), (self._collections(scope)[thing.place.casefold()],))
                continue
            tree = self.entitlements.trees[scope]
            position = tree.index.get(thing.place, self._folders_called(thing.place).get(scope))
            if position is not None:
                yield Spot(scope, tree.ancestor_ids(position))

    def _folders_called(self, path: str) -> dict[str, int]:
        """Where in each environment's tree the folder at a path is; letters' case counts only if it must."""
        exact = {scope: known[path] for scope, known in self._paths.items() if path in known}
        if exact:
            return exact
        folded = path.casefold()
        return {scope: known[folded] for scope, known in self._folded_paths.items() if folded in known}

    @cached_property
    def _paths(self) -> dict[str, dict[str, int]]:
        trees = self.entitlements.trees
        return {scope: {path: n for n, path in enumerate(tree.paths)} for scope, tree in trees.items()}

    @cached_property
    def _folded_paths(self) -> dict[str, dict[str, int]]:
        return {
            scope: {path.casefold(): n for path, n in known.items()} for scope, known in self._paths.items()
        }

    def _collections(self, scope: str) -> dict[str, str]:
        """The collections of an environment: id by name and by id, both without case."""
        found: dict[str, str] = {}
        for content, name in self.entitlements.snapshot.content_labels.items():
            if content.kind is ContentKind.COLLECTION and content.environment_id == scope:
                found |= {name.casefold(): content.id, content.id.casefold(): content.id}
        assignments = self.entitlements.assignments
        for entry in assignments.loose if isinstance(assignments, InColumns) else assignments:
            if entry.assignment.collection_id and entry.assignment.scope_id == scope:
                found.setdefault(entry.assignment.collection_id.casefold(), entry.assignment.collection_id)
        return found

    def _near_place(self, thing: _Thing, scopes: Iterable[str]) -> str:
        """Folders of the same name elsewhere, or the nearest beside where it would be."""
        if thing.kind == "collection":
            return _near(thing.place, [name for scope in scopes for name in self._collections(scope)])
        upper, _, last = thing.place.casefold().rpartition("/")
        same, beside = [], []
        for scope in scopes:
            for path in self._paths[scope]:
                above, _, name = path.rpartition("/")
                if name.casefold() == last:
                    same.append(path)
                elif above.casefold() == upper:
                    beside.append(path)
        if same:
            return "did you mean " + " or ".join(f"`{path}`" for path in sorted(set(same))[:SHOWN]) + "?"
        return _near(thing.place, beside) or "write a path as in the Media Library: `Brands/Aurora`"


def _action(text: str) -> tuple[str, str]:
    """`Cloudinary::Action::"delete"`, `MediaFlows::read` or `delete` as (namespace, name)."""
    head, _, name = text.strip().rpartition("::")
    return head.removesuffix("Action").removesuffix("::"), name.strip('"').casefold()


def _near(word: str, words: Iterable[str]) -> str:
    """`did you mean ...?`, or nothing when nothing is near."""
    by_fold = {known.casefold(): known for known in words if known}
    near = difflib.get_close_matches(word.casefold(), by_fold, n=SHOWN, cutoff=0.6)
    return "did you mean " + " or ".join(f"`{by_fold[one]}`" for one in near) + "?" if near else ""
