"""`why`, `who-can` and `explain` answer in words and in JSON, and help when the question is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from command_line import Ran
from permmigrate import __version__
from permmigrate.diff import Diff, Finding, RegionKind, Verdict
from permmigrate.errors import ExitCode
from permmigrate.mapping.tables import load as load_tables
from permmigrate.model import PrincipalType
from permmigrate.resources import mappings_dir
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.file import load

Call = Callable[..., Ran]
pytestmark = pytest.mark.usefixtures("compared_once")


@pytest.fixture(scope="module")
def account_seen(snapshot: Path) -> Snapshot:
    return load(snapshot)


@pytest.fixture(scope="module")
def diff(account_seen: Snapshot, comparing: Callable[..., Diff]) -> Diff:
    """The comparison that `explain` makes again."""
    tables = load_tables(mappings_dir())
    return comparing(account_seen, tables, today=datetime.now(UTC).date(), tool_version=__version__)


def a_finding(diff: Diff, **wanted: object) -> Finding:
    """The first finding that is as wanted."""
    return next(
        one for one in diff.findings if all(getattr(one, name) == is_ for name, is_ in wanted.items())
    )


def test_why_tells_both_sides_with_policy_and_row(
    call: Call, snapshot: Path, account_seen: Snapshot, diff: Diff
) -> None:
    """A user's gain in a folder is told with the grant, the policy's own text and the row that makes it."""
    finding = next(
        one
        for one in diff.findings
        if one.verdict is Verdict.GAINED
        and one.region.kind is RegionKind.FOLDER
        and one.principal.type is PrincipalType.USER
        and any(diff.capabilities[n].resource == "Asset" for n in one.capabilities)
    )
    capability = next(
        diff.capabilities[n] for n in finding.capabilities if diff.capabilities[n].resource == "Asset"
    )
    email = account_seen.user_by_id[finding.principal.id].email
    environment = account_seen.environment_by_id[finding.region.environment_id].cloud_name

    ran = call(
        "why", email, capability.action, finding.region.label, "--in", snapshot, "--environment", environment
    )

    assert ExitCode.OK == ran.code
    assert "\ngained\nbefore: denied\n" in ran.out
    assert "after: allowed\n" in ran.out
    assert f"row {finding.causes[0]}: " in ran.out
    assert "permit(principal" in ran.out

    ran = call(
        *("why", str(finding.principal), capability.action, finding.region.label, "--in", snapshot),
        *("--environment", environment, "--json"),
    )
    document = json.loads(ran.out)
    assert str(finding.principal) == document["principal"]
    cases = [case for case in document["cases"] if case["verdict"] == "gained"]
    assert cases
    assert {"deny", "denied"} > {case["before"]["decision"] for case in cases}
    step = cases[0]["after"]["through"][0]
    assert finding.causes[0] == step["row"]
    assert step["row_text"]
    assert step["policy"] in account_seen.catalog.policies


def test_who_can_counts_and_names(call: Call, snapshot: Path, account_seen: Snapshot) -> None:
    """Everybody is told once, and the counts are those of the list."""
    folder = account_seen.folders[0]
    environment = account_seen.environment_by_id[folder.environment_id].cloud_name
    at = ("delete", f"folder:{folder.path}", "--in", snapshot, "--environment", environment)

    document = json.loads(call("who-can", *at, "--json").out)

    listed = [who["principal"] for one in document["holders"] for who in one["principals"]]
    assert len(listed) == len(set(listed))
    after = [
        who["principal"]
        for one in document["holders"]
        if set(one["after"]) != {"denied"}
        for who in one["principals"]
    ]
    assert len(after) == document["counts"]["after"]
    text = call("who-can", *at).out
    assert f"{document['counts']['before']:,} before, {document['counts']['after']:,} after" in text
    assert "before: allowed by legacy role" in text


@pytest.mark.parametrize("verdict", [Verdict.GAINED, Verdict.MAYBE_LOST, Verdict.UNKNOWN])
def test_explain_tells_the_request_and_the_row(
    call: Call, snapshot: Path, diff: Diff, verdict: Verdict
) -> None:
    """A finding of the report is explained by its id; what is stated as fact has a request that Cedar saw."""
    finding = a_finding(diff, verdict=verdict)

    ran = call("explain", finding.id, "--in", snapshot)
    document = json.loads(call("explain", finding.id, "--in", snapshot, "--json").out)

    assert ExitCode.OK == ran.code
    assert f"{finding.id}   {verdict}" in ran.out
    assert list(finding.causes) == sorted(cause["ref"] for cause in document["causes"])
    assert all(f"{ref}: " in ran.out for ref in finding.causes)
    if verdict is Verdict.UNKNOWN:
        assert document["witness"] is None
        assert "not known: " in ran.out
    else:
        assert "the request that shows it" in ran.out
        assert document["witness"]["action"].startswith("Cloudinary::Action::") or "::" in ran.out
        verdicts = {case["verdict"] for case in document["derivation"]["cases"]}
        assert verdict.value in verdicts


def test_every_finding_can_be_explained(account_seen: Snapshot, diff: Diff) -> None:
    """Whatever a finding is about, it is a question that can be asked again, with the same answer."""
    from permmigrate.diff.derive_account import Account

    account = Account.of(account_seen, load_tables(mappings_dir()), today=datetime.now(UTC).date())
    for finding in diff.findings[::7]:
        capability = diff.capabilities[finding.capabilities[0]]
        asked = account.reader.asked(capability, finding.region)
        assert asked.atoms, capability
        derivation = account.derivations.why(finding.principal, asked)
        assert finding.verdict in {case.verdict for case in derivation.cases}, finding


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody@example.com", "read", "Account"), "there is no principal `nobody@example.com`"),
        (("USER", "reed", "Account"), "did you mean `read`"),
        (("USER", "read", "feature:users::creat"), "did you mean"),
        (("USER", "read", "folder:No/Such/Folder"), "there is no folder `No/Such/Folder`"),
        (("USER", "read", "collection:nope"), "there is no collection `nope`"),
        (("USER", "read", "Account", "--environment", "nowhere"), "there is no product environment"),
        (("USER", "delete", "UploadPreset"), "add --environment"),
    ],
)
def test_a_question_about_nothing_says_what_there_is(
    call: Call, snapshot: Path, account_seen: Snapshot, arguments: tuple[str, ...], said: str
) -> None:
    """What is not there is named, with the nearest that is."""
    user = account_seen.users[0].id
    ran = call("why", *(user if word == "USER" else word for word in arguments), "--in", snapshot)

    assert ExitCode.USAGE == ran.code
    assert said in ran.err


def test_a_finding_that_is_not_there_is_said_so(call: Call, snapshot: Path) -> None:
    """An id of another comparison is no finding of this one; the beginning of many is none either."""
    ran = call("explain", "ffffffffffff00", "--in", snapshot)
    assert ExitCode.USAGE == ran.code
    assert "there is no finding" in ran.err

    ran = call("explain", "f", "--in", snapshot)
    assert ExitCode.USAGE == ran.code
    assert "begins" in ran.err
