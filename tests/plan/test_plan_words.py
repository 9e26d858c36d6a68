"""A plan in words and as a checklist: everything is said once, and nothing in a name can run or break out."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from permmigrate.model import PermissionType, ScopeType
from permmigrate.plan import (
    ByHand,
    Definition,
    Expected,
    GuardResult,
    Kind,
    LeftOut,
    Operation,
    Plan,
    PolicyBody,
)
from permmigrate.plan.checklist import COLUMNS, markdown, sheet, steps
from permmigrate.plan.words import OPERATIONS_SHOWN, PRINCIPALS_SHOWN, document, duration, lines, summary
from plan_builders import adding, assigned, creating, group, plan, policy_body, removing, role_body, user

LABELS = {
    "user:u-1": "Ada",
    "role:viewer": "Viewer (folder)",
    "folder:f-1": "Brands/Aurora",
    "environment:env-1": "Production",
}
ON_FOLDER = assigned(user("u-1"), "viewer", folder="f-1")


def said(one: Plan, *, everything: bool = False) -> str:
    return "\n".join(lines(one, everything=everything))


def test_a_plan_reads_like_a_change_list() -> None:
    """Signs, names, places and causes; then guards and totals."""
    one = plan(
        [
            adding(ON_FOLDER, cause="folder_levels.csv:2"),
            removing(assigned(group("g-1"), "reports", "all")),
            creating(role_body("Uploader")),
            adding(assigned(user("u-1"), "press", collection="c-1"), wave=2),
        ],
        labels=LABELS,
        guards=(
            GuardResult("removals", "at most 0", "1", False, "the plan takes 1 away where none may be"),
            GuardResult("grants", "no limit", "2", True, "the plan gives 2 where any number may be"),
        ),
        left_out=[LeftOut(user("u-1"), "role x", "user_roles.csv:3", "it is not in the catalog")],
        by_hand=[ByHand(adding(assigned(user("u-9"), "y")), "no API")],
        expected=Expected(4, 6, 2_000),
    )
    text = said(one)
    for line in (
        f"Plan {one.digest}",
        "Wave 1, the canary: 3 operations",
        "  user Ada (u-1)",
        "    + Viewer (folder) on Brands/Aurora in Production   [folder_levels.csv:2]",
        "  group g-1",
        "    - reports in all environments, tomorrow's too   [not in the mapping]",
        "    ~ create role Uploader (new-role/Uploader)   [roles.csv:2]",
        "Wave 2: 1 operations",
        "    + press on collection c-1 in Production   [user_roles.csv:2]",
        "  + give y in Production to user u-9: no API",
        "  role x of user Ada (u-1) (user_roles.csv:3): it is not in the catalog",
        "  !  removals: the plan takes 1 away where none may be",
        "  ok grants: the plan gives 2 where any number may be",
    ):
        assert line in text.split("\n"), line
    assert text.endswith(summary(one))
    assert (
        "2 to grant, 1 to revoke, 1 to change, in 2 waves; 4 writing calls of about 10, "
        "under a minute at 2,000 calls an hour"
    ) == summary(one)


def test_long_lists_are_folded() -> None:
    """What is not shown is counted, and --all shows it."""
    many = [
        adding(assigned(user(f"u-{who:02}"), f"role-{number}"))
        for who in range(PRINCIPALS_SHOWN + 3)
        for number in range(OPERATIONS_SHOWN + 2)
    ]
    left = [LeftOut(None, f"thing {number}", "", "no") for number in range(12)]
    one = plan(many, left_out=left)
    assert "      and 2 more (--all)" in said(one)
    assert f"  and {3 * (OPERATIONS_SHOWN + 2)} operations of 3 more (--all)" in said(one)
    assert "  and 2 more (--all)" in said(one).split("\n")
    whole = said(one, everything=True)
    assert "(--all)" not in whole
    assert len(many) == whole.count("    + ")


def test_an_undo_says_what_it_takes_back() -> None:
    """It names the plan, and has no canary."""
    text = said(plan([adding(ON_FOLDER)], purpose="undo", undoes="8" * 64))
    assert f"taking back plan {'8' * 64}" in text
    assert "canary" not in text


def test_durations_are_in_words() -> None:
    """Rounded up to minutes, and to hours when there are many."""
    assert ["under a minute", "2 minutes", "119 minutes", "2 h 00 min", "13 h 20 min"] == [
        duration(seconds) for seconds in (60, 61, 119 * 60, 120 * 60, 48_000)
    ]


def test_programs_read_the_same() -> None:
    """The document counts what the text counts, and has the operations when asked."""
    one = plan(
        [adding(ON_FOLDER), removing(assigned(user("u-1"))), creating(role_body())],
        labels=LABELS,
        guards=(GuardResult("removals", "at most 0", "1", False, "the plan takes 1 away"),),
        left_out=[LeftOut(user("u-1"), "role x", "", "no"), LeftOut(None, "role y", "", "no")],
    )
    shown = json.loads(json.dumps(document(one, everything=True)))
    assert {"grant": 1, "revoke": 1, "change": 1} == shown["totals"]
    assert [{"number": 1, "canary": True, "operations": 3, "principals": 1}] == shown["waves"]
    assert [each.id for each in one.operations] == [each["id"] for each in shown["operations"]]
    assert (
        "give Viewer (folder) on Brands/Aurora in Production to user Ada (u-1)"
        == shown["operations"][1]["text"]
    )
    assert "operations" not in document(one)
    assert ["user:u-1", None] == sorted((each["principal"] for each in shown["left_out"]), key=str)[::-1]


def by_hand(*operations: Operation, labels: dict[str, str] | None = None) -> Plan:
    return plan([], by_hand=[ByHand(each, "no API") for each in operations], labels=labels or LABELS)


def test_the_checklist_has_a_box_for_every_step() -> None:
    """Grouped by principal, with the cause, the reason and the operation's id."""
    policy = policy_body("Read", "permit(principal, action, resource);")
    change = Definition("p-1", policy, replace(policy, statement="forbid(principal, action, resource);"))
    gone = Definition("role_1", role_body(), None)
    one = by_hand(
        adding(ON_FOLDER),
        removing(assigned(user("u-1"), "old")),
        creating(role_body("Uploader")),
        Operation(Kind.UPDATE_POLICY, 1, "given", change),
        Operation(Kind.CREATE_POLICY, 1, "given", Definition("new-policy/x", None, policy)),
        Operation(Kind.DELETE_ROLE, 1, "given", gone),
    )
    text = markdown(one)
    boxes = [line for line in text.split("\n") if line.startswith("- [ ]")]
    assert 6 == len(boxes) == len(steps(one))
    assert "## Roles and policies" in text
    assert "## user Ada (u-1)" in text
    assert "make the custom prodenv role Uploader of" in text
    assert "change the custom policy Read: forbid" in text
    assert "write the custom policy Read: permit" in text
    assert "delete role role\\_1" in text
    assert text.index("give Viewer") < text.index("take away old")
    assert f"(by user\\_roles.csv:2; no API) `{adding(ON_FOLDER).id}`" in text


