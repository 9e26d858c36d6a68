"""The solver on questions whose answer is known: `like`, places, sets, numbers, what nobody declares."""

from __future__ import annotations

import pytest
from random_policies import CLOSED, SCHEMA, statements

from permmigrate.cedar.request import Side, decisions
from permmigrate.cedar.shapes import EntityOf, Field, RecordOf, Scalar, Schema, SetOf, Unknown
from permmigrate.cedar.solve import (
    Answer,
    Case,
    Known,
    Limits,
    Prepared,
    Question,
    Sat,
    Undecided,
    Unsat,
    Why,
    decide,
)
from permmigrate.cedar.symbols import Texts
from permmigrate.cedar.world import World

OPEN = Schema.of(SCHEMA)
READ = ("C::Action", "read")
STARTS = 'resource.kind like "a*"'
HEAD = "permit(principal, action, resource)"


def ask(
    before: str, after: str, *, schema: Schema = CLOSED, resource: str = "C::Asset", **known: object
) -> Answer:
    """Whether something is allowed under the second condition and denied under the first."""
    sides = tuple(Side(statements((f"{HEAD} when {{ {one} }};",))) for one in (before, after))
    return decide(Question(schema, "C::User", READ, resource, sides, **known))  # type: ignore[arg-type]


def shown(condition: str, **known: object) -> object:
    """The resource's attributes in a request for which the condition holds."""
    answer = ask("false", condition, **known)  # type: ignore[arg-type]
    assert isinstance(answer, Sat), answer
    return answer.request.entity(answer.request.resource).attributes


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ('resource.kind like "ab*"', 'resource.kind like "a*"'),
        ('resource.kind like "a*b"', 'resource.kind like "*b"'),
        ('resource.kind like "*a*" && resource.kind like "*b*"', 'resource.kind like "*"'),
        ('resource.kind like "abc"', 'resource.kind == "abc"'),
        ('resource.kind == "abc"', 'resource.kind like "abc"'),
        ('resource.kind like ""', 'resource.kind == ""'),
        ('resource.kind like "\\*x"', 'resource.kind == "*x"'),
        ('resource.kind like "é*"', 'resource.kind like "é**"'),
        (f'{STARTS} && resource.kind like "*a" && !(resource.kind like "a*a")', 'resource.kind == "a"'),
        ('resource.kind == "\\\\u{41}"', 'resource.kind like "\\\\u*"'),
        ('resource.kind == "🙂"', 'resource.kind like "🙂"'),
        ("resource.size > 3 && resource.size < 99", "resource.size + 1 > 4"),
        ("resource.size * 2 == 6", "resource.size == 3"),
        ("-resource.size > 0", "resource.size < 0"),
        ("resource has owner && resource.owner == principal", "resource has owner"),
        ('principal in C::Group::"a" && C::Group::"a" in C::Group::"b"', 'principal in C::Group::"b"'),
        ("principal in resource.sharers", "!resource.sharers.isEmpty()"),
        ('resource.ancestor_ids == ["a", "b"]', 'resource.ancestor_ids.containsAll(["b", "a", "a"])'),
        ("resource.ancestor_ids.containsAll(principal.tags)", "principal.tags == principal.tags"),
        ("resource.info == {draft: true}", "resource.info.draft && !(resource.info has stage)"),
        ("resource.info.draft && !(resource.info has stage)", "resource.info == {draft: true}"),
    ],
)  # fmt: skip
def test_what_is_narrower_gives_nothing_new(narrow: str, wide: str) -> None:
    """Whatever the narrower condition lets through, the wider one does."""
    assert Unsat() == ask(wide, narrow)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('resource.kind like "a*b*"', 'resource.kind like "a*"'),
        ('resource.kind like "*.png"', 'resource.kind like "*.p*g"'),
        ("resource.size > 4", "resource.size > 3"),
        ("resource.size + 1 > resource.size", "resource has size"),  # the largest number has no successor
        ("-resource.size < 0 || resource.size <= 0 ", "resource has size && resource.size <= 9 || true"),
        ("resource has title || !(resource has title)", "!(resource.nothing == 1) || true"),
        ('!(resource.ancestor_ids == ["a"])', 'resource.ancestor_ids.contains("a")'),
        ("resource.ancestor_ids.containsAny(principal.tags)", "!principal.tags.isEmpty()"),
        ("resource.owner in resource.sharers", "resource has owner && !resource.sharers.isEmpty()"),
        ("resource.sizes.contains(1)", "!resource.sizes.isEmpty()"),
        ("principal has root", "context.mfa && !(context has hour)"),
        ("resource.info == {draft: true}", "resource.info.draft"),
        ("[resource.kind, 1].contains(resource.title)", "[resource.title].contains(resource.title)"),
    ],
)  # fmt: skip
def test_what_is_wider_is_shown(before: str, after: str) -> None:
    """A request is found that only the wider condition lets through, and Cedar confirms it; or none is."""
    answer = ask(before, after)

    if isinstance(answer, Sat):
        sides = tuple(Side(statements((f"{HEAD} when {{ {one} }};",))) for one in (before, after))
        assert [False, True] == decisions(answer.request, sides, CLOSED.action_parents)
    else:
        assert after.startswith("!(resource.nothing")
        assert Unsat() == answer


