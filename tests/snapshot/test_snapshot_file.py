"""A snapshot's file: whole or refused, the same bytes for the same account."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from permmigrate.catalog import Catalog
from permmigrate.errors import InvalidFileError
from permmigrate.model import (
    AccountKey,
    ApiKey,
    Collection,
    ContentKind,
    ContentRef,
    CustomPolicy,
    EnvironmentId,
    Folder,
    Group,
    LedgerEntry,
    OrphanShare,
    Policy,
    PrincipalRef,
    PrincipalType,
    ProductEnvironment,
    Role,
    RoleAssignment,
    Share,
    User,
)
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.archive import MEMBERS
from permmigrate.snapshot.file import dump, load
from permmigrate.snapshot.sharelines import LineReader

EMPTY = Catalog.of((), ())


def some(**fields: Any) -> Snapshot:
    return Snapshot.of(
        **{"account_id": "acc", "captured_at": "2026-11-22T08:00:00Z", "tool_version": "1", "catalog": EMPTY}
        | fields
    )


def people(count: int = 3) -> tuple[User, ...]:
    return tuple(
        User(id=f"u{n}", name=f"Zoë {n}", email=f"u{n}@x", legacy_role="admin") for n in range(count)
    )  # type: ignore[arg-type]


TEXT = st.text(max_size=8) | st.sampled_from(["\ud800", "\x00", "=1+1", "799451857115779", "007", "NaN"])


def table(kind: type) -> st.SearchStrategy[Any]:
    return st.lists(st.from_type(kind), max_size=4).map(tuple)


@pytest.fixture(autouse=True, scope="module")
def _awkward_texts() -> Iterator[None]:
    """Texts of this module's values are awkward ones; other modules keep Hypothesis's own."""
    st.register_type_strategy(str, TEXT)
    yield
    st.register_type_strategy(str, st.text())


def strategies() -> st.SearchStrategy[Snapshot]:
    catalogs = st.builds(
        Catalog.of,
        st.lists(st.from_type(Policy), max_size=3),
        st.lists(st.from_type(Role), max_size=3),
        st.dictionaries(
            TEXT, st.dictionaries(TEXT, TEXT | st.booleans() | st.none(), max_size=2), max_size=2
        ),
        TEXT,
    )
    tables = {
        "environments": ProductEnvironment,
        "users": User,
        "groups": Group,
        "api_keys": ApiKey,
        "account_keys": AccountKey,
        "folders": Folder,
        "collections": Collection,
        "shares": Share,
        "orphan_shares": OrphanShare,
        "custom_policies": CustomPolicy,
        "assignments": RoleAssignment,
        "ledger": LedgerEntry,
    }
    return st.builds(
        Snapshot.of,
        account_id=TEXT,
        captured_at=TEXT,
        tool_version=TEXT,
        api_url=TEXT,
        catalog=catalogs,
        digest=st.just(""),
        **{name: table(kind) for name, kind in tables.items()},
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies())
def test_load_gives_back_what_was_dumped(
    tmp_path_factory: pytest.TempPathFactory, snapshot: Snapshot
) -> None:
    """Whatever the account holds, `load(dump(x)) == x` but for the digest that dump adds."""
    path = tmp_path_factory.mktemp("law") / "a.snapshot"

    saved = dump(snapshot, path)

    assert dataclasses.replace(snapshot, digest=saved.digest) == saved
    assert saved == load(path)


def test_same_snapshot_same_bytes(tmp_path: Path) -> None:
    """Rows come in one order and nothing of the clock or the machine gets in."""
    users = people(5)

    first = dump(some(users=users), tmp_path / "a")
    second = dump(some(users=users[::-1]), tmp_path / "b")

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert first.digest == second.digest


def test_digest_tells_contents_apart(tmp_path: Path) -> None:
    """One more person is another digest."""
    digests = {dump(some(users=people(n)), tmp_path / str(n)).digest for n in range(4)}

    assert len(digests) == 4


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX thing")
def test_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """A snapshot names people: mode 0600, whatever the umask."""
    previous = os.umask(0)
    try:
        dump(some(), tmp_path / "a")
    finally:
        os.umask(previous)

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_a_failed_dump_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """A dump that breaks midway neither harms what was there nor leaves rubbish."""
    dump(some(), tmp_path / "a")
    before = (tmp_path / "a").read_bytes()
    broken = dataclasses.replace(some(), users=(object(),))  # type: ignore[arg-type]

    with pytest.raises(AttributeError):
        dump(broken, tmp_path / "a")

    assert before == (tmp_path / "a").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Nowhere to write to is an error with a remedy."""
    with pytest.raises(InvalidFileError, match="cannot be written"):
        dump(some(), tmp_path / "no" / "a")


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The same file with its members changed by hand."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    other = path.with_name("changed")
    with zipfile.ZipFile(other, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return other


def problem(path: Path) -> str:
    with pytest.raises(InvalidFileError) as caught:
        load(path)
    return caught.value.message


@pytest.mark.parametrize("name", sorted(MEMBERS | {"manifest.json"}))
def test_tampering_with_any_member_is_caught(tmp_path: Path, name: str) -> None:
    """A changed byte in any member is found, and the member is named."""
    dump(some(users=people(), groups=(Group("g", "G"),)), tmp_path / "a")  # type: ignore[arg-type]

    def change(members: dict[str, bytes]) -> None:
        members[name] = (
            members[name].replace(b'"acc"', b'"acd"') if "manifest" in name else members[name] + b"\n"
        )

    assert f"`{name}` was changed after it was written" in problem(rewritten(tmp_path / "a", change))


@pytest.mark.parametrize("name", sorted(MEMBERS | {"manifest.json"}))
def test_a_missing_member_is_named(tmp_path: Path, name: str) -> None:
    """A member that is gone is missed."""
    dump(some(), tmp_path / "a")

    assert f"`{name}`" in problem(rewritten(tmp_path / "a", lambda members: members.__delitem__(name)))


def test_a_member_too_many_is_named(tmp_path: Path) -> None:
    """What does not belong into a snapshot is not ignored."""
    dump(some(), tmp_path / "a")

    assert "`more.jsonl` does not belong" in problem(
        rewritten(tmp_path / "a", lambda members: members.update({"more.jsonl": b""}))
    )


def test_every_truncation_is_caught(tmp_path: Path) -> None:
    """A copy that ends early is refused, wherever it ends."""
    dump(some(users=people(50)), tmp_path / "a")
    content = (tmp_path / "a").read_bytes()

    for end in range(0, len(content), 97):
        (tmp_path / "cut").write_bytes(content[:end])
        assert "is not a snapshot" in problem(tmp_path / "cut")


def test_every_flipped_byte_of_a_member_is_caught(tmp_path: Path) -> None:
    """A damaged disk block is refused with words, never with a traceback."""
    saved = dump(some(users=people(20)), tmp_path / "a")
    content = bytearray((tmp_path / "a").read_bytes())

    for at in range(0, len(content), 31):
        damaged = bytearray(content)
        damaged[at] ^= 0x55
        (tmp_path / "damaged").write_bytes(damaged)
        with contextlib.suppress(InvalidFileError):
            # a byte of the ZIP's own padding and attributes may change without any effect
            assert saved == load(tmp_path / "damaged")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """An empty file, a text and an empty ZIP are no snapshots."""
    (tmp_path / "a").write_bytes(content)

    assert "snapshot" in problem(tmp_path / "a")


def test_no_file_is_said(tmp_path: Path) -> None:
    """A path that leads nowhere is an error of its own."""
    assert "no such file" in problem(tmp_path / "none")


def test_another_zip_is_refused(tmp_path: Path) -> None:
    """A workbook is a ZIP file too."""
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")

    assert "no `manifest.json`" in problem(tmp_path / "a")


def resealed(path: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None]) -> Path:
    """The same file changed by someone who also makes the digests fit: a newer version, or a bug."""
    import hashlib

    from permmigrate.snapshot.archive import manifest_digest

    def reseal(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        change(members, manifest)
        for name in manifest["members"]:
            if name in members:
                manifest["members"][name]["sha256"] = hashlib.sha256(members[name]).hexdigest()
        manifest["digest"] = manifest_digest(manifest)
        members["manifest.json"] = json.dumps(manifest).encode()

    return rewritten(path, reseal)


def test_a_newer_schema_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """A file of a later version says so."""
    dump(some(), tmp_path / "a")

    changed = resealed(tmp_path / "a", lambda _, manifest: manifest.update(schema=99))

    with pytest.raises(InvalidFileError, match="schema 99") as caught:
        load(changed)
    assert "newer version" in caught.value.hint


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b'"email":"u1@x",', b"", "row 2 of `users.jsonl` lacks field `email`"),
        (
            b'"email":"u1@x"',
            b'"email":5',
            "row 2 of `users.jsonl` has the wrong kind of value in field `email`",
        ),
        (b'"email":"u2@x"', b'"email":"u2@x","x":1', "row 3 of `users.jsonl` has the unknown field `x`"),
        (
            b'{"all_environments":true,"created_at":null,"email":"u0@x"',
            b"{",
            "row 1 of `users.jsonl` is not JSON",
        ),
        (b'"providers":[]', b'"providers":[1]', "row 1 of `users.jsonl` has something other than text"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, old: bytes, new: bytes, expected: str) -> None:
    """A row that does not fit says its number and its field."""
    dump(some(users=people()), tmp_path / "a")

    def change(members: dict[str, bytes], _: dict[str, Any]) -> None:
        assert old in members["users.jsonl"]
        members["users.jsonl"] = members["users.jsonl"].replace(old, new)

    assert expected in problem(resealed(tmp_path / "a", change))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b'"level":"can_view"', b'"level":5', "has the wrong kind of value in field `level`"),
        (b'"level":"can_view",', b"", "lacks field `level`"),
        (b'"user"', b'"robot"', "holds a value this version does not know"),
        (b'"source":', b'"source"', "is not JSON"),
    ],
)
def test_a_wrong_share_is_named(tmp_path: Path, old: bytes, new: bytes, expected: str) -> None:
    """Shares are read many at a time, and the one that is wrong is named by its number all the same."""
    who = PrincipalRef(PrincipalType.USER, "u")
    shares = [
        Share(ContentRef(EnvironmentId("e"), ContentKind.FOLDER, f"f{n}"), who, "can_view", f"a.csv:{n}")
        for n in range(4)
    ]
    dump(some(shares=shares), tmp_path / "a")

    def change(members: dict[str, bytes], _: dict[str, Any]) -> None:
        lines = members["shares.jsonl"].splitlines(keepends=True)
        members["shares.jsonl"] = b"".join([*lines[:2], lines[2].replace(old, new), lines[3]])

    assert f"row 3 of `shares.jsonl` {expected}" in problem(resealed(tmp_path / "a", change))


