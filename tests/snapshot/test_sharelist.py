"""Share lists: what people keep, read with care and told all that is wrong at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest

from permmigrate.errors import InvalidFileError
from permmigrate.model import (
    ContentKind,
    ContentRef,
    EnvironmentId,
    Folder,
    FolderId,
    Group,
    GroupId,
    PrincipalRef,
    PrincipalType,
    ProductEnvironment,
    User,
    UserId,
)
from permmigrate.snapshot.lists.files import column_letters
from permmigrate.snapshot.sharelist import COLUMNS, RawShare, read, resolve
from permmigrate.snapshot.shareresolve import Unread

ROW = ("product1", "folder", "Brands/Aurora", "", "user", "ann@example.com", "can_edit")
OTHER = ("product1", "collection", "col1", "Spring; 2026", "group", "EMEA, North", "can_view")


def text(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    return "".join(delimiter.join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)


def csv_file(path: Path, *rows: Sequence[str], delimiter: str = ",", header: Sequence[str] = COLUMNS) -> Path:
    file = path / "shares.csv"
    file.write_text(text([header, *rows], delimiter), encoding="utf-8", newline="")
    return file


def workbook(path: Path, *rows: Sequence[object], header: Sequence[str] = COLUMNS) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Read me"
    book.active.append(["How to fill this in"])
    sheet = book.create_sheet("Shares")
    sheet.append(header)
    for row in rows:
        sheet.append(row)
    book.save(path / "shares.xlsx")
    return path / "shares.xlsx"


def json_file(path: Path, *rows: Sequence[str]) -> Path:
    file = path / "shares.json"
    file.write_text(json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in rows], indent=1))
    return file


def problems(file: Path) -> list[str]:
    with pytest.raises(InvalidFileError) as caught:
        read(file)
    assert caught.value.problems
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("save", "sources"),
    [
        (csv_file, ["shares.csv:2", "shares.csv:3"]),
        (lambda path, *rows: csv_file(path, *rows, delimiter=";"), ["shares.csv:2", "shares.csv:3"]),
        (workbook, ["shares.xlsx Shares!2", "shares.xlsx Shares!3"]),
        (json_file, ["shares.json item 1", "shares.json item 2"]),
    ],
)
def test_every_format_says_the_same(tmp_path: Path, save: Callable[..., Path], sources: list[str]) -> None:
    """CSV with either separator, a workbook and JSON give the same rows, each with its place."""
    found = read(save(tmp_path, ROW, OTHER))

    assert [tuple(value for _, value in row.fields()) for row in found] == [ROW, OTHER]
    assert sources == [row.source for row in found]


def test_a_byte_order_mark_and_blank_lines_are_nothing(tmp_path: Path) -> None:
    """What Excel saves as CSV UTF-8 is read as it is."""
    file = tmp_path / "a.csv"
    file.write_bytes(b"\xef\xbb\xbf" + text([COLUMNS, [""] * 7, ROW]).encode())

    assert [row.source for row in read(file)] == ["a.csv:3"]


def test_headers_match_without_case_spaces_and_signs(tmp_path: Path) -> None:
    """`Content Type` is `content_type`; columns may stand in any order, and others may stand between."""
    header = ["LEVEL", "notes", "Principal Type", "principal", "Content-Type", "Content", "Environment"]
    file = csv_file(
        tmp_path,
        ["Can view", "x", "User", "ann@example.com", "FOLDER", "/Brands/Aurora/", "product1"],
        header=header,
    )

    assert [tuple(value for _, value in row.fields()) for row in read(file)] == [
        ("product1", "folder", "Brands/Aurora", "", "user", "ann@example.com", "can_view")
    ]


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("Can view", "can_view"),
        ("can_contribute", "can_contribute"),
        ("Edit", "can_edit"),
        ("CAN-MANAGE", "can_manage"),
    ],
)
def test_levels_have_several_spellings(tmp_path: Path, written: str, level: str) -> None:
    """The Console's words and the wire's are both understood."""
    assert [level] == [row.level for row in read(csv_file(tmp_path, [*ROW[:6], written]))]


def test_a_collection_may_have_a_level_nobody_documented(tmp_path: Path) -> None:
    """The names of collection levels are not known, so they are kept."""
    assert [row.level for row in read(csv_file(tmp_path, [*OTHER[:6], "May look"]))] == ["may_look"]


def test_all_problems_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    """Every wrong cell of every row is named by file and line, with a suggestion where one is near."""
    file = csv_file(
        tmp_path,
        ROW,
        ["", "folder", "Brands", "", "user", "ann@example.com", "can_veiw"],
        ["product1", "foldr", "Brands", "", "robot", "ann@example.com", "can_view"],
    )

    assert problems(file) == [
        "shares.csv:3: `environment` is empty (every row needs one)",
        "shares.csv:3: `can_veiw` is not a folder level (did you mean `can_view`?)",
        "shares.csv:4: `foldr` is not a content type (did you mean `folder`?)",
        "shares.csv:4: `robot` is not a principal type (use one of `user`, `group`)",
    ]


def test_a_missing_column_is_told_with_the_nearest(tmp_path: Path) -> None:
    """A misspelt header is recognised as the column that is missing."""
    header = [*COLUMNS[:5], "pricipal", "level"]

    assert problems(csv_file(tmp_path, ROW, header=header)) == [
        "shares.csv:1: there is no column `principal` (is it `pricipal`?)"
    ]


def test_a_column_twice_is_told(tmp_path: Path) -> None:
    """Two columns of one name would hide one of them."""
    assert "the column `Level` is there twice" in problems(csv_file(tmp_path, header=[*COLUMNS, "Level"]))[0]


@pytest.mark.parametrize(
    "written", ["7.99E+14", "7,99451857115779E+14", "7.99451857115779e+14", "799451857115779.0"]
)
def test_a_number_cut_short_is_an_error(tmp_path: Path, written: str) -> None:
    """An id that a spreadsheet turned into a number is never taken for an id."""
    found = problems(csv_file(tmp_path, [*ROW[:5], written, "can_view"]))

    assert [f"shares.csv:2: `{written}` is a number that a spreadsheet cut short"] == [
        line.partition(" (")[0] for line in found
    ]
    assert "format the column as text" in found[0]


def test_a_number_cell_of_a_workbook_is_an_error(tmp_path: Path) -> None:
    """A 15-digit id in a number cell is named by its sheet and cell."""
    file = workbook(tmp_path, ROW, [*ROW[:5], 799451857115779, "can_view"])

    assert [line.partition(" (")[0] for line in problems(file)] == [
        "shares.xlsx Shares!F3: `7.99E+14` is a number that a spreadsheet cut short"
    ]


def test_a_short_number_cell_is_its_digits(tmp_path: Path) -> None:
    """A group that is called 2024 keeps its name."""
    found = read(workbook(tmp_path, [*ROW[:4], "group", 2024, "can_view"]))

    assert [row.principal for row in found] == ["2024"]


def test_names_that_look_like_ids_or_formulas_stay(tmp_path: Path) -> None:
    """`007`, `NA`, `1E5` and `=1+1` are names."""
    names = ["007", "NA", "null", "1E5", "=1+1"]

    assert names == [
        row.principal for row in read(csv_file(tmp_path, *([*ROW[:5], name, "view"] for name in names)))
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", "environment\nü".encode("latin-1"), "a.csv:2: is not UTF-8 text"),
        ("a.csv", "environment".encode("utf-16") + b"x", "is not UTF-16 text"),
        ("a.csv", ",".join(COLUMNS).encode() + b'\n"open', "a.csv:2: is not a well-formed row"),
        ("a.json", b"{}", "is empty"),
        ("a.json", b"1", "is not a list of objects"),
        ("a.json", b'{"shares": 1}', "is not a list of objects"),
        ("a.json", b'[{"a": 1}\n,\n{"a": ]', "a.json:3: is not JSON from here on"),
        ("a.json", b'[{"a": 1}', "is not followed by"),
        ("a.json", b"[1]", "is not an object"),
        ("a.json", b"[] []", "more than the end of the list"),
        ("a.xlsx", b"PK", "is not a workbook"),
        ("a.ods", b"", "is not a list this tool reads"),
    ],
)
def test_files_that_are_no_lists(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    """What cannot be a table is refused with the place and the remedy."""
    (tmp_path / name).write_bytes(content)

    assert expected in problems(tmp_path / name)[0]


def test_no_file_is_a_problem(tmp_path: Path) -> None:
    """A path that leads nowhere is told like any other problem."""
    assert problems(tmp_path / "none.csv") == ["none.csv: no such file or directory (check the path)"]


def test_problems_end_somewhere(tmp_path: Path) -> None:
    """A list that is wrong throughout does not make a report of a million lines."""
    found = problems(csv_file(tmp_path, *([[*ROW[:6], "x"]] * 1500)))

    assert len(found) == 1001
    assert "500 more rows were not looked at" in found[-1]


@pytest.mark.parametrize(("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_column_letters(index: int, letters: str) -> None:
    """Columns are named as a spreadsheet names them."""
    assert letters == column_letters(index)


ENVIRONMENTS = (ProductEnvironment(EnvironmentId("e1"), "Product 1", "product1", True),)
USERS = (
    User(UserId("u1"), "Ann", "ann@example.com", "media_library_user"),
    User(UserId("u2"), "Bob", "bob@example.com", "media_library_user"),
    User(UserId("u3"), "Bob again", "Bob@example.com", "media_library_user"),
)
GROUPS = (Group(GroupId("g1"), "EMEA, North"), Group(GroupId("g2"), "Twins"), Group(GroupId("g3"), "Twins"))
FOLDERS = (Folder(FolderId("f1"), EnvironmentId("e1"), "Brands/Aurora"),)


def raw(**fields: str) -> RawShare:
    values = dict(zip(COLUMNS, ROW, strict=True)) | fields
    return RawShare(**values, file="shares.csv", line=2)


def orphaned(unread: Unread | None = None, **fields: str) -> tuple[str, list[str]]:
    found = resolve(
        [raw(**fields)],
        environments=ENVIRONMENTS,
        users=USERS,
        groups=GROUPS,
        folders=FOLDERS,
        unread=unread or Unread(),
    )
    assert found.shares == ()
    assert len(found.orphans) == 1
    return found.orphans[0].reason, [str(problem) for problem in found.problems]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"environment": "e1", "content": "f1", "principal": "u1"},
        {"environment": "Product1", "principal": "ANN@example.com"},
    ],
)
def test_names_and_ids_both_resolve(fields: dict[str, str]) -> None:
    """Environments, people and folders are found by id or by name; only a folder's case matters."""
    found = resolve([raw(**fields)], environments=ENVIRONMENTS, users=USERS, groups=GROUPS, folders=FOLDERS)

    assert ContentRef(EnvironmentId("e1"), ContentKind.FOLDER, "f1") == found.shares[0].content
    assert PrincipalRef(PrincipalType.USER, "u1") == found.shares[0].principal
    assert (found.orphans, found.problems) == ((), ())


