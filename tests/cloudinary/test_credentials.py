"""Credentials come from what people already have, and never show themselves."""

from __future__ import annotations

import base64

import pytest

from permmigrate.cloudinary.credentials import Credentials, from_environment
from permmigrate.errors import UsageError

ACCOUNT = {"CLOUDINARY_ACCOUNT_URL": "account://11122233344:s3cr3t-canary@acc-1"}


def clouds(credentials: Credentials) -> dict[str, tuple[str, str]]:
    return {cloud: (pair.key, pair.secret) for cloud, pair in credentials.environments.items()}


def test_account_url_is_read() -> None:
    """`account://KEY:SECRET@ACCOUNT_ID` gives the account and its key."""
    found = from_environment(ACCOUNT)

    assert (
        found.account_id,
        found.account.key,
        found.account.secret,
    ) == ("acc-1", "11122233344", "s3cr3t-canary")


def test_vendor_variables_are_read() -> None:
    """The three variables of the vendor's SDK work without a URL."""
    found = from_environment(
        {
            "CLOUDINARY_PROVISIONING_API_KEY": "k",
            "CLOUDINARY_PROVISIONING_API_SECRET": "s",
            "CLOUDINARY_ACCOUNT_ID": "a",
        }
    )

    assert (found.account_id, found.account.key, found.account.secret) == ("a", "k", "s")


def test_parts_are_percent_decoded() -> None:
    """`@`, `:` and `/` in a part are written percent-encoded."""
    found = from_environment({"CLOUDINARY_ACCOUNT_URL": "account://k:a%40b%3Ac%2Fd@acc"})

    assert found.account.secret == "a@b:c/d"


def test_several_environment_urls_are_read() -> None:
    """`CLOUDINARY_URL`, `CLOUDINARY_URL_2` and the like add up."""
    env = ACCOUNT | {
        "CLOUDINARY_URL": "cloudinary://k1:s1@one",
        "CLOUDINARY_URL_2": "cloudinary://k2:s2@two?secure=true",
        "CLOUDINARY_URL_PROD": "cloudinary://k3:s3@three",
        "CLOUDINARY_URLS": "not ours",
    }

    found = from_environment(env)

    assert clouds(found) == {
        "one": ("k1", "s1"),
        "two": ("k2", "s2"),
        "three": ("k3", "s3"),
    }


def test_two_keys_for_one_cloud_are_refused() -> None:
    """Two variables for one cloud name are a mistake that names both variables."""
    env = ACCOUNT | {"CLOUDINARY_URL": "cloudinary://k:s@one", "CLOUDINARY_URL_2": "cloudinary://k2:s2@one"}

    with pytest.raises(UsageError, match="`CLOUDINARY_URL` and `CLOUDINARY_URL_2`"):
        from_environment(env)


@pytest.mark.parametrize(
    "env",
    [
        {"CLOUDINARY_ACCOUNT_URL": "account://11122233344:s3cr3t-canary"},
        {"CLOUDINARY_ACCOUNT_URL": "11122233344:s3cr3t-canary@acc"},
        {"CLOUDINARY_ACCOUNT_URL": "cloudinary://11122233344:s3cr3t-canary@acc"},
        {"CLOUDINARY_ACCOUNT_URL": "account://11122233344:s3cr3t-canary@x@acc"},
        {"CLOUDINARY_PROVISIONING_API_SECRET": "s3cr3t-canary", "CLOUDINARY_ACCOUNT_ID": "11122233344"},
        ACCOUNT | {"CLOUDINARY_URL": "cloudinary:11122233344:s3cr3t-canary@acc"},
        {},
    ],
)
def test_errors_name_the_variable_and_show_no_value(env: dict[str, str]) -> None:
    """What is missing or malformed is named by its variable; no part of a value is repeated."""
    with pytest.raises(UsageError) as caught:
        from_environment(env)

    text = f"{caught.value} {caught.value.hint} {caught.value!r}"
    assert "CLOUDINARY_" in text
    assert "s3cr3t-canary" not in text
    assert "11122233344" not in text


def test_repr_has_no_secret_and_the_header_has() -> None:
    """A secret leaves in the Authorization header only."""
    found = from_environment(ACCOUNT | {"CLOUDINARY_URL": "cloudinary://k:other-canary@one"})

    assert "canary" not in repr(found)
    assert "canary" not in str(found)
    assert base64.b64decode(found.account.authorization().split()[1]) == b"11122233344:s3cr3t-canary"
    assert {"s3cr3t-canary", "other-canary"} == set(found.secrets)