def test_a_witness_has_nothing_to_spare() -> None:
    """Sets hold only what is asked for, and nobody is in more than needed."""
    attributes = shown('resource.ancestor_ids.contains("a") && principal in C::Group::"a"')

    assert {"ancestor_ids": ["a"], "kind": "any", "sharers": [], "sizes": []} == attributes


@pytest.mark.parametrize(
    "condition",
    [
        'ip("10.0.0.1").isInRange(ip("10.0.0.0/8"))',
        'decimal("1.0").lessThan(decimal("2.0"))',
        "principal.getTag(resource.kind) == 1",
        'datetime("2026-01-01") < datetime("2026-01-02")',
        "[[1]].contains([principal.level])",
    ],
)
def test_what_is_beyond_the_encoding_is_undecided_or_confirmed(condition: str) -> None:
    """Extension types and tags: never a wrong answer, with the reason."""
    answer = ask("false", condition)

    if isinstance(answer, Undecided):
        assert Why.BEYOND is answer.why
        assert answer.reason
    else:
        assert isinstance(answer, Sat)


def test_an_extension_that_changes_nothing_needs_no_deciding() -> None:
    """The same condition on both sides goes the same way on both."""
    test = 'context has ip && context.ip.isInRange(ip("10.0.0.0/8"))'
    sides = tuple(
        Side(statements((f"{HEAD} when {{ {one} }};",))) for one in (test, f"{test} && context has ip")
    )
    update = Question(CLOSED, "C::User", ("C::Action", "update"), "C::Asset", sides)

    assert Unsat() == decide(update)
    shown_ = decide(
        Question(CLOSED, "C::User", ("C::Action", "update"), "C::Asset", (Side(), Side(sides[1].policies)))
    )
    assert isinstance(shown_, Undecided)
    assert "isInRange" in shown_.reason


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("resource.colour == 1", "`colour`, which the schema does not give C::Asset"),
        ("resource has colour && resource.colour.contains(1)", "`colour`"),
        ('resource in C::User::"a"', "whether C::Asset lies in C::User"),
        ("context.secret", "`secret` of the context"),
        ("resource.colour + 1 > 2", "`colour`"),
        ("resource.colour.depth like \"a*\"", "`colour`"),
    ],
)  # fmt: skip
def test_what_an_extract_of_a_schema_leaves_out_may_be(condition: str, why: str) -> None:
    """Silence of a complete schema means no; of one that may be an extract, nobody knows."""
    answer = ask("false", condition, schema=OPEN)

    assert Unsat() == ask("false", condition)
    assert isinstance(answer, Undecided)
    assert Why.BEYOND is answer.why
    assert why in answer.reason


def test_what_is_known_of_who_asks_counts() -> None:
    """Groups and attributes of one principal are taken as they are."""
    known = Known("a", frozenset({("C::Group", "b")}), {"root": True})

    assert Unsat() == ask("false", 'principal in C::Group::"a"', principal=known)
    assert isinstance(ask("false", 'principal in C::Group::"b" && principal.root', principal=known), Sat)
    assert Unsat() == ask("principal.root", "true", principal=known)
    assert Unsat() == ask("false", "principal has root", principal=Known("a", attributes={"root": None}))
    assert Unsat() == ask("false", 'principal in C::Folder::"x"', schema=OPEN, principal=known)


def test_what_is_known_of_where_it_lies_counts() -> None:
    """Of a folder's subtree, what every resource's list of folders holds, and what none's does."""
    inside = Case(holds={"ancestor_ids": frozenset({"a"})}, lacks={"ancestor_ids": frozenset({"b"})})
    deeper = Case(holds={"ancestor_ids": frozenset({"a", "b"})}, whole={"ancestor_ids": ("b", "a", "top")})

    assert Unsat() == ask("false", '!resource.ancestor_ids.contains("a")', cases=(inside, deeper))
    assert Unsat() == ask("false", 'resource.ancestor_ids.contains("b")', cases=(inside,))
    found = ask("false", 'resource.ancestor_ids.contains("b")', cases=(inside, deeper))
    assert isinstance(found, Sat)
    assert deeper == found.case
    assert ["b", "a", "top"] == found.request.entity(found.request.resource).attributes["ancestor_ids"]