def test_an_unknown_word_is_named(tmp_path: Path) -> None:
    """A status, type or scope of a later version is not guessed at."""
    dump(some(ledger=(LedgerEntry("people", "e", "", "read"),)), tmp_path / "a")  # type: ignore[arg-type]

    def change(members: dict[str, bytes], _: dict[str, Any]) -> None:
        members["ledger.jsonl"] = members["ledger.jsonl"].replace(b'"read"', b'"half"')

    assert "row 1 of `ledger.jsonl` holds a value" in problem(resealed(tmp_path / "a", change))


def test_rows_are_counted(tmp_path: Path) -> None:
    """A manifest that promises more rows than there are is not believed."""
    dump(some(users=people()), tmp_path / "a")

    def change(members: dict[str, bytes], manifest: dict[str, Any]) -> None:
        manifest["members"]["users.jsonl"]["rows"] = 4

    assert "has 3 rows, and the manifest says 4" in problem(resealed(tmp_path / "a", change))


def test_rows_across_blocks_come_back_whole(tmp_path: Path) -> None:
    """Rows that cross the reading blocks come back whole."""
    who = PrincipalRef(PrincipalType.USER, "u")
    contents = [ContentRef(EnvironmentId("e"), ContentKind.FOLDER, f"f{n:09}") for n in range(20_000)]
    shares = tuple(Share(content, who, "can_view", f"a.csv:{n}") for n, content in enumerate(contents))

    saved = dump(some(shares=shares), tmp_path / "a")

    assert saved == load(tmp_path / "a")


