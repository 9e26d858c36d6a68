"""A plan's file: one text for one plan, and nothing changed in it goes unnoticed."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

import permmigrate.plan
from permmigrate.errors import InvalidFileError, RefusedError
from permmigrate.model import PrincipalRef, PrincipalType, RoleAssignment, RoleId
from permmigrate.plan import (
    ByHand,
    Definition,
    Digests,
    Expansion,
    Expected,
    GuardResult,
    Kind,
    LeftOut,
    Limits,
    Operation,
    Plan,
    Standing,
)
from permmigrate.plan.file import decode, dump, encode, load
from plan_builders import adding, assigned, creating, group, plan, policy_body, removing, role_body, user

WHERE = Path("plan.json")
SCHEMA_FILE = Path(permmigrate.plan.__file__).with_name("plan.schema.json")
SCHEMA = Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="ascii")))

ids = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
principals = st.builds(PrincipalRef, st.sampled_from(PrincipalType), ids)
contents = st.tuples(st.sampled_from(["folder_id", "collection_id", ""]), ids).map(
    lambda pair: {pair[0]: pair[1]} if pair[0] else {}
)
assignments = st.builds(
    lambda principal, role, scope, content: RoleAssignment(principal, RoleId(role), scope, **content),
    principals,
    st.sampled_from(["cld::role::account::admin", "cld::role::folder::viewer", "new-role/Mine"]),
    st.sampled_from([None, "all", "env-1"]),
    contents,
)
waves = st.integers(1, 3)
definitions = st.one_of(
    st.builds(
        lambda name, policies, wave: Operation(
            Kind.CREATE_ROLE,
            wave,
            "roles.csv:3",
            Definition(f"new-role/{name}", None, role_body(name, *policies)),
        ),
        ids,
        st.lists(ids, min_size=1, max_size=3),
        waves,
    ),
    st.builds(
        lambda identity, before, after, wave: Operation(
            Kind.UPDATE_POLICY, wave, "given", Definition(identity, policy_body(before), policy_body(after))
        ),
        ids,
        ids,
        ids,
        waves,
    ),
)
changes = st.builds(
    Operation,
    st.sampled_from([Kind.ASSIGN, Kind.REMOVE, Kind.ASSIGN_FOLDER, Kind.REMOVE_FOLDER]),
    waves,
    st.sampled_from(["user_roles.csv:2", "folder_levels.csv:4"]),
    assignments,
)
operations = st.one_of(definitions, changes)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    some = draw(st.lists(operations, max_size=8, unique_by=lambda each: each.id))
    held = {one.principal: [one] for one in draw(st.lists(assignments, max_size=3))}
    return plan(
        some,
        held,
        purpose=draw(st.sampled_from(["move", "cut back", "undo"])),
        undoes=draw(st.sampled_from([None, "8" * 64])),
        digests=Digests("5" * 64, "6" * 64, "7" * 64, draw(st.sampled_from([None, "9" * 64]))),
        acting_key=draw(st.none() | principals),
        required_admins=draw(st.lists(principals, max_size=2)),
        protected=draw(st.lists(principals, max_size=2)),
        admins_before=draw(st.lists(principals, max_size=2)),
        limits=Limits(2, draw(st.none() | st.integers(0, 9)), 5, 0, draw(st.none() | st.integers(0, 9))),
        guards=(GuardResult("removals", "at most 0", "3", False, draw(ids)),),
        expected=Expected(draw(st.integers(0, 9)), draw(st.integers(0, 9)), 2_000),
        expansions=[
            Expansion(who, "user_roles.csv:2", Standing.SIGNED, 3) for who in draw(st.sets(principals))
        ],
        by_hand=[ByHand(each, "no API") for each in draw(st.lists(operations, max_size=2))],
        left_out=[LeftOut(draw(st.none() | principals), draw(ids), "", "wrong scope")],
        environments={"env-1": draw(ids)},
        labels={"user:u-1": draw(ids)},
    )


@settings(deadline=None, max_examples=50)
@given(plans())
def test_what_is_read_is_what_was_written(one: Plan) -> None:
    """A plan read from its text is equal to the plan that was written, and so is its digest."""
    digest, text = encode(one)
    again = decode(text, WHERE)
    assert one == again
    assert digest == one.digest == again.digest == json.loads(text)["digest"]


@settings(deadline=None, max_examples=50)
@given(plans())
def test_a_plan_is_what_its_schema_says(one: Plan) -> None:
    """The schema that ships describes every plan."""
    SCHEMA.validate(json.loads(encode(one)[1]))


def test_the_schema_leaves_nothing_open() -> None:
    """Every field must be there, and none that the schema does not know may be."""
    document = json.loads(encode(plan())[1])
    for name in document:
        with pytest.raises(ValidationError):
            SCHEMA.validate({key: value for key, value in document.items() if key != name})
    with pytest.raises(ValidationError):
        SCHEMA.validate(document | {"more": 1})


@settings(deadline=None, max_examples=50)
@given(plans(), st.data())
def test_any_byte_that_changes_is_noticed(one: Plan, data: st.DataObject) -> None:
    """No byte of a plan's file can be changed, added or taken out without a refusal."""
    text = encode(one)[1]
    place = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(["", " ", "0", "1", "a", '"', "\n", text[place] * 2]))
    changed = text[:place] + put + text[place + 1 :]
    if changed != text:
        with pytest.raises((InvalidFileError, RefusedError)):
            decode(changed, WHERE)