def test_facts_about_ids_and_values_count() -> None:
    """One id, any but some, a value, any other."""
    assert Unsat() == ask("false", 'resource == C::Asset::"a"', cases=(Case(other_than=frozenset({"a"})),))
    assert Unsat() == ask('resource == C::Asset::"a"', "true", cases=(Case(id="a"),))
    assert Unsat() == ask('resource.kind == "x"', "true", cases=(Case(equals={"kind": "x"}),))
    other = Case(differs={"kind": frozenset({"x"})})
    assert Unsat() == ask("false", 'resource.kind == "x"', cases=(other,))


def test_several_sides_are_asked_at_once() -> None:
    """A side that does not matter may go either way; what else permits or forbids counts."""
    (policy,) = statements((f'{HEAD} when {{ resource.kind == "x" }};',))
    question = Question(
        CLOSED, "C::User", READ, "C::Asset",
        (Side((policy,)), Side((policy,), forbid=True), Side((), permit=True)),
    )  # fmt: skip
    prepared = Prepared(question)

    assert isinstance(prepared.decide((True, None, True)), Sat)
    assert Unsat() == prepared.decide((None, True, None))
    assert Unsat() == prepared.decide((None, None, False))


def test_a_check_ends_in_time() -> None:
    """What takes too long is undecided, and says so."""
    hard = " && ".join(
        f"resource.size * resource.size * principal.level == {n} + context.hour" for n in (7, 7919)
    )
    sides = Side(), Side(statements((f"{HEAD} when {{ {hard} || resource.size * context.hour == 91 }};",)))
    answer = decide(
        Question(CLOSED, "C::User", READ, "C::Asset", sides), limits=Limits(milliseconds=1, steps=10)
    )

    assert isinstance(answer, Undecided)
    assert Why.TOO_LONG is answer.why


def test_an_answer_that_cedar_denies_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the encoding wrong, the witness would not be confirmed, and nothing be claimed."""
    monkeypatch.setattr("permmigrate.cedar.solve.Replay.shows", lambda *_: False)

    answer = ask("false", "context.mfa")

    assert isinstance(answer, Undecided)
    assert Why.UNCONFIRMED is answer.why


def test_schemas_are_read_with_their_names_resolved() -> None:
    """Common types, other namespaces, extensions, and what is not declared anywhere."""
    text, flag = {"type": "String"}, {"type": "EntityOrCommon", "name": "__cedar::Bool"}
    schema = Schema.of(
        {
            "A": {
                "commonTypes": {"Named": {"type": "Record", "attributes": {"name": text}}},
                "entityTypes": {
                    "T": {"shape": {"type": "Named"}},
                    "U": {"memberOfTypes": ["B::V"], "shape": {"type": "Record", "attributes": {
                        "flag": flag, "t": {"type": "EntityOrCommon", "name": "T"},
                        "when": {"type": "datetime"}, "many": {"type": "Set", "element": text},
                        "at": {"type": "Extension", "name": "ipaddr"},
                        "what": {"type": "Nothing"},
                    }}},
                },
                "actions": {"go": {"memberOf": [{"id": "move"}], "appliesTo": {"context": {"type": "Named"}}},
                            "move": {"memberOf": [{"type": "B::Action", "id": "all"}]}},
            },
            "B": {"entityTypes": {"V": {"memberOfTypes": ["W"]}, "W": {}}},
        }
    )  # fmt: skip

    fields = schema.entities["A::U"].fields
    assert Field(Scalar("Bool")) == fields["flag"]
    assert Field(EntityOf("A::T")) == fields["t"]
    assert Field(SetOf(Scalar("String"))) == fields["many"]
    assert isinstance(fields["what"].shape, Unknown)
    assert ("ip", "datetime") == tuple(getattr(fields[n].shape, "example", "") for n in ("at", "when"))
    assert isinstance(schema.entities["A::T"].fields["name"].shape, Scalar)
    assert isinstance(schema.contexts["A::Action", "go"], RecordOf)
    assert frozenset({"B::V", "B::W"}) == schema.above["A::U"]
    assert frozenset({("A::Action", "move"), ("B::Action", "all")}) == schema.action_groups["A::Action", "go"]


def test_a_world_knows_its_terms() -> None:
    """One entity is one entity, whoever asks for it."""
    world = World(CLOSED, Texts())

    assert world.entity("C::User", "a") is world.entity("C::User", "a")
