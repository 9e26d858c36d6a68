"""What a snapshot could not read stops a pipeline, unless somebody allows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import Account, Ran
from permmigrate.errors import ExitCode
from permmigrate.snapshot.file import load

Call = Callable[..., Ran]


def without_staging(opened: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the key of one of the two environments away."""
    monkeypatch.delenv(max(name for name in opened.env if name.startswith("CLOUDINARY_URL")))


def test_an_environment_without_a_key_leaves_with_4_and_a_saved_file(
    call: Call, opened: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Folders that were not read are a gap like any other; the snapshot is kept."""
    without_staging(opened, monkeypatch)
    out = tmp_path / "a.snapshot"

    ran = call("snapshot", "--out", out, "--api-url", opened.url, "--quiet")

    assert ExitCode.SERVICE == ran.code
    assert "saved with 1 gap:" in ran.err
    assert ["folders", "shares"] == sorted(gap.area for gap in load(out).gaps)


def test_a_gap_that_is_allowed_leaves_with_0(
    call: Call, opened: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`--allow-gaps` takes the snapshot as it is."""
    without_staging(opened, monkeypatch)
    arguments = ("snapshot", "--out", tmp_path / "a.snapshot", "--api-url", opened.url, "--quiet")

    assert ExitCode.OK == call(*arguments, "--allow-gaps").code


def test_a_key_for_no_environment_of_the_account_is_named(
    call: Call, opened: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mistyped cloud name is told, not passed over."""
    monkeypatch.setenv("CLOUDINARY_URL_9", "cloudinary://1:x@nocloud")

    ran = call("snapshot", "--out", tmp_path / "a.snapshot", "--api-url", opened.url, "--quiet")

    assert ExitCode.SERVICE == ran.code
    assert "`nocloud`, which is no environment of this account" in ran.err
