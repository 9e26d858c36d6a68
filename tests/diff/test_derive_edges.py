"""What random accounts do not have: shares never read, policies bound to nothing, texts that are no Cedar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from cedar_agreement import sides
from engine_claims import claims

from permmigrate.catalog import Catalog
from permmigrate.diff.derive import DENIED, UNKNOWN, Derivations
from permmigrate.diff.derive_account import Account as Asked
from permmigrate.diff.derive_texts import Clause, bound, for_members, sentences
from permmigrate.diff.derive_value import Spot, Way
from permmigrate.diff.derive_words import Question, Reader
from permmigrate.diff.value import Verdict, Witness
from permmigrate.diff.witness import Witnesses
from permmigrate.entitlements import Entitlements
from permmigrate.errors import UsageError
from permmigrate.mapping import Granted
from permmigrate.model import LedgerEntry, Policy, PolicyId, PrincipalType, ReadStatus
from random_accounts import Account, account

TODAY = date(2026, 11, 22)
FEATURE = 'permit(principal, action, resource == Cloudinary::Feature::"presets");'


def shown(engine: Entitlements) -> list[Verdict]:
    """The verdicts of everything the engine states; each of them replays."""
    witnesses, found = Witnesses(engine), []
    for claim in claims(engine):
        assert isinstance(witnesses.of(*claim), Witness), claim
        assert witnesses.refuted(*claim) == 0, claim
        found.append(claim.verdict)
    return found


def with_policy(made: Account, policy_id: str, statement: str) -> Account:
    """The account with another text for one policy of its catalog."""
    catalog = made.snapshot.catalog
    policies: dict[PolicyId, Policy] = dict(catalog.policies)
    policies[PolicyId(policy_id)] = replace(policies[PolicyId(policy_id)], statement=statement)
    changed = Catalog.of(policies.values(), catalog.roles.values(), catalog.schema, catalog.source)
    return replace(made, snapshot=replace(made.snapshot, catalog=changed))


def test_findings_replay_where_shares_were_not_read() -> None:
    """A maybe that comes from shares nobody read is shown in a folder where such a share may be."""
    gap = LedgerEntry("shares", "list", "", ReadStatus.SKIPPED, detail="no list was given")
    maybes = 0
    for seed in range(30):
        made = account(seed)
        if made.assigned is None:
            engine, _ = sides(replace(made, snapshot=replace(made.snapshot, shares=(), ledger=(gap,))))
            maybes += shown(engine).count(Verdict.MAYBE_LOST) + shown(engine).count(Verdict.MAYBE_GAINED)
    assert maybes > 10


def test_findings_replay_where_a_share_reaches_beyond_its_folder() -> None:
    """A content policy with a statement bound to no folder holds wherever its holder is."""
    reached = 0
    for seed in range(12):
        made = account(seed)
        view = next(p for p in made.snapshot.catalog.policies.values() if p.id.endswith("folder::view"))
        changed = with_policy(made, view.id, view.statement + FEATURE)
        if made.assigned is None:
            engine, _ = sides(changed)
            shown(engine)
            derivations = Derivations(engine)
            wide = (derivations.finder.wide(p, scope) for p in engine.principals for scope in engine.scopes)
            reached += sum(bool(way.content) for ways in wide for way in (*ways.before, *ways.after))
    assert reached > 10


def test_a_policy_that_is_no_cedar_leaves_it_unknown() -> None:
    """Who holds a role with a policy that cannot be read may be permitted or forbidden anything."""
    for seed in range(12):
        made = account(seed)
        if made.assigned is not None:
            continue
        engine, _ = sides(with_policy(made, "cld::policy::environment::view_all", "permit(principal, "))
        derivations = Derivations(engine)
        for principal in engine.principals:
            for scope in engine.scopes:
                ways = derivations.finder.wide(principal, scope)
                clauses = [c for way in ways.after if way.role_id for c in way.policies.clauses]
                unreadable = [clause for clause in clauses if clause.policy_id and not clause.text]
                if scope and unreadable:
                    asked = Question(scope, Spot(scope), (0,), ("",), "", "")
                    [case] = derivations.why(principal, asked).cases
                    assert UNKNOWN == case.after.decision
                    assert any(s.reason.endswith("is not Cedar that can be read") for s in case.after.steps)
                    return
    pytest.fail("no account holds the policy by a role")


def test_statements_are_told_as_they_were_written() -> None:
    """Each statement keeps its words: semicolons in strings and comments do not cut it."""
    first = 'permit(principal, action, resource) when { resource.name == "a;  b" };'
    second = "forbid(principal, action,  resource); // not; this"
    assert [first, second.partition(" //")[0]] == [one.text for one in sentences(f"{first}\n{second}")]
    assert () == sentences("permit(principal")
    assert () == sentences("permit(principal == ?principal, action, resource);")


def test_an_unsure_clause_is_split_by_what_it_would_do() -> None:
    """Turned against its holder it only forbids, in favour it only permits."""
    permit, forbid = "permit(principal, action, resource);", "forbid(principal, action, resource);"
    clause = Clause("p", "P", f"{permit}{forbid}", Granted.UNKNOWN)
    assert (forbid, permit) == (clause.least(), clause.most())
    assert (forbid, permit) == (
        Clause.unreadable("p", "P", "").least(),
        Clause.unreadable("p", "P", "").most(),
    )


def test_groups_are_read_with_their_members() -> None:
    """`principal == Group` becomes `principal in Group`; other heads and texts stay as they are."""
    text = 'permit(principal == Cloudinary::Group::"g", action, resource);'
    assert 'principal in Cloudinary::Group::"g"' in for_members(text)
    for other in ('permit(principal in Cloudinary::Group::"g", action, resource);', FEATURE):
        assert other == for_members(other)


def test_ids_are_quoted_where_they_are_put_in() -> None:
    """A folder id with a quote in it stays one string."""
    assert r'contains("a\"b\\")' == bound('contains("<folder_id>")', (("folder", 'a"b\\'),))


def test_a_later_snapshot_is_the_after_side() -> None:
    """With a later snapshot, causes are the roles it has assigned, and each has words."""
    found: list[tuple[Asked, Way]] = []
    for made in map(account, range(40)):
        if made.assigned is not None:
            asked = Asked.of(made.snapshot, made.tables, today=TODAY, assigned=made.assigned)
            sides_of = (
                asked.derivations.finder.wide(principal, scope)
                for principal in asked.entitlements.principals
                for scope in asked.entitlements.scopes
            )
            found += [(asked, way) for ways in sides_of for way in ways.after if way.role_id]
    assert len(found) > 5
    assert all(way.cause == f"assigned {way.role_id}" for _, way in found)
    assert any(way.cause in asked.cause_words for asked, way in found)


@pytest.fixture(scope="module")
def reader() -> Reader:
    made = next(
        one
        for one in map(account, range(100))
        if one.assigned is None and one.snapshot.api_keys and one.snapshot.groups and one.snapshot.folders
    )
    return Reader(sides(made)[0])


@pytest.mark.parametrize(
    "text",
    [
        "asset in {path}",
        "asset:{path}",
        "asset in {id}",
        "{path}",
        "{lower}",
        "{path}/",
    ],
)
def test_an_asset_is_found_by_its_folder(reader: Reader, text: str) -> None:
    """By path, with any case, or by the folder's id; the words name the folder."""
    folder = reader.entitlements.snapshot.folders[0]
    words = text.format(path=folder.path, id=folder.id, lower=folder.path.lower())
    asked = reader.question("read", words, folder.environment_id)
    assert folder.id == asked.spot.folders[0]
    assert asked.resource.startswith(f"an asset in {folder.path}, ")


