"""Policy text becomes the parts that are decided, or says why it is more than they can hold."""

from __future__ import annotations

import pytest

from permmigrate.cedar import PrincipalConstraint, Statement, Unparsed, parse

ACTION = "Cloudinary::Action"
READ = (ACTION, "read")

SPEC_FOLDER = (
    'permit(principal == Cloudinary::APIKey::"1234",action==Cloudinary::Action::"read",'
    'resource is Cloudinary::Folder ) when {resource.ancestor_ids.contains("asdfjkl12347890")} ;'
)
SPEC_SEVERAL = """
    permit(principal, action, resource is Cloudinary::UploadPreset);
    permit(principal, action == Cloudinary::Action::"update_settings",
           resource is Cloudinary::ProductEnvironment);
    permit(principal, action, resource == Cloudinary::Feature::"cld::global::upload_settings::manage");
"""
MALFORMED = {
    "escaped quotes left in": (
        'permit(principal == Cloudinary::APIKey::\\"1234\\",action==Cloudinary::Action::\\"read\\",'
        'resource is Cloudinary::Folder ) when {resource.ancestor_ids.contains(\\"asdfjkl12347890\\")} ;'
    ),
    "escaped angle brackets": (
        'permit(principal == Cloudinary::APIKey::"1234",action==Cloudinary::Action::"read",resource is '
        'Cloudinary::Folder ) when { resource.ancestor_ids.contains("\\<folder_id\\>") };'
    ),
    "a principal misspelled": (
        'permit (pprincipal == Cloudinary::user::"1234abc", action, '
        'resource == Cloudinary::Feature::"cld::global::reports::errors::view");'
    ),
    "statements without semicolons": (
        'permit ( principal, action in [Cloudinary::Action::"create"], resource is Cloudinary::Asset) '
        'permit ( principal, action in [Cloudinary::Action::"create"], resource is Cloudinary::Folder)'
    ),
    "nothing": "",
    "a comment only": "// nothing here",
    "a template": "permit(principal == ?principal, action, resource);",
}


def only(text: str) -> Statement:
    parsed = parse(text)
    assert not isinstance(parsed, Unparsed), parsed
    (statement,) = parsed
    return statement


def test_the_specification_example() -> None:
    """Principal, action, resource type and folder of the spec's custom policy."""
    statement = only(SPEC_FOLDER)

    assert ("permit", PrincipalConstraint("==", "Cloudinary::APIKey", "1234")) == (
        statement.effect,
        statement.principal,
    )
    assert (frozenset({READ}), "==") == (statement.actions, statement.action_op)
    assert ("Cloudinary::Folder", None) == (statement.resource_type, statement.resource_id)
    assert (("ancestor_ids", "asdfjkl12347890"),) == statement.contains
    assert "" == statement.opaque


def test_several_statements_keep_their_order() -> None:
    """A policy's statements come out as they were written, with entities by type and id."""
    parsed = parse(SPEC_SEVERAL)

    assert isinstance(parsed, tuple)
    assert [
        ("Cloudinary::UploadPreset", None),
        ("Cloudinary::ProductEnvironment", None),
        ("Cloudinary::Feature", "cld::global::upload_settings::manage"),
    ] == [(s.resource_type, s.resource_id) for s in parsed]
    assert [None, frozenset({(ACTION, "update_settings")}), None] == [s.actions for s in parsed]


def test_more_than_ten_statements_keep_their_order() -> None:
    """The parser names them policy0, policy1, policy10: they are not sorted as text."""
    parsed = parse("".join(f'permit(principal, action, resource == A::B::"{n}");' for n in range(12)))

    assert isinstance(parsed, tuple)
    assert [str(n) for n in range(12)] == [s.resource_id for s in parsed]


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_not_cedar_says_so(name: str) -> None:
    """The spec's malformed samples, templates and empty text are values with the parser's reason."""
    parsed = parse(MALFORMED[name])

    assert isinstance(parsed, Unparsed)
    assert parsed.reason
    assert "\n" not in parsed.reason


def test_an_unknown_type_is_still_cedar() -> None:
    """`APIKy` and lower-case `user` parse: they are names that nobody bears."""
    statement = only(
        'permit(principal == Cloudinary::APIKy::"1234", action, resource is Cloudinary::Folder);'
    )

    assert PrincipalConstraint("==", "Cloudinary::APIKy", "1234") == statement.principal


@pytest.mark.parametrize(
    ("condition", "contains", "equals"),
    [
        ('resource.type == "delivery"', (), (("type", "delivery"),)),
        ('"delivery" == resource.type', (), (("type", "delivery"),)),
        ('resource["type"] == "delivery"', (), (("type", "delivery"),)),
        (
            'resource.a.contains("x") && (resource.b == "y" && resource.a.contains("w"))',
            (("a", "w"), ("a", "x")),
            (("b", "y"),),
        ),
        ("true", (), ()),
    ],
)
def test_conjunctions_are_decided(
    condition: str, contains: tuple[tuple[str, str], ...], equals: tuple[tuple[str, str], ...]
) -> None:
    """`contains` and `==` on literals, in any nesting of `&&`, in either order."""
    statement = only(f"permit(principal, action, resource) when {{ {condition} }};")

    assert (contains, equals, "") == (statement.contains, statement.equals, statement.opaque)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('permit(principal, action, resource) when { resource.name like "a*" };', "like"),
        ("permit(principal, action, resource) when { context has direction };", "context"),
        ('permit(principal, action, resource) when { !(resource.a == "b") };', "!"),
        ('permit(principal, action, resource) when { resource.a == "b" || true };', "||"),
        ("permit(principal, action, resource) when { resource.a == 7 };", "=="),
        ("permit(principal, action, resource) when { principal.root };", "principal"),
        ('forbid(principal, action, resource) unless { resource.a == "b" };', "unless"),
        ('permit(principal is A in B::"c", action, resource);', "principal head"),
        ('permit(principal, action, resource in A::"b");', "resource head"),
        ('permit(principal, action, resource is A in B::"c");', "resource head"),
    ],
)
def test_the_rest_is_opaque_and_says_why(text: str, words: str) -> None:
    """What the parts cannot hold keeps its text and a reason in words."""
    statement = only(text)

    assert words in statement.opaque
    assert text == statement.text


def test_action_heads() -> None:
    """One action, a list of actions, a group of actions, or any."""
    heads = {
        'action == Cloudinary::Action::"read"': ("==", frozenset({READ})),
        'action in Cloudinary::Action::"read"': ("in", frozenset({READ})),
        'action in [Cloudinary::Action::"read", M::Action::"run"]': (
            "in",
            frozenset({READ, ("M::Action", "run")}),
        ),
        "action": ("any", None),
    }

    for head, expected in heads.items():
        statement = only(f"permit(principal, {head}, resource);")
        assert expected == (statement.action_op, statement.actions)
