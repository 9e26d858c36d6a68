"""What the solver settles is what Cedar says: every request of random accounts, and each witness, anew."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import cedarpy
import pytest
from cedar_agreement import TODAY, Atoms, sides

from permmigrate.diff.compare import compare
from permmigrate.diff.decide import state_at, verdict_at
from permmigrate.diff.solve import settled
from permmigrate.diff.value import Diff, Finding, Verdict
from random_accounts import account
from reference import Oracle, Request, verdict
from sampling import some

pytestmark = pytest.mark.sampled

SEEDS = some(range(300, 330), 10)
EXCUSED = "excused"
"""Where the second opinion has none: a forbid that a legacy grant may have held, a text that is not Cedar."""


@dataclass
class Checked:
    """What became of the questions that the atoms leave open."""

    requests: Counter[str] = field(default_factory=Counter)
    """Requests that were open, by what Cedar says; `still unknown` where the solver does not settle them."""
    findings: Counter[str] = field(default_factory=Counter)
    wrong: list[object] = field(default_factory=list)


def check(seed: int, found: Checked) -> None:
    """Compare one account's settled findings with Cedar's verdict on every request they are about."""
    made = account(seed)
    engine, oracle = sides(made)
    oracle.opaque = frozenset()  # only what nobody can know is excused here
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("permmigrate.diff.compare.settled", lambda diff, *_: diff)
        before = compare(made.snapshot, made.tables, today=TODAY, tool_version="0", assigned=made.assigned)
    after = settled(before, engine)
    ids = {finding.id for finding in before.findings}
    new = [finding for finding in after.findings if finding.id not in ids or finding not in before.findings]
    found.findings.update(finding.verdict.value for finding in new)
    for finding in new:
        if finding.witness is not None:
            said = replayed(oracle, finding)
            if said not in (finding.verdict, EXCUSED):
                found.wrong.append((seed, finding, said))
    gone = [finding for finding in before.findings if finding not in after.findings]
    holdings = {
        (principal, holding.scope): holding
        for principal in engine.principals
        for holding in engine.holdings(principal)
    }
    for (principal, scope), holding in holdings.items():
        touched = [finding for finding in gone if principal in finding.principals and _in(finding, scope)]
        if not touched:
            continue
        covering = [finding for finding in after.findings if principal in finding.principals]
        atoms, tree = Atoms(engine.universe(scope)), engine.trees[scope]
        for request, answer in oracle.answers(principal, scope):
            if (request.folder and request.collections) or len(request.collections) > 1:
                continue  # findings are about folders and about collections
            folder = request.folder if request.folder in tree.index else None
            number = atoms.number(request)
            if (
                verdict_at(state_at(holding, tree, folder, request.collections), number)
                is not Verdict.UNKNOWN
            ):
                continue
            above = tree.ancestor_ids(tree.index[folder]) if folder else ()
            places = {"", *above, *request.collections}
            if not _said(before, touched, None, request, scope, places):
                continue  # it was open for another reason
            if answer.excused or _said(after, covering, Verdict.UNKNOWN, request, scope, places):
                found.requests["still unknown"] += 1
                continue
            found.requests[answer.verdict] += 1
            known = answer.verdict == "unchanged"
            if not known and not _said(after, covering, Verdict(answer.verdict), request, scope, places):
                found.wrong.append((seed, principal, scope, request, answer))


def _in(finding: Finding, scope: str) -> bool:
    return finding.region.environment_id == scope


def _said(
    diff: Diff, findings: list[Finding], of: Verdict | None, request: Request, scope: str, places: set[str]
) -> bool:
    """Whether one of the findings, of this verdict, is about the request."""
    type_ = request.resource_type.removeprefix("Cloudinary::")
    entity = request.resource_id if request.named else "*" if type_ == "Feature" else ""
    namespace = request.action_type.removesuffix("Action").removesuffix("::")
    action = request.action if namespace == "Cloudinary" else f"{namespace}::{request.action}"
    for finding in findings:
        if of not in (None, finding.verdict) or not _in(finding, scope):
            continue
        if finding.region.content_id not in places:
            continue
        for number in finding.capabilities:
            capability = diff.capabilities[number]
            if capability.action in (action, "any") and capability.resource == f"{type_} {entity}".strip():
                return True
    return False


def replayed(oracle: Oracle, finding: Finding) -> str:
    """The witness under the second opinion's own texts, word for word as it is shown."""
    witness, scope = finding.witness, finding.region.environment_id
    assert witness is not None
    texts = oracle.texts(finding.principal, scope)
    groups = [{"type": "Cloudinary::Group", "id": one.id} for one in oracle.holders(finding.principal)[1:]]

    def uid(text: str) -> dict[str, str]:
        type_, _, rest = text.partition('::"')
        return {"type": type_, "id": rest[:-1]}

    entities = json.dumps(
        [
            {"uid": uid(witness.principal), "attrs": {}, "parents": groups},
            {"uid": uid(witness.resource), "attrs": dict(witness.attributes), "parents": []},
            *oracle._action_parents(),
        ]
    )
    question = {
        "principal": uid(witness.principal),
        "action": uid(witness.action),
        "resource": uid(witness.resource),
        "context": dict(witness.context),
    }
    before, after = texts.before | texts.custom_before, texts.after | texts.custom_after
    answers = []
    worlds = (before, before | texts.before_maybe, after, after | texts.after_unknown)
    for side in (*worlds, texts.excuses):
        policies = "".join(f"{text};\n" for text in sorted(side))
        result = cedarpy.is_authorized(question, policies, entities)
        assert result.decision is not cedarpy.Decision.NoDecision, result.diagnostics.errors
        answers.append(bool(result.allowed))
    *decided, excused = answers
    return EXCUSED if excused else verdict(*decided)


def test_what_is_settled_is_what_cedar_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that changes is dropped, every witness holds under a second opinion, and most is settled."""
    found = Checked()
    for seed in SEEDS:
        check(seed, found)
    with capsys.disabled():
        print(
            f"\n{len(SEEDS)} accounts: open requests {dict(found.requests)}, findings {dict(found.findings)}"
        )
    assert [] == found.wrong[:2]
    assert {"gained", "lost", "unchanged"} <= found.requests.keys()


def test_only_what_was_open_for_a_statements_sake_is_touched() -> None:
    """Every other finding stays as it is, and settling twice is settling once."""
    for seed in (303, 314):
        made = account(seed)
        diff = compare(made.snapshot, made.tables, today=TODAY, tool_version="0", assigned=made.assigned)
        again = settled(diff, sides(made)[0])

        kept = {finding.id for finding in diff.findings if finding.verdict is not Verdict.UNKNOWN}
        assert kept <= {finding.id for finding in again.findings}
        assert diff.counts == again.counts
