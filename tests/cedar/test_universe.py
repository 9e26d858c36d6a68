"""The universe is split as finely as policies can tell, and statements touch exactly the atoms they match."""

from __future__ import annotations

from permmigrate.cedar import Rule, Statement, Universe, parse

SETS = {"type": "Set", "element": {"type": "String"}}
TEXT = {"type": "String"}
SCHEMA = {
    "Cloudinary": {
        "commonTypes": {"Content": {"type": "Record", "attributes": {"ancestor_ids": SETS, "kind": TEXT}}},
        "entityTypes": {
            "Asset": {
                "shape": {
                    "type": "Record",
                    "attributes": {"ancestor_ids": SETS, "collection_ids": SETS, "kind": TEXT},
                }
            },
            "Folder": {"shape": {"type": "Content"}},
            "Collection": {},
            "Feature": {},
        },
        "actions": {
            "write": {},
            "change": {"memberOf": [{"id": "write"}]},
            "read": {
                "appliesTo": {
                    "principalTypes": ["User", "APIKey"],
                    "resourceTypes": ["Asset", "Folder", "Collection", "Feature"],
                }
            },
            "delete": {
                "memberOf": [{"id": "change"}],
                "appliesTo": {"principalTypes": ["User"], "resourceTypes": ["Asset"]},
            },
        },
    },
    "": {"actions": {"ping": {"appliesTo": {"principalTypes": [], "resourceTypes": ["Host"]}}}},
}


def statements(*texts: str) -> list[Statement]:
    found = []
    for text in texts:
        parsed = parse(text)
        assert isinstance(parsed, tuple)
        found += parsed
    return found


def compiled(text: str, *others: str, schema: object = SCHEMA) -> tuple[Universe, Rule]:
    """The first text's only statement over the universe of all texts."""
    found = statements(text, *others)
    universe = Universe.of(schema, found)  # type: ignore[arg-type]
    return universe, universe.compile(found[0])


def touched(universe: Universe, rule: Rule) -> set[tuple[object, ...]]:
    return {
        (
            atom.action,
            atom.resource_type.rpartition("::")[2],
            atom.entity_id,
            *(value for _, value in atom.tests),
        )
        for atom in (universe.atoms[bit] for bit in universe.bits(rule.mask))
    }


def test_atoms_split_by_what_is_tested() -> None:
    """One atom for each tested value and one for all others; likewise for each named entity."""
    universe, rule = compiled(
        'permit(principal, action, resource is Cloudinary::Asset) when { resource.kind == "image" };',
        'permit(principal, action, resource == Cloudinary::Feature::"x");',
    )

    assert {("read", "Asset", "", "image"), ("delete", "Asset", "", "image")} == touched(universe, rule)
    assert {"x", ""} == {atom.entity_id for _, atom in universe.of_type("Cloudinary::Feature")}
    assert {("kind", "image"), ("kind", None)} == {
        test for _, atom in universe.of_type("Cloudinary::Asset") for test in atom.tests
    }


def test_action_groups_reach_their_members() -> None:
    """`in` a group reaches members of members; `==` the group reaches only the group itself."""
    by_in = compiled('permit(principal, action in Cloudinary::Action::"write", resource);')
    by_equals = compiled('permit(principal, action == Cloudinary::Action::"write", resource);')

    assert {("delete", "Asset", "")} == touched(*by_in)
    assert set() == touched(*by_equals)


def test_only_what_has_folders_lies_in_one() -> None:
    """With any resource, a folder test touches the types that list their folders, by common types too."""
    universe, rule = compiled(
        'permit(principal, action == Cloudinary::Action::"read", resource) '
        'when { resource.ancestor_ids.contains("f") };'
    )

    assert {("read", "Asset", ""), ("read", "Folder", "")} == touched(universe, rule)
    assert ("f", None, "") == (rule.folder, rule.collection, rule.opaque)


def test_collections_do_not_list_collections() -> None:
    """`collection_ids` is an asset's: a collection has none, so the statement never matches one."""
    universe, rule = compiled(
        'permit(principal, action, resource) when { resource.collection_ids.contains("c") };'
    )

    assert {("read", "Asset", ""), ("delete", "Asset", "")} == touched(universe, rule)
    assert "c" == rule.collection


def test_a_collection_is_a_region_of_its_own() -> None:
    """A collection named by its id bounds the rule; no atom bears its name."""
    universe, rule = compiled('permit(principal, action, resource == Cloudinary::Collection::"c");')

    assert {("read", "Collection", "")} == touched(universe, rule)
    assert ("c", "") == (rule.collection, rule.opaque)


def test_an_attribute_the_schema_lacks_is_not_decided() -> None:
    """The published schema is an extract: a test on what it lacks may hold, so the rule is a superset."""
    for test in ('resource.shade == "dark"', 'resource.collection_ids.contains("c")'):
        universe, rule = compiled(
            f"permit(principal, action, resource is Cloudinary::Folder) when {{ {test} }};"
        )
        assert {("read", "Folder", "")} == touched(universe, rule)
        assert "which the schema does not give Cloudinary::Folder" in rule.opaque


def test_supersets_are_named() -> None:
    """One folder by id, two places at once and a list compared as a whole are not decided, and say so."""
    cases = {
        'permit(principal, action, resource == Cloudinary::Folder::"f");': "by its id",
        "permit(principal, action, resource is Cloudinary::Asset) when { "
        'resource.ancestor_ids.contains("a") && resource.collection_ids.contains("c") };': "more than one",
        "permit(principal, action, resource is Cloudinary::Asset) when { "
        'resource.ancestor_ids == "a" };': "whole",
    }
    for text, words in cases.items():
        universe, rule = compiled(text)
        assert words in rule.opaque
        assert touched(universe, rule)


def test_without_a_schema_statements_span_the_universe() -> None:
    """Nothing is lost when the schema could not be read: what statements name is there for any principal."""
    universe, rule = compiled(
        'permit(principal, action == Cloudinary::Action::"read", resource is Cloudinary::Asset) '
        'when { resource.ancestor_ids.contains("f") && resource.kind == "image" };',
        'permit(principal, action, resource == Cloudinary::Feature::"x");',
        schema={},
    )

    assert {("read", "Asset", "", "image")} == touched(universe, rule)
    assert ("f", "") == (rule.folder, rule.opaque)
    assert {} == universe.valid_for
    assert {"x", ""} == {atom.entity_id for _, atom in universe.of_type("Cloudinary::Feature")}


def test_each_principal_type_asks_what_the_schema_lets_it() -> None:
    """An API key cannot ask to delete here; an action for nobody in particular is for all."""
    universe, _ = compiled('permit(principal, action == Action::"ping", resource is Host);')

    def actions(principal: str) -> set[str]:
        return {universe.atoms[bit].action for bit in universe.bits(universe.valid_for[principal])}

    assert {"read", "delete", "ping"} == actions("Cloudinary::User")
    assert {"read", "ping"} == actions("Cloudinary::APIKey")