def test_resources_that_lie_nowhere_are_found(reader: Reader) -> None:
    """Features by their short or full id, entities of a type, and types by their name."""
    environment = reader.entitlements.snapshot.environments[0].cloud_name
    feature = reader.question("use", "feature:presets", environment)
    assert feature == reader.question("read", "Feature:presets", environment)
    assert "Feature presets" in feature.resource
    preset = reader.question("update", "upload preset", environment)
    assert preset.atoms == reader.question("update", "UploadPreset:mine", environment).atoms
    assert "" == reader.question('Cloudinary::Action::"read"', "Account", "account").scope


@pytest.mark.parametrize(
    ("action", "resource", "environment", "said"),
    [
        ("read", "folder:{wrong}", None, "there is no folder"),
        ("read", "collection:none", None, "there is no collection"),
        ("fly", "UploadPreset", "{environment}", "there is no action `fly`"),
        ("read", "feature:preset", None, "no policy speaks of the feature"),
        ("read", "UploadPreset", "nowhere", "there is no product environment"),
    ],
)
def test_what_is_not_there_is_refused(
    reader: Reader, action: str, resource: str, environment: str | None, said: str
) -> None:
    """The message says what, the hint what is near or how to write it."""
    snapshot = reader.entitlements.snapshot
    words = resource.format(wrong=snapshot.folders[0].path + "x")
    where = environment and environment.format(environment=snapshot.environments[0].id)
    with pytest.raises(UsageError) as caught:
        reader.question(action, words, where)
    assert said in caught.value.message


def test_principals_are_found_by_any_name(reader: Reader) -> None:
    """By id, e-mail address and name, with the kind before it; a name of two is asked back."""
    snapshot = reader.entitlements.snapshot
    user, group, key = snapshot.users[0], snapshot.groups[0], snapshot.api_keys[0]
    assert {user.id} == {reader.principal(text).id for text in (user.id, user.email, f"user:{user.id}")}
    assert group.id == reader.principal(f"group:{group.name}").id
    assert key.id == reader.principal(f"key:{key.id}").id
    with pytest.raises(UsageError, match="there is no principal"):
        reader.principal(f"group:{user.email}")
    same = replace(snapshot, users=tuple(replace(one, name="Same") for one in snapshot.users))
    assert len(same.users) > 1
    with pytest.raises(UsageError) as caught:
        Reader(replace(reader.entitlements, snapshot=same)).principal("Same")
    assert caught.value.hint.startswith("say which: `user:")


def test_nobody_denied_has_a_step_that_permits(reader: Reader) -> None:
    """A denial is without a sure permit, or has a forbid."""
    derivations = Derivations(reader.entitlements)
    folder = reader.entitlements.snapshot.folders[0]
    asked = reader.question("delete", f"folder:{folder.path}", folder.environment_id)
    for principal in reader.entitlements.principals:
        for case in derivations.why(principal, asked).cases:
            for side in (case.before, case.after):
                if side.decision == DENIED:
                    effects = {step.effect for step in side.steps}
                    assert effects <= {"forbid"} or "forbid" in effects
                assert principal.type is not PrincipalType.GROUP or side.decision