def test_exact_name_wins_over_another_case() -> None:
    """Two addresses that differ in case are two people."""
    found = resolve(
        [raw(principal="bob@example.com"), raw(principal="Bob@example.com")],
        environments=ENVIRONMENTS,
        users=USERS,
        groups=GROUPS,
        folders=FOLDERS,
    )

    assert [share.principal.id for share in found.shares] == ["u2", "u3"]


def test_collections_come_from_the_list() -> None:
    """A collection is known because a list names it; its name comes along when there is one."""
    named = raw(content_type="collection", content="c1", content_name="Spring")
    found = resolve(
        [raw(content_type="collection", content="c1"), named, raw(content_type="collection", content="c2")],
        environments=ENVIRONMENTS,
        users=USERS,
        groups=GROUPS,
        folders=FOLDERS,
    )

    assert [(one.id, one.name) for one in found.collections] == [("c1", "Spring"), ("c2", "c2")]
    assert len(found.shares) == 3


@pytest.mark.parametrize(
    ("fields", "reason", "hint"),
    [
        ({"environment": "product9"}, "there is no environment `product9`", "did you mean `product1`?"),
        (
            {"principal": "anne@example.com"},
            "there is no user `anne@example.com`",
            "did you mean `ann@example.com`?",
        ),
        ({"principal": "BOB@example.com"}, "2 users are called `BOB@example.com`", "use an id: u2, u3"),
        (
            {"principal_type": "group", "principal": "Twins"},
            "2 groups are called `Twins`",
            "use an id: g2, g3",
        ),
        ({"principal_type": "group", "principal": "u1"}, "there is no group `u1`", ""),
        ({"content": "brands/aurora"}, "there is no folder `brands/aurora`", "did you mean `Brands/Aurora`?"),
    ],
)
def test_strangers_become_orphans_and_problems(fields: dict[str, str], reason: str, hint: str) -> None:
    """What fits nothing, or fits twice, is kept with its reason and is a problem of the list."""
    expected = f"shares.csv:2: {reason}" + (f" ({hint})" if hint else "")

    assert (reason, [expected]) == orphaned(**fields)


@pytest.mark.parametrize(
    ("unread", "fields"),
    [
        (Unread(users=True), {"principal": "new@example.com"}),
        (Unread(groups=True), {"principal_type": "group", "principal": "New"}),
        (Unread(environments=True), {"environment": "new"}),
        (Unread(folders_of=frozenset({"e1"})), {"content": "New"}),
    ],
)
def test_what_was_not_read_is_no_fault_of_the_list(unread: Unread, fields: dict[str, str]) -> None:
    """An orphan that may be among what we could not read is kept, and is no problem of the list."""
    reason, found = orphaned(unread, **fields)

    assert "cannot be looked up" in reason
    assert found == []
