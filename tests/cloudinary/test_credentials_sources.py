"""Where credentials, the host and the way to it are found, in which order, and what is never shown."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from permmigrate.cloudinary import envfile
from permmigrate.cloudinary.sources import Found, find
from permmigrate.errors import InvalidFileError, PermmigrateError, UsageError

ACCOUNT = "account://{key}:canary-{key}@acc-{key}"
CLOUD = "cloudinary://{key}:canary-{key}@{cloud}"
TOML = """
[account]
url = "account://from-toml:canary-toml@acc-toml"
[environments.production]
url = "cloudinary://toml:canary-toml@one"
[environments.staging]
cloud_name = "three"
key = "007"
secret = "canary-007"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder and, beside it, a working folder."""
    (tmp_path / "work").mkdir()
    (tmp_path / "home" / ".cloudinary-cli").mkdir(parents=True)
    return tmp_path / "home"


def put(home: Path, name: str, text: str, mode: int = 0o600) -> None:
    path = home.parent / "work" / name
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def save(home: Path, **entries: str) -> None:
    path = home / ".cloudinary-cli" / "config.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    path.chmod(0o600)


def look(home: Path, env: Mapping[str, str] | None = None, api_url: str | None = None) -> Found:
    return find(env or {}, folder=home.parent / "work", home=home, api_url=api_url)


def account(key: str) -> str:
    return ACCOUNT.format(key=key)


def cloud(key: str, name: str, query: str = "") -> str:
    return CLOUD.format(key=key, cloud=name) + query


def sources(found: Found) -> dict[str, str]:
    return {name: pair.source for name, pair in found.environments.items()}


def test_each_place_alone_is_enough(home: Path) -> None:
    """The environment, `.env`, the TOML file and the saved configurations each hold whole credentials."""
    env = {"CLOUDINARY_ACCOUNT_URL": account("a"), "CLOUDINARY_URL": cloud("e", "one")}
    from_env = look(home, env)
    put(home, ".env", "\n".join(f"{name}={value}" for name, value in env.items()))
    from_dotenv = look(home)
    (home.parent / "work" / ".env").unlink()
    put(home, "permmigrate.toml", TOML)
    from_toml = look(home)
    (home.parent / "work" / "permmigrate.toml").unlink()
    save(home, prod=cloud("e", "one", "?account_url=account%3A%2F%2Fk%3Acanary-k%40acc-k"))
    from_cld = look(home)

    found = (from_env, from_dotenv, from_toml, from_cld)
    assert ["acc-a", "acc-a", "acc-toml", "acc-k"] == [one.credentials().account_id for one in found]
    assert [
        {"one": "CLOUDINARY_URL"},
        {"one": "CLOUDINARY_URL in .env"},
        {
            "one": "environments.production in permmigrate.toml",
            "three": "environments.staging in permmigrate.toml",
        },
        {"one": "cld configuration prod"},
    ] == [sources(one) for one in found]
    assert [
        "CLOUDINARY_ACCOUNT_URL",
        "CLOUDINARY_ACCOUNT_URL in .env",
        "account in permmigrate.toml",
        "cld configuration prod",
    ] == [one.account.pair.source for one in found if one.account]
    assert ("007", "canary-007") == (
        from_toml.environments["three"].key,
        from_toml.environments["three"].secret,
    )


def test_the_first_place_wins_and_the_others_add_up(home: Path) -> None:
    """A credential comes from the first place that has it; what is passed over is named."""
    save(home, one=cloud("c1", "one"), two=cloud("c2", "two"), four=cloud("c4", "four"))
    put(home, "permmigrate.toml", TOML)
    put(home, ".env", f"export CLOUDINARY_URL='{cloud('d2', 'two')}'\n")
    env = {"CLOUDINARY_URL_5": cloud("e5", "five")}

    found = look(home, env)

    assert {
        "five": "CLOUDINARY_URL_5",
        "two": "CLOUDINARY_URL in .env",
        "one": "environments.production in permmigrate.toml",
        "three": "environments.staging in permmigrate.toml",
        "four": "cld configuration four",
    } == sources(found)
    assert {
        "`cld configuration one` is not used: `environments.production in permmigrate.toml` comes first",
        "`cld configuration two` is not used: `CLOUDINARY_URL in .env` comes first",
    } == set(found.notices)


def test_a_later_account_is_passed_over_whole(home: Path) -> None:
    """Key, secret and account id are one credential: they never come from two places."""
    put(home, "permmigrate.toml", TOML)
    put(home, ".env", f"CLOUDINARY_ACCOUNT_URL={account('d')}")

    found = look(home)

    assert ("acc-d", "d") == (found.credentials().account_id, found.credentials().account.key)
    assert any("account in permmigrate.toml" in notice for notice in found.notices)


def test_half_a_credential_is_refused(home: Path) -> None:
    """An account id here and a key there is a mistake, not a guess."""
    put(home, ".env", "CLOUDINARY_PROVISIONING_API_KEY=k\nCLOUDINARY_PROVISIONING_API_SECRET=canary-s\n")

    with pytest.raises(UsageError, match=r"in \.env lack `CLOUDINARY_ACCOUNT_ID`"):
        look(home, {})


def test_the_vendors_three_variables_of_an_environment_are_read(home: Path) -> None:
    """`CLOUDINARY_CLOUD_NAME`, `_API_KEY` and `_API_SECRET` are a key; two of them are a sentence."""
    three = {"CLOUDINARY_CLOUD_NAME": "c", "CLOUDINARY_API_KEY": "1", "CLOUDINARY_API_SECRET": "canary-1"}
    two = {name: value for name, value in three.items() if name != "CLOUDINARY_API_SECRET"}

    assert {"c": "CLOUDINARY_API_KEY"} == sources(look(home, three))
    assert ({}, ("`CLOUDINARY_CLOUD_NAME` is not used: `CLOUDINARY_API_SECRET` is not set beside it",)) == (
        look(home, two).environments,
        look(home, two).notices,
    )


def test_without_any_there_is_a_usage_error_that_says_what_to_set(home: Path) -> None:
    """Nothing anywhere is found out when the credentials are asked for."""
    with pytest.raises(UsageError) as caught:
        look(home).credentials()

    assert "CLOUDINARY_ACCOUNT_URL" in caught.value.hint


def test_cld_logins_and_broken_entries_are_set_aside(home: Path) -> None:
    """What another program saved is never our user's error."""
    save(
        home,
        __default__="b",
        b=cloud("b", "one"),
        a=cloud("a", "one"),
        login="cloudinary://one?oauth_token=canary-token",
        broken="canary-nonsense",
    )

    found = look(home)

    assert {"one": "cld configuration b"} == sources(found)
    assert 3 == len(found.notices)
    assert any("`cld configuration login` is a login" in notice for notice in found.notices)
    assert "canary" not in "".join(found.notices)


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, "\ud800"])
def test_an_unreadable_cld_file_is_set_aside(home: Path, text: str) -> None:
    """A file that is not what `cld` writes is told in one sentence."""
    (home / ".cloudinary-cli" / "config.json").write_bytes(text.encode("utf-8", "surrogatepass"))

    assert ({}, 1) == (look(home).environments, len(look(home).notices))


