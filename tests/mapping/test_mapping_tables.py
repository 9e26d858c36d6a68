"""Loading the tables: what is accepted, what is refused, and what the loaded tables answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapping_builders import HEADERS, policy, tables, write

from permmigrate.errors import ExitCode, InvalidFileError, Problem
from permmigrate.mapping.tables import MappingTables, load
from permmigrate.mapping.value import BaselineAnswer, Granted, LegacyKind, RowRef


def problems_of(directory: Path) -> tuple[Problem, ...]:
    with pytest.raises(InvalidFileError) as caught:
        load(directory)
    return caught.value.problems


def only_problem(directory: Path) -> Problem:
    (problem,) = problems_of(directory)
    return problem


def test_good_tables_load(tmp_path: Path) -> None:
    """A small correct set loads with every row at its line."""
    loaded = tables(tmp_path)
    assert [row.ref.line for row in loaded.user_roles] == [2, 3, 4, 5]
    assert RowRef("folder_levels.csv", 2) == loaded.folder_levels[0].ref


TEN_MISTAKES = """\
# user roles, by hand
legacy_role,target_type,target,scope,source,confidence,note
admin,bundel,Admin,each_environment,me,customer,
#,"a comment with a quote that never closes
billing,role,,account,me,customer,
reports,role,account/Reports,acount,me,customer,

