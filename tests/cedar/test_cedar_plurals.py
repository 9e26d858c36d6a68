"""Resource types in the plural, as reports name them."""

from __future__ import annotations

import pytest

from permmigrate.cedar.words import things


@pytest.mark.parametrize(
    ("resource_type", "expected"),
    [
        ("Cloudinary::Asset", "assets"),
        ("Cloudinary::SavedSearch", "saved searches"),
        ("Cloudinary::Box", "boxes"),
        ("Cloudinary::Brush", "brushes"),
        ("Cloudinary::Address", "addresses"),
        ("Cloudinary::CustomPolicy", "custom policies"),
        ("Cloudinary::APIKey", "API keys"),
        ("Cloudinary::SecuritySettings", "security settings"),
    ],
)
def test_a_type_is_named_in_the_plural(resource_type: str, expected: str) -> None:
    """Words that end in a hiss take -es, a consonant and y make -ies, and a plural stays one."""
    assert things(resource_type) == expected
