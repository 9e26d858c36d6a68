"""What of an answer goes further: what the parsers need, and nothing that is secret."""

from __future__ import annotations

import ast
import inspect
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vendor_examples import EXAMPLES

from permmigrate.cloudinary import foldertree, questions, reader, wire
from permmigrate.cloudinary.kept import FIELDS, WHOLE, kept

READERS = {
    "text", "optional_text", "first_text", "flag", "optional_flag", "texts", "count", "object",
    "optional_object", "has", "records", "one_of",
}  # fmt: skip


def asked_for(module: object) -> set[str]:
    """The field names that a module asks a Record for, as its source has them."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):  # type: ignore[arg-type]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READERS:
            found |= {
                arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            }
    return found


def test_every_field_that_is_read_is_kept() -> None:
    """A field that a parser asks for cannot be missing from the list, nor one be there in vain."""
    wanted = asked_for(wire) | asked_for(foldertree) | asked_for(reader) | asked_for(questions)

    assert wanted | {"next_cursor"} == FIELDS | WHOLE


@pytest.mark.parametrize("endpoint", sorted(EXAMPLES["answers"]))
def test_the_vendors_examples_lose_their_secrets(endpoint: str) -> None:
    """Of the vendor's own examples no secret is kept, and keeping twice is keeping once."""
    answer = EXAMPLES["answers"][endpoint]
    once = kept(answer)

    assert once == kept(once)
    text = json.dumps(once)
    assert '"secret"' not in text
    assert '"api_secret"' not in text


JSON = st.recursive(
    st.none() | st.booleans() | st.text("ab", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["users", "id", "name", "api_secret", "data"]), inner, max_size=4)
    ),
)


@given(JSON)
def test_only_known_names_are_kept(answer: object) -> None:
    """Whatever the shape, nothing is left under a name that is not known."""
    assert "api_secret" not in json.dumps(kept(answer))


def test_our_own_secrets_are_masked_wherever_they_show() -> None:
    """A service that repeats our secret in a name does not get it into a file."""
    assert {"name": "a *** b"} == kept({"name": "a s3cr3t b"}, ("s3cr3t", ""))
