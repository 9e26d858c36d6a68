"""Collection shares: levels that nobody has published, and what collection roles cannot do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from permmigrate.diff import Severity
from permmigrate.mapping import LegacyKind
from permmigrate.model import Confidence, ContentKind, Share
from permmigrate.readiness.evidence import Evidence
from permmigrate.readiness.scoring import Issue, area, issue
from permmigrate.readiness.value import Area


def assess_area(evidence: Evidence) -> Area:
    """Judge the collection shares; each share is a thing."""
    shares = evidence.shares_of(ContentKind.COLLECTION)
    facts = _facts(evidence, shares)
    unread = evidence.unread_of("collections")
    return area("collections", len(shares), _issues(evidence, shares), facts, unread)


def _issues(evidence: Evidence, shares: Mapping[int, Share]) -> Iterator[Issue]:
    if not shares:
        yield issue(
            Severity.LOW,
            "No collection share on record",
            "No API lists collection shares, so none on record does not mean that there are none.",
            "If people share collections in this account, add them to the share list.",
            (),
        )
        return
    unsure = {
        row.ref for row in evidence.tables.collection_levels if row.origin.confidence is Confidence.UNKNOWN
    }
    doubtful: list[int] = []
    for at, share in shares.items():
        rows = evidence.lookup.of_value(share.principal, LegacyKind.COLLECTION_LEVEL, share.level).rows
        if not rows or not unsure.isdisjoint(rows):
            doubtful.append(at)
    if doubtful:
        yield issue(
            Severity.HIGH,
            "Collection shares at a level nobody has confirmed",
            "The vendor has not published the legacy collection levels, and the mapping rows for these are "
            "guesses or missing.",
            "Check in the Console what each level allows, correct collection_levels.csv, and set the rows' "
            "confidence to customer.",
            doubtful,
            lambda at: evidence.share_name(shares[at]),
        )
    yield issue(
        Severity.LOW,
        "Collections know system roles only",
        "There are no custom collection roles, and keys cannot hold any: people who need something in "
        "between get the nearest system role.",
        "Decide for each level whether the nearest role may be more or must be less than before.",
        sorted({share.content for share in shares.values()}),
        lambda content: evidence.snapshot.content_labels.get(content, content.id),
    )


def _facts(evidence: Evidence, shares: Mapping[int, Share]) -> Iterator[tuple[str, str]]:
    yield "Collections known", f"{len({s.content for s in shares.values()}):,}"
    yield "Collection shares", f"{len(shares):,}"
    levels = Counter(share.level for share in shares.values())
    for level, count in sorted(levels.items()):
        yield f"Level {level or '(none)'}", f"{count:,}"
