"""One summary a principal: what it held, what it will hold, and whether it administers the account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from permmigrate.diff.capabilities import CapabilityIndex
from permmigrate.diff.value import PrincipalSummary, Severity, Verdict
from permmigrate.diff.verdicts import State, sides
from permmigrate.entitlements import ACCOUNT_SCOPE, Entitlements, Grant, GrantSet, Holding
from permmigrate.model import PrincipalRef, PrincipalType, ScopeType


@dataclass
class Summaries:
    """Collects summaries as principals are compared."""

    entitlements: Entitlements
    index: CapabilityIndex
    _found: list[PrincipalSummary] = field(default_factory=list)

    def add(self, principal: PrincipalRef, holdings: list[Holding], counts: Counter[Verdict]) -> None:
        """Summarise one principal from its grants and the number of findings that hold for it."""
        snapshot = self.entitlements.snapshot
        admin_before, admin_after = self._administers(holdings)
        user = snapshot.user_by_id.get(principal.id) if principal.type is PrincipalType.USER else None
        self._found.append(
            PrincipalSummary(
                principal=principal,
                name=snapshot.principal_name(principal),
                detail=self._detail(principal),
                before=tuple(self._words((h.scope, h.before) for h in holdings)),
                after=tuple(self._words((h.scope, h.after) for h in holdings)),
                counts={verdict: counts[verdict] for verdict in Verdict if counts[verdict]},
                admin_before=admin_before,
                admin_after=admin_after,
                dormant=snapshot.is_dormant(principal),
                last_login=user.last_login if user else None,
            )
        )

    def finished(self) -> tuple[PrincipalSummary, ...]:
        """All summaries: users, groups, API keys, account keys, each by name."""
        kinds = list(PrincipalType)
        return tuple(
            sorted(
                self._found,
                key=lambda s: (kinds.index(s.principal.type), s.name.casefold(), s.principal.id),
            )
        )

    @property
    def without_findings(self) -> int:
        """How many principals come out as they went in."""
        return sum(not summary.counts for summary in self._found)

    @cached_property
    def _critical(self) -> int:
        return self.index.atoms_of(ScopeType.ACCOUNT, Severity.CRITICAL)

    def _administers(self, holdings: Iterable[Holding]) -> tuple[bool, bool]:
        """Whether, before and after, it surely may do something critical to the account."""
        for holding in holdings:
            if holding.scope == ACCOUNT_SCOPE:
                before, after = sides(State().with_grants(holding.before.wide, holding.after.wide))
                critical = self._critical & holding.valid
                return bool(before.sure & critical), bool(after.sure & critical)
        return False, False

    def _detail(self, principal: PrincipalRef) -> str:
        snapshot = self.entitlements.snapshot
        match principal.type:
            case PrincipalType.USER:
                return snapshot.user_by_id[principal.id].email
            case PrincipalType.GROUP:
                members = len(snapshot.group_by_id[principal.id].member_ids)
                return f"{members} member{'' if members == 1 else 's'}"
            case PrincipalType.API_KEY:
                return principal.id
            case PrincipalType.ACCOUNT_KEY:
                return principal.id

    def _words(self, sides_: Iterable[tuple[str, GrantSet]]) -> Iterator[str]:
        """Each scope-wide grant by name with where it holds, and content grants counted by kind."""
        wide: dict[str, list[str]] = {}
        content: Counter[str] = Counter()
        for scope, grants in sides_:
            for text in dict.fromkeys(grant.text for grant in grants.wide if _counts(grant)):
                wide.setdefault(text, []).append(self._scope_name(scope))
            for kind, places in (("folder", grants.folders), ("collection", grants.collections)):
                for at_place in places.values():
                    for text in dict.fromkeys(_head(g.text) for g in at_place if _counts(g)):
                        content[f"{text} on {{}} {kind}"] += 1
        for text, scopes in wide.items():
            named = [scope for scope in scopes if scope]
            yield f"{text} in {', '.join(named)}" if named else text
        for text, count in sorted(content.items()):
            yield text.format(count) + ("" if count == 1 else "s")

    def _scope_name(self, scope: str) -> str:
        if scope == ACCOUNT_SCOPE:
            return ""
        environment = self.entitlements.snapshot.environment_by_id[scope]
        return environment.name or environment.cloud_name


def _counts(grant: Grant) -> bool:
    return bool(grant.masks.touched or grant.masks.forbid or grant.masks.opaque_forbid)


def _head(text: str) -> str:
    """A content grant's words without what it is on: counted, not listed."""
    return text.partition(" on ")[0].replace("{", "{{").replace("}", "}}")