def test_everything_can_be_listed() -> None:
    """What an API could do is listed too when asked for, without a reason."""
    one = plan([adding(ON_FOLDER)], by_hand=[ByHand(adding(assigned(user("u-2"))), "no API")])
    assert (1, 2) == (len(steps(one)), len(steps(one, everything=True)))
    assert markdown(one).count("- [ ]") == 1
    assert markdown(one, everything=True).count("- [ ]") == 2


names = st.text(max_size=12)


@settings(deadline=None, max_examples=50)
@given(names, names)
def test_names_stay_text_in_a_checklist(person: str, folder: str) -> None:
    """Whatever people are called, the list keeps its shape: one heading and one item, no markup of theirs."""
    one = by_hand(adding(ON_FOLDER), labels={"user:u-1": person, "folder:f-1": folder})
    tokens = MarkdownIt().parse(markdown(one))
    kinds = [token.type for token in tokens]
    assert (2, 1) == (kinds.count("heading_open"), kinds.count("list_item_open"))
    inline = [child.type for token in tokens for child in token.children or ()]
    assert {"text", "softbreak", "code_inline", "text_special"} >= set(inline)


@settings(deadline=None, max_examples=50)
@given(names, names)
def test_names_stay_text_in_a_sheet(person: str, folder: str) -> None:
    """Cells are what they say, and none begins like a formula."""
    one = by_hand(adding(ON_FOLDER), labels={"user:u-1": person, "folder:f-1": folder})
    rows = list(csv.reader(io.StringIO(sheet(one), newline="")))
    assert [list(COLUMNS)] == rows[:1]
    (cells,) = rows[1:]
    assert len(COLUMNS) == len(cells)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    shown = dict(zip(COLUMNS, cells, strict=True))
    assert ("u-1", "viewer", adding(ON_FOLDER).id) == (
        shown["principal_id"],
        shown["role_id"],
        shown["operation"],
    )


def test_a_definition_has_no_principal_in_the_sheet() -> None:
    """Its cells for people and roles stay empty."""
    body = PolicyBody("Read", "", ScopeType.ACCOUNT, None, "permit(principal, action, resource);")
    made = Operation(Kind.CREATE_POLICY, 1, "given", Definition("new-policy/x", None, body))
    (row,) = csv.DictReader(io.StringIO(sheet(by_hand(made))))
    assert ("", "", "") == (row["principal"], row["role_id"], row["where"])
    assert PermissionType.GLOBAL is role_body().permission_type