technical_admin,role,7.99E+14,account,me,customer,
media_library_user,none,ML User,account,me,customer,
,role,account/Admin,account,me,customer,
"master_admin",role,"account/Admin
",account,me,sure,
media_library_admin,role,account/Admin,environment:,me,customer,
media_library_admin,role,account/Admin,folder,me,customer,
admin,role,account/Admin,account,,official,
billing,role,account/Admin,account,me,customer,note, and more
*,role,account/Admin,account,me,customer,
owner,role,account/Admin,account,me,customer,
owner,role,account/Admin,account,somebody else,inferred,other words
"""

EXPECTED_MISTAKES = [
    (3, "`bundel` is not a word for `target_type`", "did you mean `bundle`?"),
    (5, "`target` is empty", "name a role or bundle, or set `target_type` to `none`"),
    (6, "`acount` is not a word for `scope`", "did you mean `account`?"),
    (
        8,
        "`7.99E+14` in `target` is an id that a spreadsheet turned into a number",
        "format the column as text and paste the id again",
    ),
    (9, "target type `none` gives nothing, yet names `ML User`", "empty one of the two cells"),
    (10, "`legacy_role` is empty", "`(none)` for users without a legacy role on record"),
    (
        11,
        "`sure` is not a word for `confidence`",
        "one of `official`, `documented`, `third-party`, `inferred`, `customer`, `unknown`",
    ),
    (13, "`environment:` names no environment", "write `environment:` and an id or a cloud name"),
    (
        14,
        "scope `folder` cannot be used in this table",
        "one of `account`, `each_environment`, `all_environments`, `environment:<id or cloud name>`",
    ),
    (15, "`source` is empty", "say where it is written, or set `confidence` to `customer` or `unknown`"),
    (16, "has 8 cells where the header has 7", "put text that holds a separator in double quotes"),
    (17, "`*` is not a legacy role", "this table has no wildcard: give every value its row"),
    (19, "says the same as line 18", "remove one of them"),
]


def test_every_mistake_of_a_table_is_reported_at_once(tmp_path: Path) -> None:
    """More than ten different mistakes in one table come together, each at its true line with its remedy."""
    (write(tmp_path) / "user_roles.csv").write_text(TEN_MISTAKES, encoding="utf-8")
    found = [(each.line, each.message, each.hint) for each in problems_of(tmp_path)]
    assert found == EXPECTED_MISTAKES


def test_problems_of_all_files_come_sorted_in_one_error(tmp_path: Path) -> None:
    """A missing file, a bad header and a bad row in three files are one error with exit code 3."""
    write(
        tmp_path,
        severity=("prodenv,*,*,kritical,",),
        legacy_baseline=("user_role,admin,category:Settings,maybe",),
        overrides=("user,mail,a@b.c,any,*,none,,,,31.12.2026", "user,email,*@b.c,any,*,none,,,,2026-02-30"),
    )
    (tmp_path / "bundles.csv").rename(tmp_path / "bundle.csv")
    with pytest.raises(InvalidFileError) as caught:
        load(tmp_path)
    assert caught.value.exit_code == ExitCode.INVALID_FILE
    assert f"the mapping tables in `{tmp_path}` have 8 problems" == caught.value.message
    assert [(each.where, str(each).removeprefix(f"{each.where}: ")) for each in caught.value.problems] == [
        ("bundles.csv", "is missing (is it `bundle.csv`?)"),
        (
            "legacy_baseline.csv:2",
            "`category:Settings` has no sub category (`category:Settings/*` means all of them)",
        ),
        (
            "legacy_baseline.csv:2",
            "`maybe` is not a word for `granted` (one of `yes`, `no`, `unknown`, `moot`)",
        ),
        ("overrides.csv:2", "`31.12.2026` in `expires` is not a date (write YYYY-MM-DD, or leave it empty)"),
        ("overrides.csv:2", "`mail` is not a word for `match_by` (did you mean `email`?)"),
        ("overrides.csv:3", "`*@b.c` cannot be matched by email (globs work with `group` and `name` only)"),
        ("overrides.csv:3", "`2026-02-30` in `expires` is not a date (write YYYY-MM-DD, or leave it empty)"),
        ("severity.csv:2", "`kritical` is not a word for `severity` (did you mean `critical`?)"),
    ]


def test_a_misspelt_column_is_named_once(tmp_path: Path) -> None:
    """A misspelt column is one problem with the right name, not also a missing column and empty cells."""
    text = (write(tmp_path) / "bundles.csv").read_text()
    (tmp_path / "bundles.csv").write_text(text.replace("bundle,role", "bundle,roel"))
    problem = only_problem(tmp_path)
    assert str(problem) == "bundles.csv:1: `roel` is not a column of this table (did you mean `role`?)"


def test_a_missing_column_and_a_doubled_one_are_told(tmp_path: Path) -> None:
    """Columns that are not there, or there twice, are problems of the header."""
    write(tmp_path)
    (tmp_path / "bundles.csv").write_text("bundle,role,role,source,confidence\n")
    assert [str(each).partition(" (")[0] for each in problems_of(tmp_path)] == [
        "bundles.csv:1: has column `role` twice",
        "bundles.csv:1: has no column `scope`",
    ]


def test_a_table_without_a_header_is_told(tmp_path: Path) -> None:
    """An empty file is not an empty table."""
    write(tmp_path)
    (tmp_path / "account_keys.csv").write_text("# nothing yet\n")
    assert str(only_problem(tmp_path)).partition(" (")[0] == "account_keys.csv: has no header row"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"bundle,role,scope,source,confidence\nA,caf\xe9,account,me,customer\n",
            "bundles.csv:2: is not UTF-8 text",
        ),
        (
            b'bundle,role,scope,source,confidence\n\nA,"b,account,me,customer\n',
            "bundles.csv:3: cannot be read as CSV from here on: unexpected end of data",
        ),
    ],
)
def test_a_file_that_is_no_text_table_is_told_with_its_line(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    """Wrong encodings and unclosed quotes are problems at the line they are at."""
    (write(tmp_path) / "bundles.csv").write_bytes(content)
    assert expected == str(only_problem(tmp_path)).partition(" (")[0]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A wrong folder is one problem with a remedy."""
    problem = only_problem(tmp_path / "absent")
    assert (problem.line, problem.message) == (0, "is not a folder")


def test_overrides_and_severities_may_be_absent(tmp_path: Path) -> None:
    """The two optional tables count as empty, and files of other names are ignored."""
    write(tmp_path)
    (tmp_path / "overrides.csv").unlink()
    (tmp_path / "severity.csv").unlink()
    (tmp_path / "notes.csv").write_text("anything\n")
    loaded = load(tmp_path)
    assert (loaded.overrides, loaded.severities) == ((), ())
    assert loaded.severity("prodenv", "read", "Asset") == "high"


def test_what_a_spreadsheet_writes_is_read(tmp_path: Path) -> None:
    """Byte-order mark, semicolons, CRLF, trailing empty columns and quoted comments make no difference."""
    plain = tables(tmp_path)
    text = (tmp_path / "user_roles.csv").read_text()
    excel = '"# made, in Excel";;;;;;;;\n' + "".join(
        line.replace(",", ";") + ";;\n" for line in text.splitlines()
    ).replace("legacy_role", "Legacy Role")
    (tmp_path / "user_roles.csv").write_bytes(b"\xef\xbb\xbf" + excel.replace("\n", "\r\n").encode())
    loaded = load(tmp_path)
    assert plain.digest == loaded.digest
    assert [row.ref.line for row in loaded.user_roles] == [3, 4, 5, 6]


