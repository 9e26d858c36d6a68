"""The words of a report: labels for principals, verdicts and severities, and the sentence on the banner.

Every word a reader sees for a closed set of values is here, so that page, workbook and document agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from permmigrate.diff import Verdict
from permmigrate.model import PrincipalType
from permmigrate.report.text import listed, plural

OUTCOME_ORDER: Final = (
    Verdict.GAINED,
    Verdict.MAYBE_GAINED,
    Verdict.UNKNOWN,
    Verdict.LOST,
    Verdict.MAYBE_LOST,
    Verdict.UNCHANGED,
)
"""The one verdict that stands for a principal with several: the gate's order, gains first."""

KIND_LABELS: Final = {
    PrincipalType.USER: ("person", "people"),
    PrincipalType.GROUP: ("group", "groups"),
    PrincipalType.API_KEY: ("API key", "API keys"),
    PrincipalType.ACCOUNT_KEY: ("account key", "account keys"),
}


def people_and_keys(counts: Mapping[PrincipalType, int]) -> str:
    """`37 people, 2 groups and 6 API keys`; kinds nobody belongs to are left out."""
    parts = [plural(counts[kind], *KIND_LABELS[kind]) for kind in PrincipalType if counts.get(kind)]
    return listed(parts)


def dormant_sentence(counts: Mapping[PrincipalType, int], *, planned: bool) -> str:
    """How many of those on the banner cannot act today; empty when all can."""
    keys = counts.get(PrincipalType.API_KEY, 0) + counts.get(PrincipalType.ACCOUNT_KEY, 0)
    people = counts.get(PrincipalType.USER, 0)
    parts = [f"{keys:,} of these keys"] * bool(keys) + [f"{people:,} of these people"] * bool(people)
    if not parts:
        return ""
    verb = "is" if keys + people == 1 else "are"
    state = "disabled or pending" if people else "disabled"
    when = "today" if planned else "in the snapshot"
    return f"{listed(parts)} {verb} {state} {when}."


def outcome(counts: Mapping[Verdict, int]) -> Verdict:
    """The verdict that stands for a principal with these findings."""
    return next((verdict for verdict in OUTCOME_ORDER if counts.get(verdict)), Verdict.UNCHANGED)


def banner_sentence(
    headline: str,
    gained: Mapping[PrincipalType, int],
    maybe: Mapping[PrincipalType, int],
    *,
    planned: bool,
) -> str:
    """The verdict as a sentence for people; `planned` says that "after" has not happened yet."""
    if headline == "EXPANDS":
        who = people_and_keys(gained)
        return (
            f"{who} would gain access they do not have today."
            if planned
            else (f"{who} gained access they did not have before.")
        )
    if headline == "INCOMPLETE":
        if any(maybe.values()):
            who = people_and_keys(maybe)
            verb = "may gain" if planned else "may have gained"
            return f"No certain gain was found, but {who} {verb} access: not enough is known to rule it out."
        return "No gain was found in what could be read, but not everything could be read or decided."
    return "No one would gain access." if planned else "No one gained access."