def test_several_accounts_in_cld_need_a_default(home: Path) -> None:
    """Which account is meant is never guessed."""
    one, two = ("?account_url=" + account(key) for key in "xy")
    save(home, a=cloud("a", "one", one), b=cloud("b", "two", two))
    assert look(home).account is None

    save(home, __default__="b", a=cloud("a", "one", one), b=cloud("b", "two", two))
    assert "acc-y" == look(home).credentials().account_id


def test_the_toml_file_chooses_among_cld_configurations(home: Path) -> None:
    """`cld` names those to use; false uses none; a name that is not there is an error."""
    save(home, a=cloud("a", "one"), b=cloud("b", "two"))

    put(home, "permmigrate.toml", 'cld = ["b"]')
    assert {"two"} == set(look(home).environments)
    put(home, "permmigrate.toml", "cld = false")
    assert {} == look(home).environments
    put(home, "permmigrate.toml", 'cld = ["c"]')
    with pytest.raises(UsageError, match="`c`"):
        look(home)


def test_cloudinary_home_moves_the_cld_file(home: Path, tmp_path: Path) -> None:
    """`CLOUDINARY_HOME` is where `cld` keeps its file instead."""
    (tmp_path / "config.json").write_text(json.dumps({"a": cloud("a", "one")}), encoding="utf-8")

    assert {"one"} == set(look(home, {"CLOUDINARY_HOME": str(tmp_path)}).environments)