@settings(deadline=None, max_examples=50)
@given(plans(), plans())
def test_two_plans_have_two_digests(one: Plan, other: Plan) -> None:
    """Plans have one digest if and only if they are equal."""
    assert (one == other) == (one.digest == other.digest)


def with_digest(text: str) -> str:
    """The text with a digest that fits it, as somebody would forge it."""
    import hashlib

    blank = re.sub(r'"digest":"[0-9a-f]{64}"', '"digest":""', text, count=1)
    digest = hashlib.sha256(blank.encode()).hexdigest()
    return blank.replace('"digest":""', f'"digest":"{digest}"', 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"purpose":', '"purpose":"move","purpose":'),
        ('"schema":1', '"schema":1,"secret":true'),
        ('"operations":[\n', '"operations":[\n \n'),
    ],
)
def test_a_forged_digest_hides_nothing(old: str, new: str) -> None:
    """What a plan does not say in its own way is refused, even with a digest that fits the text."""
    text = encode(plan([adding(assigned(user("u-1"))), creating(role_body())]))[1]
    assert old in text
    with pytest.raises(RefusedError, match="not written the way plans are"):
        decode(with_digest(text.replace(old, new, 1)), WHERE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"writes":2', '"writes":2.0'),
        ('"writes":2', '"writes":NaN'),
        ('"writes":2', '"writes":true'),
        ('"wave":1', '"wave":"1"'),
        ('"account_id":"acc-1"', '"account_id":1'),
        ('"undoes":null', '"undoes":1'),
        ('["user","u-1"]', '["robot","u-1"]'),
        ('["user","u-1"]', '["user",7]'),
    ],
)
def test_values_of_another_kind_are_no_plan(old: str, new: str) -> None:
    """A value that is not of the kind it must be is told, even with a digest that fits the text."""
    text = encode(plan([adding(assigned(user("u-1"))), creating(role_body())]))[1]
    assert old in text
    with pytest.raises(InvalidFileError, match="is not a plan"):
        decode(with_digest(text.replace(old, new)), WHERE)


