"""Whatever is wrong: one clear message, the right exit code, no traceback, nothing half-written."""

from __future__ import annotations

import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from command_line import CANARY, Account
from permmigrate.apply.journal import Journal
from permmigrate.errors import ExitCode
from permmigrate.resources import mappings_dir


def test_without_credentials_the_message_names_the_variable(call, tmp_path: Path) -> None:
    """Somebody who has exported nothing learns what to export."""
    ran = call("snapshot", "--out", tmp_path / "a.snapshot")
    assert ran.code == ExitCode.USAGE
    assert "CLOUDINARY_ACCOUNT_URL" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_wrong_credentials_leave_with_4_and_no_file(
    call, opened: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mistyped secret is told as such, and never repeated."""
    wrong = opened.env["CLOUDINARY_ACCOUNT_URL"].replace(CANARY, CANARY + "x")
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", wrong)
    ran = call("snapshot", "--out", tmp_path / "a.snapshot", "--api-url", opened.url)
    assert ran.code == ExitCode.SERVICE
    assert "CLOUDINARY_ACCOUNT_URL" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_host_leaves_with_4(call, opened: Account, tmp_path: Path) -> None:
    """Nobody listening is told as unreachable."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ran = call(
        "snapshot", "--out", tmp_path / "a.snapshot", "--api-url", f"http://127.0.0.1:{port}", "--quiet"
    )
    assert ran.code == ExitCode.SERVICE
    assert f"127.0.0.1:{port}" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_plain_http_to_another_host_is_refused(call, opened: Account, tmp_path: Path) -> None:
    """Secrets do not travel unencrypted beyond this machine."""
    ran = call("snapshot", "--out", tmp_path / "a.snapshot", "--api-url", "http://api.cloudinary.com")
    assert ran.code == ExitCode.USAGE
    assert "https" in ran.err.lower()


def test_an_answer_that_is_not_json_leaves_with_4(call, opened: Account, tmp_path: Path) -> None:
    """A login page of a proxy is no account."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>Sign in to the guest network</html>")

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        ran = call("snapshot", "--out", tmp_path / "a.snapshot", "--api-url", url, "--quiet")
    finally:
        server.shutdown()
        server.server_close()
    assert ran.code == ExitCode.SERVICE
    assert "JSON" in ran.err
    assert "guest network" not in ran.err


def test_unknown_people_and_folders_in_a_share_list_are_listed_together(
    call, opened: Account, tmp_path: Path
) -> None:
    """Every unknown name is told with its line; nothing is written."""
    shares = tmp_path / "shares.csv"
    lines = opened.shares.read_text(encoding="utf-8-sig").splitlines()
    header = lines[0].split(",")
    environment = dict(zip(header, lines[1].split(","), strict=False))["environment"]
    shares.write_text(
        "environment,content_type,content,principal_type,principal,level\n"
        f"{environment},folder,No/Such/Folder,user,nobody@example.com,Can view\n"
        f"{environment},folder,Other/Missing,group,No such group,can_edit\n",
        encoding="utf-8",
    )
    out = tmp_path / "a.snapshot"
    ran = call("snapshot", "--out", out, "--shares", shares, "--api-url", opened.url, "--quiet")
    assert ran.code == ExitCode.INVALID_FILE
    assert "shares.csv:2" in ran.err
    assert "shares.csv:3" in ran.err
    assert "--keep-unknown" in ran.err
    assert not out.exists()


@pytest.mark.parametrize("cut", [0, 1, 100, -1, -30])
def test_a_truncated_snapshot_is_named_as_such(call, snapshot: Path, tmp_path: Path, cut: int) -> None:
    """Half a file is never read as an account with fewer people."""
    broken = tmp_path / "broken.snapshot"
    broken.write_bytes(snapshot.read_bytes()[:cut])
    ran = call("diff", broken, "--out", tmp_path / "reports")
    assert ran.code == ExitCode.INVALID_FILE
    assert "broken.snapshot" in ran.err
    assert not (tmp_path / "reports").exists()


def test_a_missing_snapshot_is_named(call, tmp_path: Path) -> None:
    """A mistyped name is told back."""
    ran = call("readiness", tmp_path / "nope.snapshot", "--out", tmp_path / "reports")
    assert ran.code in (ExitCode.USAGE, ExitCode.INVALID_FILE)
    assert "nope.snapshot" in ran.err


def test_ten_mistakes_in_the_tables_are_told_at_once(call, snapshot: Path, tmp_path: Path) -> None:
    """A person mends a table in one go, not in ten."""
    tables = tmp_path / "mappings"
    shutil.copytree(mappings_dir(), tables)
    (tables / "user_roles.csv").write_text(
        "legacy_role,target_type,target,scope,source,confidence,note\n"
        "admin,rol,cld::role::account::admin,account,us,customer,\n"
        "admin,role,cld::role::account::admin,acount,us,customer,\n"
        "billing,role,,account,us,customer,\n"
        "reports,bundle,Reports,each_environment,us,certain,\n"
        "reports,bundle,Reports,each_environment,,inferred,\n",
        encoding="utf-8",
    )
    (tables / "folder_levels.csv").write_text(
        "level,principal_type,target_type,target,source,confidence,note\n"
        "can_view,everyone,role,folder/Viewer,us,customer,\n"
        "can_edit,any,role,folder/Editor,us,custommer,\n"
        ",any,role,folder/Editor,us,customer,\n",
        encoding="utf-8",
    )
    (tables / "overrides.csv").write_text(
        "principal_type,match_by,match,applies_to,legacy,target_type,target,scope,reason,expires,source,confidence,note\n"
        "user,mail,a@example.com,user_role,*,none,,,left,2026-13-01,us,customer,\n",
        encoding="utf-8",
    )
    ran = call("diff", snapshot, "--mappings", tables, "--out", tmp_path / "reports")
    assert ran.code == ExitCode.INVALID_FILE
    for where in (
        *(f"user_roles.csv:{line}" for line in range(2, 7)),
        *(f"folder_levels.csv:{line}" for line in range(2, 5)),
        "overrides.csv:2",
    ):
        assert where in ran.err, where
    assert ran.err.count("overrides.csv:2") >= 2
    assert "did you mean" in ran.err
    assert not (tmp_path / "reports").exists()


def test_a_folder_that_cannot_be_written_is_told(call, snapshot: Path, tmp_path: Path) -> None:
    """A report folder that is a file ends in a message."""
    place = tmp_path / "reports"
    place.write_text("in the way")
    ran = call("diff", snapshot, "--out", place)
    assert ran.code in (ExitCode.USAGE, ExitCode.INVALID_FILE)


def test_init_never_overwrites(call, tmp_path: Path) -> None:
    """Edited tables survive a second `init`."""
    assert call("mappings", "init", tmp_path / "mine").code == 0
    edited = tmp_path / "mine" / "user_roles.csv"
    edited.write_text("mine", encoding="utf-8")
    assert call("mappings", "init", tmp_path / "mine").code == ExitCode.REFUSED
    assert edited.read_text(encoding="utf-8") == "mine"


def test_a_bug_is_one_line_without_the_exceptions_text(
    call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of an unforeseen exception may hold anything, so it is not shown."""

    def broken(_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr("permmigrate.cli.journal._words", broken)
    Journal.begin(tmp_path / "j", {}, lambda: "2026-11-22T12:00:00Z").close()
    ran = call("journal", "show", tmp_path / "j")
    assert ran.code == ExitCode.BUG
    assert "RuntimeError" in ran.err
