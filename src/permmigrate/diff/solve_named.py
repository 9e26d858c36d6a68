"""What undecided policies can tell apart: the places they name, and whom their conditions compare with.

It reads their texts only. Questions that differ otherwise have one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from permmigrate.cedar import Unparsed
from permmigrate.cedar.statements import documents
from permmigrate.diff.derive_value import scope_type
from permmigrate.diff.solve_texts import compared, entities, mentions, strings
from permmigrate.entitlements import Entitlements
from permmigrate.model import ScopeType

if TYPE_CHECKING:
    from permmigrate.cedar.shapes import Uid
    from permmigrate.diff.solve_places import Ground, Stop


class _Names(NamedTuple):
    """What the undecided policies of one type of scope name."""

    strings: frozenset[str]
    compared: frozenset[Uid | None] | None
    """What conditions compare whoever asks with; None where no condition looks at it."""


@dataclass
class Named:
    """Answers for one comparison."""

    entitlements: Entitlements
    _in_scope: dict[str, frozenset[str]] = field(default_factory=dict)

    def compared(self, scope: str) -> frozenset[Uid | None] | None:
        """What conditions compare whoever asks with; None where no condition looks at it."""
        return self._names[scope_type(scope)].compared

    def in_scope(self, scope: str) -> frozenset[str]:
        """The folders and collections of a scope that are named."""
        if scope not in self._in_scope:
            places = self.entitlements.places
            there = places.trees[scope].index.keys() | set(places.collections[scope])
            self._in_scope[scope] = self._names[scope_type(scope)].strings & there
        return self._in_scope[scope]

    def places(self, ground: Ground, stop: Stop) -> tuple[object, ...]:
        """What can be told of where a stop is."""
        names = self.in_scope(ground.scope)
        folders = list(ground.candidates(stop, (name for name in names if name in ground.tree.index)))
        return (
            stop.place.id if stop.place.id in names else "",
            frozenset(frozenset(ground.above(folder)) & names for folder in folders),
            names & (frozenset(folders) | frozenset(ground.collections)),
        )

    @cached_property
    def _names(self) -> Mapping[ScopeType, _Names]:
        compiler = self.entitlements.compiler
        every = [(c.id, c.statement, {c.scope_type}) for c in compiler.custom_policies]
        every += [(p.id, p.statement, set(ScopeType)) for p in compiler.catalog.policies.values()]
        undecided = [
            (one, where)
            for policy_id, text, where in every
            if policy_id in compiler.opaque
            for one in _documents(text)
        ]
        found = {}
        for scope in ScopeType:
            here = [one for one, where in undecided if scope in where]
            names = (name for one in here for name in (*strings(one), *(id_ for _, id_ in entities(one))))
            personal = [one["conditions"] for one in here if mentions(one["conditions"], "principal")]
            with_ = frozenset(uid for conditions in personal for uid in compared(conditions))
            found[scope] = _Names(frozenset(names), with_ if personal else None)
        return found


def _documents(text: str) -> tuple[Mapping[str, Any], ...]:
    found = documents(text)
    return () if isinstance(found, Unparsed) else found