def test_an_unknown_operation_is_no_plan() -> None:
    """A kind of operation that this version does not know is refused as a broken file."""
    text = encode(plan([adding(assigned(user("u-1")))]))[1].replace('"assign role"', '"delete account"')
    with pytest.raises(InvalidFileError, match="delete account"):
        decode(with_digest(text), WHERE)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format":"something else"}', "[" * 100_000])
def test_other_files_are_no_plans(tmp_path: Path, text: str) -> None:
    """A file that is no plan is told from one by what it says."""
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(InvalidFileError, match="is not a plan"):
        load(path)


def test_bytes_beyond_ascii_are_no_plan(tmp_path: Path) -> None:
    """Plans are written in ASCII, so other bytes are not even parsed."""
    path = tmp_path / "plan.json"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidFileError, match="bytes that no plan holds"):
        load(path)


def test_a_missing_file_is_told() -> None:
    """A plan that is not there is an invalid file, with the system's reason."""
    with pytest.raises(InvalidFileError, match="no such file"):
        load(Path("nowhere/plan.json"))


@pytest.mark.parametrize("schema", ["2", '"1"', "null"])
def test_another_schema_is_rejected(schema: str) -> None:
    """A plan of another schema is not read, whatever else it says."""
    text = encode(plan())[1].replace('"schema":1', f'"schema":{schema}')
    with pytest.raises(InvalidFileError, match="is a plan of schema"):
        decode(text, WHERE)


def test_the_file_is_private_and_whole(tmp_path: Path) -> None:
    """A plan's file names people: mode 0600, no leftovers, and `load` gives the digest that `dump` gave."""
    path = tmp_path / "new" / "plan.json"
    digest = dump(plan([adding(assigned(group("g-1"), folder="f-1"))]), path)
    assert ["plan.json"] == [each.name for each in path.parent.iterdir()]
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert digest == load(path).digest


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Where no file can be made, the reason is told and nothing is left behind."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidFileError, match="cannot be written"):
        dump(plan(), tmp_path / "file" / "plan.json")
    (tmp_path / "plan.json").mkdir()
    with pytest.raises(InvalidFileError, match="cannot be written"):
        dump(plan(), tmp_path / "plan.json")
    assert {"file", "plan.json"} == {each.name for each in tmp_path.iterdir()}


def test_folders_of_one_role_stand_beside_its_holder() -> None:
    """However many there are, the holder and the role are written once, given or held."""
    who, other, role = user("u-1"), user("u-2"), "cld::role::folder::viewer"
    rows = [assigned(who, role, folder=f"f-{number}") for number in range(3)]
    held = [*rows, assigned(who, role, collection="c-1"), assigned(who)]
    one = plan([*map(adding, rows), adding(assigned(other, role, folder="f-9"))], {who: held})
    text = encode(one)[1]
    assert '"to":[["user","u-1","f-0","f-1","f-2"],["user","u-2","f-9"]]' in text
    assert (
        '["user","u-1",[["cld::role::folder::viewer","env-1","collection","c-1"],'
        '["cld::role::folder::viewer","env-1","folder","f-0","f-1","f-2"],'
        '["cld::role::prodenv::ml_user","env-1",null]]]' in text
    )
    assert one == decode(text, WHERE)
    SCHEMA.validate(json.loads(text))
    with pytest.raises(InvalidFileError, match="is no content"):
        decode(with_digest(text.replace('"env-1","collection"', '"env-1","shelf"', 1)), WHERE)


def test_operations_are_in_the_order_they_are_done() -> None:
    """Within a wave roles are created, then given, then taken; waves come one after the other."""
    who = user("u-1")
    some = [
        removing(assigned(who, "old")),
        adding(assigned(who, "new-role/Mine")),
        creating(role_body("Mine")),
        adding(assigned(who, "later"), wave=2),
    ]
    one = plan(some)
    assert ["create role", "assign role", "remove role", "assign role"] == [o.kind for o in one.operations]
    assert [(1, 3, True), (2, 1, False)] == [(w.number, len(w.operations), w.is_canary) for w in one.waves]
    assert plan(reversed(some)) == one