def many(count: int = 20_000) -> Snapshot:
    """Shares of more than one block, whose bytes do not shrink much, and something before and after them."""
    who = [PrincipalRef(PrincipalType.USER, f"u{n * n % 9973}") for n in range(count)]
    contents = [
        ContentRef(EnvironmentId("e"), ContentKind.FOLDER, f"{n * 7919 % 99991}") for n in range(count)
    ]
    shares = (
        Share(content, one, "can_view", f"a.csv:{n}")
        for n, (content, one) in enumerate(zip(contents, who, strict=True))
    )
    return some(shares=shares, users=people(), folders=(Folder("f", "e", "F"),))  # type: ignore[arg-type]


def ahead() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("permmigrate-ahead")]


@pytest.mark.parametrize("name", sorted(MEMBERS))
def test_damage_is_named_by_the_first_member_that_has_it(tmp_path: Path, name: str) -> None:
    """Two members do not fit: the first in order is said, and nothing goes on after it."""
    dump(many(2_000), tmp_path / "a")

    def change(members: dict[str, bytes]) -> None:
        members[name] = b"{}\n" + members[name]
        members["users.jsonl"] += b"no row"

    assert f"`{name}` was changed after it was written" in problem(rewritten(tmp_path / "a", change))
    assert [] == ahead()


