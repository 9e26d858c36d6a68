"""Lists as people keep them: recognised by their headers, whatever the order, the spelling and the format."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from permmigrate.errors import InvalidFileError
from permmigrate.snapshot import sharelist
from permmigrate.snapshot.lists.headers import named
from permmigrate.snapshot.lists.reading import Lists, Reading, read
from permmigrate.snapshot.lists.schema import SHARES, TABLES, USERS, ListTable, tidy


def csv(path: Path, *rows: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    file = path / name
    file.write_text("\r\n".join(rows) + "\r\n", encoding=encoding, newline="")
    return file


def problems(lists: Lists) -> list[str]:
    return [str(problem) for problem in lists.problems]


def book(path: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name.replace("_", " "))
        for row in rows:
            sheet.append(row)
    made.save(path / "account.xlsx")
    return path / "account.xlsx"


def test_every_word_means_one_column_of_its_list() -> None:
    """No header is ambiguous between two columns as their first or second name."""
    for table in TABLES:
        titles = [tidy(word) for column in table.columns for word in {column.name, column.title}]
        distinct = {(tidy(w), c.name) for c in table.columns for w in (c.name, c.title)}
        assert len({word for word, _ in distinct}) == len(distinct), (table.name, titles)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_list_is_recognised_by_its_names(table: ListTable) -> None:
    """Sheets and files called after a list hint at it."""
    for name in (table.name, table.title, table.title.upper(), f"{table.title} 2026", *table.aliases):
        assert named(name) is table, name


HEADERS = {
    "environment": ("Environment", "product_environment", "Cloud Name", "ENV"),
    "folder": ("Folder", "folder path", "Path", "FOLDERS"),
    "user": ("User", "e-mail", "E-Mail Address", "USER_ID"),
    "group": ("Group", "User Group", "team"),
    "level": ("Level", "Permission", "ACCESS-LEVEL", "share level"),
}
ROWS = (
    {"environment": "e1", "folder": "A/B", "user": "ann@x.org", "group": "", "level": "Can view"},
    {"environment": "e1", "folder": "C", "user": "", "group": "EMEA", "level": "manage"},
)


@given(seed=st.integers(0, 10_000), delimiter=st.sampled_from(",;\t"))
def test_order_case_and_words_of_headers_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, seed: int, delimiter: str
) -> None:
    """A list with its columns shuffled, renamed and spaced out says what it said before."""
    rng = random.Random(seed)
    columns = list(HEADERS)
    rng.shuffle(columns)
    named_so = [rng.choice(HEADERS[column]) for column in columns]
    header = [
        rng.choice([str.upper, str.lower, str])(f"{' ' * rng.randrange(2)}{name} ") for name in named_so
    ]
    rows = [delimiter.join(header)]
    rows += [delimiter.join(row[column] + " " * rng.randrange(3) for column in columns) for row in ROWS]
    path = tmp_path_factory.mktemp("lists")

    found = sharelist.read(csv(path, *rows))

    assert [tuple(text for _, text in share.fields()) for share in found] == [
        ("e1", "folder", "A/B", "", "user", "ann@x.org", "can_view"),
        ("e1", "folder", "C", "", "group", "EMEA", "can_manage"),
    ]


def test_one_workbook_holds_every_list(tmp_path: Path) -> None:
    """Sheets are recognised by name or headers; notes and titles above a header do no harm."""
    file = book(
        tmp_path,
        Read_me=[["Fill in the sheets"]],
        Leute=[
            ["Our people, as of May"],
            [],
            ["Name", "E-mail", "Legacy role"],
            ["Ann", "ann@x.org", "Admin"],
        ],
        Groups=[["Group", "Members"], ["EMEA", "ann@x.org"]],
        Scratch=[["to do", "who"], ["ask Bob", "me"]],
        Shares=[["Folder", "Group", "Level"], ["A", "EMEA", "Can edit"]],
    )

    found = read((file,))

    assert problems(found) == []
    assert [(sheet.name, sheet.table.name) for sheet in found.sheets] == [
        ("Leute", "users"),
        ("Groups", "groups"),
        ("Shares", "shares"),
    ]
    assert found.rows(USERS)[0].source == "account.xlsx Leute!4"
    assert found.notes == ["account.xlsx: sheet `Scratch` is no list that is known here; left out"]


def test_a_list_that_may_be_two_is_told(tmp_path: Path) -> None:
    """Name and id alone fit several lists; a file's name settles it, and nothing else does."""
    rows = ("Name,ID", "EMEA,g1")

    assert "it cannot be told what this list holds" in problems(read((csv(tmp_path, *rows),)))[0]
    found = read((csv(tmp_path, *rows, name="our groups.csv"),))
    assert [sheet.table.name for sheet in found.sheets] == ["groups"]


def test_merged_cells_are_in_every_row_they_span(tmp_path: Path) -> None:
    """A folder merged over three rows is the folder of three shares."""
    file = book(tmp_path, Shares=[
        ["Folder", "User", "Level"],
        ["Brands", "ann@x.org", "view"], [None, "bob@x.org", "edit"], [None, "cy@x.org", "edit"],
        ["Other", "ann@x.org", "view"],
    ])  # fmt: skip
    made = openpyxl.load_workbook(file)
    made["Shares"].merge_cells("A2:A4")
    made.save(file)

    assert [share.content for share in sharelist.read(file)] == ["Brands", "Brands", "Brands", "Other"]