@pytest.mark.parametrize(
    ("env", "dotenv", "toml", "option", "expected"),
    [
        ({}, "", "", None, ("https://api.cloudinary.com", "the default")),
        (
            {},
            "",
            'region = "eu"',
            None,
            ("https://api-eu.cloudinary.com", "region in permmigrate.toml"),
        ),
        (
            {},
            "CLOUDINARY_REGION=api-ap",
            'region = "eu"',
            None,
            ("https://api-ap.cloudinary.com", "CLOUDINARY_REGION in .env"),
        ),
        (
            {"CLOUDINARY_API_URL": "https://dam.example.com/"},
            "CLOUDINARY_REGION=api-ap",
            "",
            None,
            ("https://dam.example.com", "CLOUDINARY_API_URL"),
        ),
        (
            {"CLOUDINARY_API_URL": "https://dam.example.com/"},
            "",
            "",
            "http://localhost:1",
            ("http://localhost:1", "--api-url"),
        ),
        (
            {"CLOUDINARY_URL": cloud("e", "one", "?upload_prefix=https%3A%2F%2Fapi-eu.cloudinary.com")},
            "",
            "",
            None,
            ("https://api-eu.cloudinary.com", "upload_prefix of CLOUDINARY_URL"),
        ),
        (
            {"CLOUDINARY_URL": cloud("e", "one", "?upload_prefix=https%3A%2F%2Fapi-eu.cloudinary.com")},
            "",
            'region = "ap"',
            None,
            ("https://api-ap.cloudinary.com", "region in permmigrate.toml"),
        ),
    ],
)
def test_the_host(
    home: Path, env: dict[str, str], dotenv: str, toml: str, option: str | None, expected: tuple[str, str]
) -> None:
    """Said by option, by variable, by file, by `upload_prefix`, or the vendor's default."""
    put(home, ".env", dotenv)
    put(home, "permmigrate.toml", toml)

    found = look(home, env, option)

    assert expected == (found.api_url.value, found.api_url.source)


def test_two_hosts_are_refused_and_other_hosts_of_cld_set_aside(home: Path) -> None:
    """One run talks to one host; keys that were saved for another are not sent to it."""
    eu, ap = (f"?upload_prefix=https%3A%2F%2Fapi-{region}.cloudinary.com" for region in ("eu", "ap"))
    save(home, a=cloud("a", "one", eu), b=cloud("b", "two"))
    assert ({"two"}, "the default") == (set(look(home).environments), look(home).api_url.source)

    save(home, a=cloud("a", "one", eu), b=cloud("b", "two", eu))
    assert {"one", "two"} == set(look(home).environments)
    assert "https://api-eu.cloudinary.com" == look(home).api_url.value

    env = {"CLOUDINARY_URL": cloud("e", "one", eu), "CLOUDINARY_URL_2": cloud("f", "two", ap)}
    with pytest.raises(UsageError, match="two hosts"):
        look(home, env)


@pytest.mark.parametrize(
    "host", ["http://api.cloudinary.com", "https://u:canary@api.cloudinary.com", "dam.example.com"]
)
def test_a_bad_host_is_named_by_its_source(home: Path, host: str) -> None:
    """Plain HTTP beyond this machine, or what is no host, is refused wherever it was said."""
    with pytest.raises(UsageError) as caught:
        look(home, {"CLOUDINARY_API_URL": host})

    assert "canary" not in f"{caught.value}{caught.value.hint}"


def test_a_file_of_the_folder_sends_no_other_secrets_to_a_stranger(home: Path) -> None:
    """A folder that somebody else made cannot lead exported secrets to a host of its choosing."""
    env = {"CLOUDINARY_ACCOUNT_URL": account("a")}
    put(home, "permmigrate.toml", 'api_url = "https://api.cloudinary.com.evil.example"')
    with pytest.raises(UsageError, match="not the vendor's"):
        look(home, env)
    assert "--api-url" == look(home, env, "https://dam.example.com").api_url.source

    put(home, "permmigrate.toml", 'api_url = "https://dam.example.com"\n' + TOML)
    assert "https://dam.example.com" == look(home).api_url.value


def test_proxies_and_bundles_have_the_same_order(home: Path) -> None:
    """The environment, then `.env`, then the TOML file; `NO_PROXY` of the environment holds for all."""
    put(home, "permmigrate.toml", 'proxy = "http://u:canary@toml:1"\nca_bundle = "ca.pem"')
    found = look(home)
    assert found.proxy is not None
    assert found.ca_bundle is not None
    assert ("http://u:canary@toml:1", str(home.parent / "work" / "ca.pem")) == (
        found.proxy.value,
        found.ca_bundle.value,
    )
    assert "canary" not in repr(found)

    put(home, ".env", "HTTPS_PROXY=http://dotenv:1\nREQUESTS_CA_BUNDLE=/dotenv.pem\n")
    assert ("http://dotenv:1", "/dotenv.pem") == tuple(
        one.value for one in (look(home).proxy, look(home).ca_bundle) if one
    )

    env = {"https_proxy": "http://env:1", "SSL_CERT_FILE": "/env.pem", "REQUESTS_CA_BUNDLE": "/other.pem"}
    assert ("http://env:1", "/env.pem", "SSL_CERT_FILE") == (
        getattr(look(home, env).proxy, "value", None),
        getattr(look(home, env).ca_bundle, "value", None),
        getattr(look(home, env).ca_bundle, "source", None),
    )
    assert look(home, {"NO_PROXY": "cloudinary.com"}).proxy is None