def test_damage_in_the_middle_of_the_shares_is_said(tmp_path: Path) -> None:
    """A block that cannot be unpacked, with others read ahead of it, is an error and nothing hangs."""
    dump(many(), tmp_path / "a")
    content = bytearray((tmp_path / "a").read_bytes())
    with zipfile.ZipFile(tmp_path / "a") as archive:
        shares = archive.getinfo("shares.jsonl")
    for at in range(
        shares.header_offset + shares.compress_size // 2, shares.header_offset + shares.compress_size
    ):
        content[at] = 0xFF
    (tmp_path / "a").write_bytes(content)

    assert "`shares.jsonl` cannot be unpacked" in problem(tmp_path / "a")
    assert [] == ahead()


def test_a_wrong_row_is_said_after_damage_elsewhere(tmp_path: Path) -> None:
    """No row is believed, nor complained about, before all members are known to be whole."""
    dump(many(10), tmp_path / "a")

    def change(members: dict[str, bytes], manifest: dict[str, Any]) -> None:
        members["folders.jsonl"] = b"{}\n"

    wrong = resealed(tmp_path / "a", change)
    assert "row 1 of `folders.jsonl` lacks field `id`" in problem(wrong)
    both = rewritten(wrong, lambda members: members.update({"users.jsonl": b""}))
    assert "`users.jsonl` was changed after it was written" in problem(both)


def test_an_interruption_of_a_load_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while shares are read ends the reading ahead, and the file is let go."""
    dump(many(), tmp_path / "a")

    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(LineReader, "read", interrupted)

    with pytest.raises(KeyboardInterrupt) as caught:
        load(tmp_path / "a")
    assert [] == ahead(), caught  # held until here, and with it all that was being done


@pytest.mark.parametrize("name", ["folders.jsonl", "shares.jsonl"])
def test_a_last_line_without_an_end_is_said(tmp_path: Path, name: str) -> None:
    """A table that ends early is not whole, though its digest fits and its last row could be read."""
    dump(many(10), tmp_path / "a")

    def change(members: dict[str, bytes], manifest: dict[str, Any]) -> None:
        members[name] = members[name].removesuffix(b"\n")

    assert f"`{name}` does not end with a line's end" in problem(resealed(tmp_path / "a", change))


def test_a_row_longer_than_a_block_comes_back_whole(tmp_path: Path) -> None:
    """A row may be longer than what is unpacked at once."""
    long = Group("g", "G" * 3_000_000)  # type: ignore[arg-type]

    saved = dump(some(groups=(Group("f", "F"), long, Group("h", "H"))), tmp_path / "a")  # type: ignore[arg-type]

    assert saved == load(tmp_path / "a")
