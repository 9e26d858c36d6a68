"""Settle what hangs on conditions beyond the atoms: unknown findings become gained, lost, nothing, or stay.

Only unknown findings that name an undecided statement are touched. What stays unknown says why, with the
statement's text.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from permmigrate.beside import at_once
from permmigrate.diff.automaton import Automaton
from permmigrate.diff.derive_ways import WayFinder
from permmigrate.diff.findings import Findings, revised, unknown_of
from permmigrate.diff.people import recounted, without_findings
from permmigrate.diff.profiles import Profiles, askers
from permmigrate.diff.solve_said import UNDECIDED, Begun, Part, Settling, place_of
from permmigrate.diff.tally import INCOMPLETE, causes_of, counts_of
from permmigrate.diff.value import (
    Diff,
    Finding,
    PrincipalSummary,
    Region,
    RegionKind,
    Uncertainty,
    Verdict,
    Witness,
)
from permmigrate.entitlements import Entitlements
from permmigrate.memory import large_again
from permmigrate.model import (
    ContentKind,
    ContentRef,
    EnvironmentId,
    PrincipalRef,
    PrincipalType,
    UserId,
)

if TYPE_CHECKING:
    from permmigrate.diff.solve_ask import Answers

AND_MORE: Final = " more"
"""How a reason ends that leaves some out, which may be such."""
TEXT_SHOWN: Final = 300
MANY: Final = 1_000
"""Findings, from which on they are settled in halves."""
QUESTION: Final = 100
"""How many findings take as long as what the solver is asked about one capability."""
Open = Sequence[tuple[int, Finding]]
"""Findings with their numbers among all."""


def settled(diff: Diff, entitlements: Entitlements, answers: Answers | None = None) -> Diff:
    """Decide the unknown findings that hang on undecided statements, as far as can be.

    `answers` is what the solver said in other comparisons of the account; what it says now is added.
    """
    if not any(map(_is_of_a_condition, diff.uncertainties)):
        return diff
    unknown = unknown_of(diff.findings)
    open_ = [(at, f) for at, f in unknown if UNDECIDED in f.reason or f.reason.endswith(AND_MORE)]
    return _Settlement(diff, entitlements, {} if answers is None else answers).run(open_)


def _halves(open_: Open) -> tuple[Open, Open]:
    """Findings in two lists that are about as much work, those about the same questions in one of them; few
    are all in the first."""
    alike: dict[tuple[int, ...], list[tuple[int, Finding]]] = {}
    for one in open_:
        alike.setdefault(one[1].capabilities, []).append(one)
    if len(open_) < MANY:
        return open_, ()
    work = {questions: len(found) + QUESTION * len(questions) for questions, found in alike.items()}
    halves: tuple[list[tuple[int, Finding]], list[tuple[int, Finding]]] = [], []
    done = [0, 0]
    for questions in sorted(alike, key=work.__getitem__, reverse=True):
        at = done.index(min(done))
        halves[at].extend(alike[questions])
        done[at] += work[questions]
    return halves


def _profiles_of(findings: Sequence[Finding], entitlements: Entitlements) -> Profiles:
    """What everybody brings to the comparison: as it was worked out for the findings, or anew."""
    if isinstance(findings, Findings) and findings.entitlements is entitlements:
        return findings.standing.profiles
    return Profiles(entitlements, Automaton(askers(entitlements)))


def _ways_of(findings: Sequence[Finding], entitlements: Entitlements) -> WayFinder:
    """What finds the ways of the comparison: the one that the findings were replayed with, or a new one."""
    if isinstance(findings, Findings) and findings.entitlements is entitlements:
        return findings.replay.witnesses.ways
    return WayFinder(entitlements)


def _is_of_a_condition(uncertainty: Uncertainty) -> bool:
    """Whether it is about a statement that can be read and is outside the atoms."""
    return uncertainty.kind == "statement" and uncertainty.reason.endswith(": not decided")


@dataclass
class _Settlement:
    diff: Diff
    entitlements: Entitlements
    answers: Answers

    def __post_init__(self) -> None:
        findings = self.diff.findings
        profiles, ways = _profiles_of(findings, self.entitlements), _ways_of(findings, self.entitlements)
        self.settling = Settling(profiles, ways, self.diff.capabilities, self.answers)

    def run(self, open_: Open) -> Diff:
        """Settle these findings, each with its number among all."""
        diff = self.diff
        became = self._became(open_)
        made = [finding for _, finding in became]
        uncertainties = tuple(self._uncertainties(made))
        complete = not any(u.kind in INCOMPLETE for u in uncertainties)
        if not open_:
            return replace(diff, uncertainties=uncertainties, complete=complete)
        findings = revised(diff.findings, {at for at, _ in open_}, became)
        summaries = self._recounted([finding for _, finding in open_], made)
        words = {cause.ref: (cause.text, cause.confidence) for cause in diff.causes}
        unchanged = without_findings(summaries)
        return replace(
            diff,
            findings=findings,
            causes=causes_of(findings, words),
            principals=summaries,
            uncertainties=uncertainties,
            complete=complete,
            counts=counts_of(findings, unchanged),
        )

    def _became(self, open_: Open) -> Open:
        """What becomes of findings, each with the number of the one it comes from; of many, one half is
        settled in a copy of this process."""
        some, others = _halves(open_)
        if not others:
            return self._settled(some)

        apart = replace(self, answers=dict(self.answers))

        def there() -> Iterator[tuple[Open, Answers]]:
            yield apart._settled(others), apart.answers

        mine, [(theirs, answers)] = at_once(lambda: self._settled(some), there)
        self.answers.update(answers)
        place = {at: number for number, (at, _) in enumerate(open_)}
        return sorted((*mine, *theirs), key=lambda one: place[one[0]])

    def _settled(self, open_: Open) -> list[tuple[int, Finding]]:
        with large_again():  # each of z3's contexts takes 16 MB
            return [(at, finding) for at, one in open_ for finding in self._settle(one)]

    # ------------------------------------------------------------------ one finding

    def _settle(self, finding: Finding) -> Iterator[Finding]:
        """What becomes of a finding: alike for some of its principals, and otherwise for others."""
        same: dict[tuple[Part, ...], list[PrincipalRef]] = {}
        sources: dict[tuple[Part, ...], list[Begun]] = {}
        for principal, parts in self.settling.parts(finding):
            key = tuple(part for part, _ in parts)
            same.setdefault(key, []).append(principal)
            sources.setdefault(key, [source for _, source in parts])
        for key, principals in same.items():
            for part, source in zip(key, sources[key], strict=True):
                yield self._finding(finding, part, principals, source)

    # ------------------------------------------------------------------ as findings

    def _finding(
        self, finding: Finding, part: Part, principals: list[PrincipalRef], source: Begun
    ) -> Finding:
        first, *others = principals
        witness = None
        if part.verdict is not Verdict.UNKNOWN:
            witness = self._witness(source, part.verdict)
            if witness is None:
                part = part._replace(verdict=Verdict.UNKNOWN, reason="Cedar does not confirm what was found")
        region = self._region(finding.region, part)
        worst = min((self.diff.capabilities[n].severity for n in part.capabilities), key=lambda s: s.rank)
        all_worst = min(
            (self.diff.capabilities[n].severity for n in finding.capabilities), key=lambda s: s.rank
        )
        raised = finding.severity if worst is all_worst else worst
        return replace(
            finding,
            id=self._id(first, part, region),
            principal=first,
            verdict=part.verdict,
            severity=raised,
            region=region,
            capabilities=part.capabilities,
            reason=self._reason(finding, part),
            others=tuple(UserId(other.id) for other in others if other.type is PrincipalType.USER),
            dormant=self.entitlements.snapshot.is_dormant(first),
            witness=witness,
        )

    def _witness(self, source: Begun, verdict: Verdict) -> Witness | None:
        """The request that was found, with this principal and place put in where nothing tells them apart."""
        from permmigrate.diff.solve_confirm import moved

        at, like = source.at, source.like
        found = self.settling.outcome(like).shown.get(verdict)
        if at is like or found is None:
            return found
        put = moved(found, at.principal, like.stop, at.stop)
        return put if put is not None else self.settling.outcome(at).shown.get(verdict)

    def _reason(self, finding: Finding, part: Part) -> str:
        """On what condition it is so; for what stays unknown, why, and the text of the statements."""
        if part.verdict is not Verdict.UNKNOWN:
            return finding.reason.replace(UNDECIDED, ": it is so for some requests, as the one shown")
        texts = [text for name, text in self._texts.items() if name in finding.reason]
        return "; ".join((finding.reason, *filter(None, [part.reason]), *texts))

    @property
    def _texts(self) -> Mapping[str, str]:
        """Each undecided policy's words in reasons, and its text."""
        compiler = self.entitlements.compiler
        found = {
            f"custom policy {custom.name} has": custom.statement
            for custom in compiler.custom_policies
            if custom.id in compiler.opaque
        }
        found |= {
            f"policy {policy.name} has": policy.statement
            for policy in compiler.catalog.policies.values()
            if policy.id in compiler.opaque
        }
        return {name: f"`{_short(text)}`" for name, text in found.items()}

    def _id(self, principal: PrincipalRef, part: Part, region: Region) -> str:
        capabilities = (self.diff.capabilities[number] for number in part.capabilities)
        lines = sorted("\t".join((c.scope, c.action, c.resource, c.condition)) for c in capabilities)
        identity = (str(principal), part.verdict, region.kind, region.environment_id, region.content_id)
        text = "\n".join((*identity, *lines))
        return "f" + hashlib.sha256(text.encode()).hexdigest()[:12]

    def _region(self, region: Region, part: Part) -> Region:
        if place_of(region, self.entitlements.trees[region.environment_id]) == part.place:
            return replace(region, folders=part.folders if region.folders else 0)
        kind, snapshot = ContentKind(part.place.kind), self.entitlements.snapshot
        content = ContentRef(EnvironmentId(region.environment_id), kind, part.place.id)
        if not region.environment_id:
            label = f"the account, {part.place.kind} {part.place.id}"
            return replace(region, content_id=part.place.id, label=label)
        label = snapshot.content_labels.get(content, part.place.id)
        return Region(RegionKind(kind.value), region.environment_id, part.place.id, label, part.folders)

    # ------------------------------------------------------------------ what else counts findings

    def _recounted(self, gone: Iterable[Finding], made: Iterable[Finding]) -> Sequence[PrincipalSummary]:
        """The summaries with the findings' verdicts counted anew."""
        change: dict[PrincipalRef, Counter[Verdict]] = {}
        for findings, sign in ((gone, -1), (made, 1)):
            for finding in findings:
                for principal in finding.principals:
                    change.setdefault(principal, Counter())[finding.verdict] += sign
        return recounted(self.diff.principals, change)

    def _uncertainties(self, made: list[Finding]) -> Iterator[Uncertainty]:
        """Those that are left: a statement whose every question was decided is none."""
        reasons = [finding.reason for finding in made if finding.verdict is Verdict.UNKNOWN]
        if any(f"{AND_MORE};" in f"{reason};" for reason in reasons):
            yield from self.diff.uncertainties
            return
        left = " ".join(reasons)
        compiler = self.entitlements.compiler
        names = {custom.id: custom.name for custom in compiler.custom_policies}
        decided = {names.get(policy_id, policy_id) for policy_id in compiler.opaque}
        decided -= {name for name in decided if f"policy {name} has" in left}
        for uncertainty in self.diff.uncertainties:
            if not (_is_of_a_condition(uncertainty) and uncertainty.subject in decided):
                yield uncertainty


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= TEXT_SHOWN else words[: TEXT_SHOWN - 1] + "…"