def test_files_that_others_can_read_are_told(home: Path) -> None:
    """Only files that hold secrets, and only when the group or the world can read them."""
    put(home, ".env", "CLOUDINARY_REGION=eu", 0o644)
    assert () == look(home).exposed

    put(home, ".env", f"CLOUDINARY_URL={cloud('e', 'one')}", 0o644)
    put(home, "permmigrate.toml", TOML, 0o640)
    save(home, a=cloud("a", "two"))
    assert [".env", "permmigrate.toml"] == [path.name for path in look(home).exposed]


def test_env_files_are_read_as_people_write_them(tmp_path: Path) -> None:
    """Comments, `export`, quotes, a BOM and Windows line ends; the lines of other programs do no harm."""
    path = tmp_path / ".env"
    path.write_bytes(
        b"\xef\xbb\xbffirst=1\r\n# ours\r\nexport CLOUDINARY_URL = 'a # b'   # comment\r\n\r\n"
        b'PEM="one\r\ntwo"\r\nplain=x y # z\r\nhash=a#b\r\n???\r\nescaped="a\\"b\\\\"\r\nempty=\r\n'
    )

    assert {
        "first": "1",
        "CLOUDINARY_URL": "a # b",
        "PEM": "one\ntwo",
        "plain": "x y",
        "hash": "a#b",
        "escaped": 'a"b\\',
        "empty": "",
    } == envfile.read(path)


BROKEN = [
    (".env", 'A=1\nCLOUDINARY_URL="canary\n', "NAME=value", ".env:2"),
    (".env", "CLOUDINARY_URL canary", "", ".env:1"),
    (".env", "CLOUDINARY_URL=cloudinary://k:${canary}@c", "", ".env:1"),
    (".env", "\xff", "", ".env"),
    ("permmigrate.toml", "\napi_url = canary", "", "permmigrate.toml:2"),
    ("permmigrate.toml", '[account]\nurl = "canary"', "", "permmigrate.toml:2"),
    ("permmigrate.toml", '\n[acount]\nurl = "canary"', "account", "permmigrate.toml:2"),
    ("permmigrate.toml", '[environments.a]\nkey = "canary"', "", "permmigrate.toml:1"),
    ("permmigrate.toml", '[account]\nid = "a"\nkey = 7\nsecret = "canary"', "", "permmigrate.toml:3"),
    ("permmigrate.toml", 'cld = "canary"', "", "permmigrate.toml:1"),
]


@pytest.mark.parametrize(("name", "text", "hint", "where"), BROKEN)
def test_a_broken_file_is_told_by_its_line_and_never_by_its_text(
    home: Path, name: str, text: str, hint: str, where: str
) -> None:
    """Every problem has its place; no part of a value is repeated."""
    path = home.parent / "work" / name
    path.write_bytes(text.encode("latin-1"))

    with pytest.raises(InvalidFileError) as caught:
        look(home)

    told = [caught.value.message, caught.value.hint, *(str(one) for one in caught.value.problems)]
    assert where in "".join(told)
    assert hint in "".join(told)
    assert "canary" not in "".join(told)


def test_secrets_are_in_no_repr_and_no_log(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is found or refused, a secret stays where it is."""
    caplog.set_level(logging.DEBUG)
    save(home, a=cloud("c", "four"))
    put(home, "permmigrate.toml", TOML)
    put(home, ".env", f"CLOUDINARY_ACCOUNT_URL={account('d')}\nHTTPS_PROXY=http://u:canary-p@proxy:1")
    found = look(home, {"CLOUDINARY_URL": cloud("e", "five")})
    assert 5 == len(found.secrets)
    shown = repr(found) + repr(found.credentials()) + "".join(found.notices)
    with pytest.raises(PermmigrateError) as caught:
        look(home, {"CLOUDINARY_URL": cloud("e", "five"), "CLOUDINARY_URL_2": cloud("f", "five")})

    assert "canary" not in shown + repr(caught.value) + caught.value.hint + caplog.text
