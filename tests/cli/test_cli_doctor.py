"""`permmigrate doctor` as a person and as a program meet it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import CANARY, Account, Ran
from permmigrate.errors import ExitCode

Call = Callable[..., Ran]


def test_a_healthy_account_leaves_with_0_and_says_what_is_next(call: Call, opened: Account) -> None:
    """The verdict first, every part, the cost, and the next command."""
    ran = call("doctor", "--api-url", opened.url)

    assert ExitCode.OK == ran.code
    assert ran.out.startswith("Ready: a snapshot would be whole")
    for words in ("Credentials", "Provisioning API", "Permissions system", "Allowances", "Request budget"):
        assert words in ran.out
    assert "from CLOUDINARY_ACCOUNT_URL" in ran.out
    assert "next: permmigrate snapshot" in ran.err
    assert "\x1b" not in ran.out


def test_json_is_one_document_on_stdout(call: Call, opened: Account) -> None:
    """A program reads stdout; talk goes to stderr."""
    ran = call("doctor", "--json", "--api-url", opened.url, "--rate-share", "0.25", "--workers", "4")

    told = json.loads(ran.out)
    assert (True, 0.25, 4) == (told["ready"], told["budget"]["share"], told["budget"]["workers"])


def test_without_credentials_it_leaves_with_2(call: Call, account: Account, tmp_path: Path) -> None:
    """Somebody who has exported nothing learns what to export, and the host is checked all the same."""
    ran = call("doctor", "--api-url", account.url)

    assert ExitCode.USAGE == ran.code
    assert "set CLOUDINARY_ACCOUNT_URL=account://KEY:SECRET@ACCOUNT_ID" in ran.out
    assert "public catalog" in ran.out


def test_a_missing_environment_key_leaves_with_2(
    call: Call, opened: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot without its folders would not be whole."""
    monkeypatch.delenv("CLOUDINARY_URL_2")

    ran = call("doctor", "--api-url", opened.url)

    assert ExitCode.USAGE == ran.code
    assert ran.out.startswith("Not ready")
    assert "cloudinary://KEY:SECRET@meridian-staging" in ran.out


def test_a_refusal_leaves_with_4(call: Call, opened: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong secret is named by its variable, in text and in JSON, and never shown."""
    wrong = opened.env["CLOUDINARY_ACCOUNT_URL"].replace(CANARY, CANARY + "x")
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", wrong)

    ran, as_json = call("doctor", "--api-url", opened.url), call("doctor", "--json", "--api-url", opened.url)

    assert (ExitCode.SERVICE, ExitCode.SERVICE) == (ran.code, as_json.code)
    assert "failed" in ran.out
    assert "`CLOUDINARY_ACCOUNT_URL`" in ran.out
    assert json.loads(as_json.out)["ready"] is False


def test_an_unreachable_host_leaves_with_4(call: Call, opened: Account) -> None:
    """Nobody listening is told as such, and no traceback is."""
    ran = call("doctor", "--api-url", "http://127.0.0.1:1")

    assert ExitCode.SERVICE == ran.code
    assert "127.0.0.1:1" in ran.out


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLOUDINARY_API_URL", "http://api.cloudinary.com"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
        ("CLOUDINARY_ACCOUNT_URL", f"account:{CANARY}"),
    ],
)
def test_words_that_do_not_fit_leave_with_2(
    call: Call, opened: Account, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Plain HTTP to another host, a bundle that is not there, a URL of no known form."""
    monkeypatch.setenv(name, value)

    ran = call("doctor")

    assert ExitCode.USAGE == ran.code
    assert "" == ran.out


def test_files_of_the_working_folder_are_used_and_told(
    call: Call, account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Credentials from `.env` and `permmigrate.toml`; what others can read is a warning, no end."""
    urls = dict(account.env)
    (tmp_path / ".env").write_text(
        f"CLOUDINARY_ACCOUNT_URL={urls['CLOUDINARY_ACCOUNT_URL']}\nCLOUDINARY_API_URL={account.url}\n",
        encoding="utf-8",
    )
    (tmp_path / ".env").chmod(0o644)
    (tmp_path / "permmigrate.toml").write_text(
        f'[environments.a]\nurl = "{urls["CLOUDINARY_URL_1"]}"\n'
        f'[environments.b]\nurl = "{urls["CLOUDINARY_URL_2"]}"\n',
        encoding="utf-8",
    )
    (tmp_path / "permmigrate.toml").chmod(0o600)
    monkeypatch.chdir(tmp_path)

    ran = call("doctor")

    assert ExitCode.OK == ran.code
    assert "from CLOUDINARY_ACCOUNT_URL in .env" in ran.out
    assert "from environments.a in permmigrate.toml" in ran.out
    assert "chmod 600" in ran.out
    assert "warning" in ran.out
    assert ExitCode.OK == call("snapshot", "--out", tmp_path / "a.snapshot", "--quiet").code


def test_a_broken_file_leaves_with_3(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its problems are told as file:line."""
    (tmp_path / "permmigrate.toml").write_text(f'\nsecret = "{CANARY}"', encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    ran = call("doctor")

    assert ExitCode.INVALID_FILE == ran.code
    assert "permmigrate.toml:2" in ran.err


def test_on_a_terminal_the_words_are_the_same(
    call: Call, opened: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Colour adds nothing that words do not say."""
    monkeypatch.setattr("permmigrate.cli.doctor._on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")

    ran = call("doctor", "--api-url", opened.url)

    for words in ("Ready: a snapshot would be whole", "from CLOUDINARY_ACCOUNT_URL", "ok", "Request budget"):
        assert words in ran.out
