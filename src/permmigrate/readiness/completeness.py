"""Data completeness: what was not read, placed, found in the catalog, or translated."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from permmigrate.catalog import is_illustrative
from permmigrate.diff import Severity, Uncertainty
from permmigrate.model import PolicyId, RoleId
from permmigrate.readiness.evidence import Evidence, describe
from permmigrate.readiness.scoring import Issue, area, issue, plural
from permmigrate.readiness.value import Area
from permmigrate.snapshot.crawl import UNREAD_CONTENTS

READS: Final = (
    "environments",
    "people",
    "groups",
    "keys",
    "folders",
    "shares",
    "catalog",
    "roles",
    "policies",
    "assignments",
)
"""The ledger's areas; each is a check that everything in it was read."""
CHECKS: Final = (
    "every share could be placed",
    "the catalog has roles and policies",
    "the catalog has every policy its roles name",
    "the Cedar schema was read",
    "the catalog is the vendor's",
    "every legacy grant has a mapping row",
    "the mapping tables have no error",
)
"""The other checks."""
_PLACED, _CATALOG, _POLICIES, _SCHEMA, _VENDOR, _MAPPED, _TABLES = CHECKS

UNTRANSLATED: Final = "Legacy grants that are not translated"


def assess_area(evidence: Evidence) -> Area:
    """Judge what is known. A gap fails its check; without any ledger this is unknown."""
    found = chain(_reads(evidence), _shares(evidence), _catalog(evidence), _mapping(evidence))
    unread = () if evidence.snapshot.ledger else ("the snapshot has no ledger",)
    return area("completeness", len(READS) + len(CHECKS), found, _facts(evidence), unread)


def _reads(evidence: Evidence) -> Iterator[Issue]:
    reported = ("shares",) if _no_list(evidence) else ()
    for name in READS:
        gaps = [entry for entry in evidence.ledger.get(name, ()) if entry.status.is_gap]
        if gaps and name not in reported:
            yield issue(
                Severity.HIGH,
                f"Not read: {name}",
                "What lies there is not known, so nothing can be promised about it.",
                "Give the key the right to read it, or try again, and take the snapshot anew.",
                gaps,
                describe,
                (name,),
            )
    if silent := [name for name in READS if name not in evidence.ledger and name not in reported]:
        yield issue(
            Severity.HIGH,
            "Not on record as read",
            "The ledger has no line for these, so it is not known whether anything was looked for.",
            "Take the snapshot again with this version.",
            silent,
        )


def _no_list(evidence: Evidence) -> bool:
    return not evidence.snapshot.shares and all(e.status.is_gap for e in evidence.ledger.get("shares", ()))


def _shares(evidence: Evidence) -> Iterator[Issue]:
    if _no_list(evidence):
        yield issue(
            Severity.HIGH,
            "No share list was given",
            "No API lists legacy folder and collection shares: without a list the comparison knows of "
            "none, and Media Library users seem to have nothing to lose.",
            "Write the shares down from the Console and give the list to `snapshot`.",
            (),
            things=("shares",),
        )
    if orphans := evidence.snapshot.orphan_shares:
        yield issue(
            Severity.HIGH,
            "Shares that could not be placed",
            "Their person, group, folder or environment is not in the account: they are kept and not "
            "compared.",
            "Correct the lines of the share list, or take out what is gone.",
            orphans,
            lambda orphan: f"{orphan.source}: {orphan.reason}",
            (_PLACED,),
        )


def _catalog(evidence: Evidence) -> Iterator[Issue]:
    catalog = evidence.snapshot.catalog
    if not (catalog.roles and catalog.policies):
        yield issue(
            Severity.CRITICAL,
            "The catalog of roles and policies is missing",
            "Without it nothing can be translated or compared.",
            "Let the snapshot reach the vendor's public catalog; it needs no credentials.",
            (),
            things=(_CATALOG,),
        )
    if not catalog.schema:
        yield issue(
            Severity.CRITICAL,
            "The Cedar schema is missing",
            "Without it the requests that policies speak of cannot be listed, so nothing can be proved.",
            "Let the snapshot reach the vendor's public schema; it needs no credentials.",
            (),
            things=(_SCHEMA,),
        )
    if catalog.missing_policies:
        yield issue(
            Severity.HIGH,
            "Roles that name policies which the catalog lacks",
            "What these roles allow is known in part only.",
            "Take the snapshot again; if they stay, ask the vendor.",
            catalog.missing_policies,
            _missing,
            (_POLICIES,),
        )
    if is_illustrative(catalog.source):
        yield issue(
            Severity.HIGH,
            "The catalog is illustrative",
            "Its roles and policies come with the sandbox and are not the vendor's: nothing found with "
            "them holds for a real account.",
            "For a real account, take the snapshot from the vendor's own API.",
            (catalog.source,),
            things=(_VENDOR,),
        )


def _missing(pair: tuple[RoleId, PolicyId]) -> str:
    role, policy = pair
    return f"{role}: {'its policies were not read' if policy.startswith(UNREAD_CONTENTS) else policy}"


def _mapping(evidence: Evidence) -> Iterator[Issue]:
    if unmapped := _uncertain(evidence, "unmapped"):
        yield issue(
            Severity.HIGH,
            UNTRANSLATED,
            "No mapping row speaks of them, or the row cannot be carried out.",
            "Add or correct the rows.",
            unmapped,
            lambda each: f"{each.subject}: {each.reason}",
            (_MAPPED,),
        )
    if errors := [notice for notice in evidence.notices if notice.level == "error"]:
        yield issue(
            Severity.HIGH,
            "Errors in the mapping tables",
            "These rows cannot be carried out as they are written.",
            "Correct the rows named.",
            errors,
            lambda notice: str(notice.problem),
            (_TABLES,),
        )
    if warnings := [notice for notice in evidence.notices if notice.level == "warning"]:
        yield issue(
            Severity.MEDIUM,
            "Warnings about the mapping tables",
            "These rows work and may not do what was meant.",
            "Read the rows named, and change or confirm them.",
            warnings,
            lambda notice: str(notice.problem),
        )
    if unknown := _uncertain(evidence, "baseline"):
        yield issue(
            Severity.MEDIUM,
            "Cells of the legacy baseline that nobody knows",
            "Whether a legacy role or level allowed something is not known, and every such case is a maybe.",
            "Try it out on the legacy account where you can, and write the answer into legacy_baseline.csv.",
            unknown,
            lambda each: each.reason,
        )


def _uncertain(evidence: Evidence, kind: str) -> list[Uncertainty]:
    return [each for each in evidence.diff.uncertainties if each.kind == kind]


def _facts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    for name in READS:
        lines = evidence.ledger.get(name, ())
        gaps = plural(sum(entry.status.is_gap for entry in lines), "gap")
        items = plural(sum(entry.count for entry in lines), "item")
        yield f"Read: {name}", f"{plural(len(lines), 'read')}, {items}, {gaps}"
    yield "Shares that could not be placed", f"{len(evidence.snapshot.orphan_shares):,}"
    yield "Roles in the catalog", f"{len(evidence.snapshot.catalog.roles):,}"
    yield "Policies in the catalog", f"{len(evidence.snapshot.catalog.policies):,}"
    yield "Catalog read from", evidence.snapshot.catalog.source or "not recorded"