def test_tabs_separate_cells_too(tmp_path: Path) -> None:
    """A table pasted out of a spreadsheet says the same as one with commas."""
    plain = tables(tmp_path)
    for path in tmp_path.glob("*.csv"):
        path.write_text("# one, two, three\n" + path.read_text().replace(",", "\t"))
    assert plain.digest == load(tmp_path).digest


def test_ids_stay_text(tmp_path: Path) -> None:
    """A 15-digit key with a leading zero, and words such as NA, are read as they stand."""
    loaded = tables(
        tmp_path,
        api_keys=("007123456789012,NA,any,none,,", "null,*,any,none,,"),
        account_keys=("None,none,,",),
    )
    assert [(row.match, row.environment) for row in loaded.api_keys] == [
        ("007123456789012", "NA"),
        ("null", "*"),
    ]
    assert loaded.account_keys[0].match == "None"


def test_digest_follows_content_only(tmp_path: Path) -> None:
    """Comments, the columns' order and line ends leave the digest; a cell or the rows' order changes it."""
    before = tables(tmp_path).digest
    path = tmp_path / "bundles.csv"
    lines = path.read_text().splitlines()
    turned = [",".join(reversed(line.split(","))) for line in lines]
    path.write_bytes("\r\n".join(["# turned round", *turned]).encode())
    assert before == load(tmp_path).digest
    path.write_text("\n".join([lines[0], lines[2], lines[1]]))
    swapped = load(tmp_path).digest
    path.write_text("\n".join(lines).replace(",test,", ",test 2,"))
    assert len({before, swapped, load(tmp_path).digest}) == 3


def baseline_tables(tmp_path: Path) -> MappingTables:
    return tables(
        tmp_path,
        legacy_baseline=(
            "user_role,reports,cld::policy::global::reports::*,yes",
            "user_role,reports,CATEGORY:x/y,no",
            "user_role,reports,category:settings/*,no",
            "user_role,*,*,unknown",
            "user_role,admin,*,yes",
        ),
    )


@pytest.mark.parametrize(
    ("legacy", "id_", "category", "granted", "line"),
    [
        ("reports", "cld::policy::global::reports::usage", "Settings", Granted.YES, 2),
        ("reports", "cld::policy::global::presets", "Settings", Granted.NO, 4),
        ("reports", "CLD::policy::global::reports::usage", "Other", Granted.UNKNOWN, 5),
        ("admin", "cld::policy::global::presets", "Other", Granted.UNKNOWN, 5),
    ],
)
def test_baseline_takes_the_first_row_that_matches(
    tmp_path: Path, legacy: str, id_: str, category: str, granted: Granted, line: int
) -> None:
    """Ids match with case, categories without, and the first row from the top decides."""
    answer = baseline_tables(tmp_path).baseline(LegacyKind.USER_ROLE, legacy, policy(id_, category, "Upload"))
    assert BaselineAnswer(granted, RowRef("legacy_baseline.csv", line), "") == answer


def test_what_no_key_can_use_is_said_of_keys_only(tmp_path: Path) -> None:
    """`moot` in a row for people is a mistake: whoever can open the Console can use what it offers."""
    write(tmp_path, legacy_baseline=("user_role,admin,*,moot", "api_key,*,*,moot", "account_key,*,*,MOOT"))
    assert [(each.line, each.message) for each in problems_of(tmp_path)] == [
        (2, "`moot` is for keys, and `user_role` is of people")
    ]


def test_baseline_is_unknown_without_a_row(tmp_path: Path) -> None:
    """Silence of the table is an unknown, never a no."""
    answer = baseline_tables(tmp_path).baseline(LegacyKind.API_KEY, "", policy("x"))
    assert (answer.granted, answer.row) == (Granted.UNKNOWN, None)


def test_baseline_answers_two_policies_of_one_id_apart(tmp_path: Path) -> None:
    """An answer is remembered for the policy's id and category, not for the id alone."""
    loaded = baseline_tables(tmp_path)
    asked = [
        loaded.baseline(LegacyKind.USER_ROLE, "reports", policy("p", c)).granted for c in ("Settings", "Z")
    ]
    assert asked == [Granted.NO, Granted.UNKNOWN]