def test_blanks_that_only_look_merged_are_problems_until_asked_for(tmp_path: Path) -> None:
    """An empty folder is filled in from above with `fill_down`, and never without."""
    file = csv(
        tmp_path, "Folder;User;Group;Level", "Brands;ann@x.org;;view", ";;EMEA;edit", "C;b@x.org;;edit"
    )

    assert problems(read((file,))) == ["list.csv:3: `folder` is empty (every row needs one)"]
    filled = read((file,), reading=Reading(fill_down=True))
    assert [(s.content, s.principal) for s in filled.shares] == [
        ("Brands", "ann@x.org"),
        ("Brands", "EMEA"),
        ("C", "b@x.org"),
    ]


@pytest.mark.parametrize(
    ("first", "encoding"),
    [("sep=;\r\n", "utf-8-sig"), ("", "utf-16"), ("\r\n", "utf-8")],
    ids=["Excel's separator line", "Excel's Unicode text", "a blank first line"],
)
def test_what_excel_saves_is_read(tmp_path: Path, first: str, encoding: str) -> None:
    """The forms in which Excel saves text are read without being told which."""
    file = tmp_path / "shares.txt"
    file.write_text(f"{first}Folder;User;Level\r\nMüller;ann@x.org;view\r\n", encoding=encoding, newline="")

    assert [share.content for share in sharelist.read(file)] == ["Müller"]


def test_another_encoding_is_named_not_guessed(tmp_path: Path) -> None:
    """German Excel's plain CSV is read when its encoding is given, and refused with the remedy when not."""
    file = csv(tmp_path, "Folder;User;Level", "Müller;ann@x.org;view", encoding="cp1252")

    assert "list.csv:2: is not UTF-8 text" in problems(read((file,)))[0]
    assert "--encoding cp1252" in problems(read((file,)))[0]
    assert [s.content for s in read((file,), reading=Reading(encoding="cp1252")).shares] == ["Müller"]


def test_json_may_hold_several_lists_and_lists_in_cells(tmp_path: Path) -> None:
    """An object of lists is one file for everything; values of a cell may be a list."""
    file = tmp_path / "account.json"
    people = [{"email": "ann@x.org", "role": "admin", "groups": ["EMEA, North", "APAC"]}]
    file.write_text(
        json.dumps({"users": people, "shares": [{"folder": "A", "group": "APAC", "level": "view"}]})
    )

    found = read((file,))

    assert problems(found) == []
    assert found.rows(USERS)[0].get("groups") == "EMEA, North\nAPAC"
    assert found.shares[0].source == "account.json shares item 1"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("A,,ann@x.org,EMEA,view", "a row is for one user or one group, not both"),
        ("A,c1,ann@x.org,,view", "a row shares one folder or one collection, not both"),
        ("A,,,,view", "`user` is empty"),
        ("7.99E+14,,ann@x.org,,view", "a number that a spreadsheet cut short"),
        ("#REF!,,ann@x.org,,view", "`#REF!` is a formula's error"),
        ("A,,ann@x.org,,vew", "did you mean `can_view`?"),
    ],
)
def test_a_row_of_pairs_is_checked(tmp_path: Path, row: str, problem: str) -> None:
    """Of folder and collection, user and group, exactly one is filled in."""
    found = problems(read((csv(tmp_path, "Folder,Collection,User,Group,Level", row),)))

    assert len(found) == 1
    assert found[0].startswith("list.csv:2: ")
    assert problem in found[0]


def test_who_is_neither_an_address_nor_said_to_be_a_group_is_a_problem(tmp_path: Path) -> None:
    """A column for anybody takes addresses as users, and asks about the rest."""
    found = read((csv(tmp_path, "Folder,Shared with,Level", "A,Ann Lee <ann@x.org>,view", "A,EMEA,view"),))

    assert [(s.principal_type, s.principal) for s in found.shares] == [("user", "ann@x.org")]
    assert problems(found) == [
        "list.csv:3: it is not said whether `EMEA` is a user or a group (use the columns `user` and `group`)"
    ]


def test_problems_of_all_files_come_together(tmp_path: Path) -> None:
    """A broken file does not hide what is wrong with the next."""
    users = csv(tmp_path, "Email,Role,ID", "ann@x.org,admin,7.99E+14", name="users.csv")
    shares = csv(tmp_path, "Folder,User,Level", "A,ann@x.org,vew", name="shares.csv")
    found = read((tmp_path / "none.csv", users, shares))

    assert [line.partition(": ")[0] for line in problems(found)] == [
        "none.csv",
        "users.csv:2",
        "shares.csv:2",
    ]


def test_a_share_list_still_demands_its_environment_when_it_has_the_column(tmp_path: Path) -> None:
    """Left empty in a row, an environment is a problem before any call is made."""
    with pytest.raises(InvalidFileError) as caught:
        sharelist.read(csv(tmp_path, "Environment,Folder,User,Level", ",A,ann@x.org,view"))

    assert "`environment` is empty" in str(caught.value.problems[0])


def test_every_column_of_the_share_list_is_documented() -> None:
    """docs/lists.md names every list and every column."""
    text = (Path(__file__).parents[2] / "docs" / "lists.md").read_text(encoding="utf-8")
    for table in TABLES:
        assert f"### {table.title}" in text
        section = text.partition(f"### {table.title}")[2].partition("\n### ")[0]
        for column in table.columns:
            assert f"`{column.name}`" in section, (table.name, column.name)
    assert "principal_type" in {column.name for column in SHARES.columns}