def test_severity_takes_the_first_row_that_matches(tmp_path: Path) -> None:
    """Specific rows stand above wildcards."""
    loaded = tables(
        tmp_path,
        severity=(
            "account,*,*,critical,",
            "*,*,Feature cld::global::api_keys::*,high,keys",
            "prodenv,read,*,low,",
            "*,*,*,medium,",
        ),
    )
    asked = [
        loaded.severity("account", "read", "User"),
        loaded.severity("prodenv", "read", "Feature cld::global::api_keys::view"),
        loaded.severity("prodenv", "read", "Asset"),
        loaded.severity("prodenv", "delete", "Asset"),
    ]
    assert asked == ["critical", "high", "low", "medium"]


def test_rows_are_told_in_words(tmp_path: Path) -> None:
    """Every kind of row has a sentence; baseline and severity rows are in `all_rows` only."""
    loaded = tables(
        tmp_path,
        folder_levels=("can_edit,group,role,folder/Editor", "odd,any,none,"),
        api_keys=("web-*,acme-eu,no,role,environment/Admin,environment:acme-eu",),
        overrides=(
            "user,email_domain,@acme.example,user_role,admin,role,environment/Admin,all_environments,who,2027-01-31",
        ),
    )
    assert [text for _, text, _, _ in loaded.rows()] == [
        "admin → access bundle Admin, in each environment the user has",
        "billing → role account/Billing, in the account",
        "media_library_user → role environment/ML User, in each environment the user has",
        "reports → nothing, deliberately",
        "Can edit on a folder, held by a group → role folder/Editor, on that folder",
        "level `odd` on a folder → nothing, deliberately",
        "Can view on a collection → role collection/Viewer, on that collection",
        "disabled API keys web-* of environment acme-eu → role environment/Admin, in environment acme-eu",
        "every account key → role account/Admin, in the account",
        "access bundle Admin includes role account/Admin in the account",
        "access bundle Admin includes role environment/Admin in each environment",
        "user with an e-mail address at acme.example, legacy role admin → role environment/Admin, "
        "in all environments, tomorrow's too (until 2027-01-31): who",
    ]
    rest = [
        text for ref, text, _, _ in loaded.all_rows() if ref.file in ("legacy_baseline.csv", "severity.csv")
    ]
    assert rest == ["legacy role admin included *", "* on * is medium"]
    assert (
        loaded.row_text(RowRef("user_roles.csv", 2))
        == "admin → access bundle Admin, in each environment the user has"
    )


def test_no_legacy_role_has_a_word(tmp_path: Path) -> None:
    """`(none)` in a column of legacy roles stands for users who have none, and is told in words."""
    loaded = tables(
        tmp_path,
        user_roles=("(None),none,,",),
        overrides=("user,id,7,user_role,(none),none,,,left,", "any,id,7,any,(none),none,,,left,"),
        legacy_baseline=("user_role,(none),*,no",),
    )
    assert [row.legacy_role for row in loaded.user_roles] == [""]
    assert loaded.baseline(LegacyKind.USER_ROLE, "", policy("x")).granted is Granted.NO
    assert loaded.baseline(LegacyKind.USER_ROLE, "admin", policy("x")).granted is Granted.UNKNOWN
    files = ("user_roles.csv", "overrides.csv", "legacy_baseline.csv")
    assert [text for ref, text, _, _ in loaded.all_rows() if ref.file in files] == [
        "no legacy role on record → nothing, deliberately",
        "user with id 7, no legacy role on record → nothing, deliberately: left",
        "anyone with id 7, no legacy role on record → nothing, deliberately: left",
        "no legacy role on record did not include *",
    ]


def test_words_are_taken_without_case(tmp_path: Path) -> None:
    """A spreadsheet's capitals in a word of a fixed list do no harm."""
    loaded = tables(tmp_path, folder_levels=("can_edit,APIKEY,Role,folder/Editor",))
    assert loaded.folder_levels[0].principal_type == "apiKey"


def test_the_headers_here_are_the_headers_there(tmp_path: Path) -> None:
    """Header rows alone are nine empty tables."""
    loaded = tables(tmp_path, **{file.removesuffix(".csv"): () for file in HEADERS})
    assert MappingTables() == loaded
