"""What a run does with what it finds: already so, changed, refused, missing, too much."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from applying import (
    ML_USER,
    REPORTS,
    ROLE,
    VIEWER,
    as_sandbox,
    give,
    grants,
    group,
    holdings,
    new_policy,
    new_role,
    operations,
    plan_of,
    run,
    take,
    user,
    writer,
)
from permmigrate.apply.chain import check
from permmigrate.apply.leftover import COLUMNS, failed_csv
from permmigrate.apply.live import Answer, Assign, CreatePolicy, CreateRole, Live, Verdict, Write
from permmigrate.apply.outcome import Result, Status
from permmigrate.apply.run import Asked
from permmigrate.cloudinary.writer import Writer
from permmigrate.errors import DeniedError, ExitCode, UnreachableError
from permmigrate.model import (
    ALL_ENVIRONMENTS,
    FolderId,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    RoleId,
)
from permmigrate.plan import Definition, Kind, Operation, Plan
from permmigrate.sandbox import Knobs, Sandbox
from permmigrate.sandbox.server import serving


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox("small")


def applied(sandbox: Sandbox, plan: Plan, path: Path, wrap: Any = None, **more: Any) -> Result:
    with serving(sandbox) as url, writer(sandbox, url) as live:
        return run(plan, wrap(live) if wrap else live, path / "journal", sandbox, **more)


def first(sandbox: Sandbox) -> str:
    return sandbox.account.environments[0].id


class Wrapped:
    """A live account of which one thing is otherwise."""

    def __init__(self, inner: Live) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_what_is_so_already_is_not_sent(sandbox: Sandbox, tmp_path: Path) -> None:
    """Half of it was done by somebody else, in the way the plan wants it: only the rest is sent."""
    rows = grants(sandbox, 10)
    plan = plan_of(sandbox, operations(Kind.ASSIGN, rows))
    give(sandbox, rows[:5])
    result = applied(sandbox, plan, tmp_path)
    assert {Status.ALREADY: 5, Status.DONE: 5} == result.counts
    assert 5 == len(sandbox.effects)
    assert ExitCode.OK == result.exit_code
    assert (1,) == result.verified


def test_a_principal_with_more_or_less_than_the_plan_read_is_left_alone(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Somebody gave one a role and took one from another: both are named stale, the others are done."""
    had = [RoleAssignment(user(n, sandbox), REPORTS, first(sandbox)) for n in range(10)]
    give(sandbox, had)
    rows = grants(sandbox, 10)
    plan = plan_of(sandbox, operations(Kind.ASSIGN, rows))
    give(
        sandbox,
        [RoleAssignment(user(3, sandbox), VIEWER, first(sandbox), FolderId(sandbox.account.folders.ids[0]))],
    )
    take(sandbox, had[4])
    result = applied(sandbox, plan, tmp_path, asked=Asked(keep_going=True))
    assert {Status.STALE: 2, Status.DONE: 8} == result.counts
    assert {user(3, sandbox), user(4, sandbox)} == set(result.changed)
    assert "1 not expected: `cld::role::folder::viewer`" in result.changed[user(3, sandbox)]
    assert "1 missing" in result.changed[user(4, sandbox)]
    assert ExitCode.PARTLY_APPLIED == result.exit_code
    assert result.retry is None


def test_one_that_is_refused_is_found_in_its_batch(sandbox: Sandbox, tmp_path: Path) -> None:
    """A batch that is refused is halved until who is at fault is alone; everybody else is done."""
    rows = grants(sandbox, 40)
    plan = plan_of(sandbox, operations(Kind.ASSIGN, rows))
    bad = {user(7, sandbox), user(30, sandbox)}

    class Refusing(Wrapped):
        def write(self, write: Write) -> Answer:
            assert isinstance(write, Assign)
            if any(row.principal in bad for row in write.rows):
                return Answer(Verdict.REFUSED, 400, "no such thing")
            return self._inner.write(write)

    result = applied(sandbox, plan, tmp_path, Refusing, asked=Asked(keep_going=True))
    assert {Status.FAILED: 2, Status.DONE: 38} == result.counts
    assert bad == {operation.principal for _, operation, _ in result.left}
    assert {"no such thing"} == {outcome.why for _, _, outcome in result.left}
    assert result.retry is not None
    assert 2 == len(result.retry.operations)


def test_a_batch_that_took_effect_in_part_is_not_sent_as_a_whole_again(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The service did half of a call and refused it: what is there is read, and only the rest is sent."""
    rows = grants(sandbox, 8)
    plan = plan_of(sandbox, operations(Kind.ASSIGN, rows))
    sizes: list[int] = []

    class Half(Wrapped):
        def write(self, write: Write) -> Answer:
            assert isinstance(write, Assign)
            sizes.append(len(write.rows))
            if len(sizes) > 1:
                return self._inner.write(write)
            self._inner.write(dataclasses.replace(write, rows=write.rows[:5]))
            return Answer(Verdict.REFUSED, 400, "the sixth is not good")

    result = applied(sandbox, plan, tmp_path, Half)
    assert {Status.DONE: 8} == result.counts
    assert [8, 1, 2] == sizes
    assert 8 == len(sandbox.effects)


def test_nothing_is_taken_before_what_replaces_it_is_given(sandbox: Sandbox, tmp_path: Path) -> None:
    """A grant that fails holds back the removals of its principal, and a group's those of all users."""
    old = [RoleAssignment(user(n, sandbox), REPORTS, first(sandbox)) for n in range(3)]
    give(sandbox, old)
    people = [RoleAssignment(user(n, sandbox), ML_USER, first(sandbox)) for n in range(3)]
    for failing, held_back in ((user(1, sandbox), 1), (group(0, sandbox), 3)):
        team = [RoleAssignment(group(0, sandbox), ML_USER, first(sandbox))]
        fresh = Sandbox("small")
        give(fresh, old)
        plan = plan_of(fresh, [*operations(Kind.ASSIGN, people + team), *operations(Kind.REMOVE, old)])

        class Refusing(Wrapped):
            def write(self, write: Write, failing: PrincipalRef = failing) -> Answer:
                assert isinstance(write, Assign)
                if write.add and any(row.principal == failing for row in write.rows):
                    return Answer(Verdict.REFUSED, 403, "not allowed")
                return self._inner.write(write)

        path = tmp_path / str(failing).replace(":", "-")
        path.mkdir()
        result = applied(fresh, plan, path, Refusing, asked=Asked(keep_going=True))
        assert {Status.FAILED: 1, Status.HELD_BACK: held_back, Status.DONE: 6 - held_back} == result.counts
        removed = [row for what, row in fresh.effects if what == "remove"]
        assert 3 - held_back == len(removed)
        places = [what for what, _ in fresh.effects]
        assert places == sorted(places)


def test_a_first_wave_with_an_error_is_the_last(sandbox: Sandbox, tmp_path: Path) -> None:
    """The canary tries every row once; what fails there is not tried on all, unless that is asked for."""
    rows = grants(sandbox, 20)
    steps = [*operations(Kind.ASSIGN, rows[:4]), *operations(Kind.ASSIGN, rows[4:], 2)]

    class Refusing(Wrapped):
        def write(self, write: Write) -> Answer:
            assert isinstance(write, Assign)
            if any(row.principal == rows[0].principal for row in write.rows):
                return Answer(Verdict.REFUSED, 403, "not allowed")
            return self._inner.write(write)

    plan = plan_of(sandbox, steps)
    result = applied(sandbox, plan, tmp_path, Refusing)
    assert {Status.FAILED: 1, Status.DONE: 3, Status.NOT_REACHED: 16} == result.counts
    assert "first wave" in result.stopped
    assert ExitCode.PARTLY_APPLIED == result.exit_code

    again = applied(sandbox, plan, tmp_path, Refusing, asked=Asked(keep_going=True))
    assert {Status.FAILED: 1, Status.DONE: 19} == again.counts


def test_five_errors_in_a_row_end_the_run(sandbox: Sandbox, tmp_path: Path) -> None:
    """A key that lost its rights is not tried on everybody: a 403 is an error and never a skip."""
    plan = plan_of(sandbox, operations(Kind.ASSIGN, grants(sandbox, 40)))
    sent: list[Write] = []

    class Denied(Wrapped):
        def write(self, write: Write) -> Answer:
            sent.append(write)
            return Answer(Verdict.REFUSED, 403, "not allowed")

    result = applied(sandbox, plan, tmp_path, Denied, size=1)
    assert 5 == len(sent)
    assert {Status.FAILED: 5, Status.NOT_REACHED: 35} == result.counts
    assert "5 errors in a row" in result.stopped
    assert ExitCode.SERVICE == result.exit_code


def test_what_cannot_be_read_is_not_written(sandbox: Sandbox, tmp_path: Path) -> None:
    """A read that fails for one batch fails its operations, and enough of them the run."""
    plan = plan_of(sandbox, operations(Kind.ASSIGN, grants(sandbox, 40)))

    class Blind(Wrapped):
        def held(self, *asked: Any) -> Any:
            raise DeniedError("`POST .../inspect` may not be called (403)", status=403)

    result = applied(sandbox, plan, tmp_path, Blind, size=1)
    assert {Status.FAILED, Status.NOT_REACHED} == set(result.counts)
    assert [] == sandbox.effects
    assert ExitCode.SERVICE == result.exit_code


def test_what_was_sent_and_cannot_be_read_back_is_called_unsure(sandbox: Sandbox, tmp_path: Path) -> None:
    """Nobody knows what it did: it is named so, and the next run finds out first."""
    plan = plan_of(sandbox, operations(Kind.ASSIGN, grants(sandbox, 6)))

    class Lost(Wrapped):
        sent = False

        def write(self, write: Write) -> Answer:
            self._inner.write(write)
            self.sent = True
            return Answer(Verdict.UNSURE, None, "no answer came")

        def held(self, *asked: Any) -> Any:
            if self.sent:
                raise UnreachableError("nobody answers")
            return self._inner.held(*asked)

    result = applied(sandbox, plan, tmp_path, Lost)
    assert {Status.UNSURE: 6} == result.counts
    assert ExitCode.PARTLY_APPLIED == result.exit_code
    again = applied(sandbox, plan, tmp_path)
    assert {Status.DONE: 6} == again.counts
    assert 6 == len(sandbox.effects)
    told = [line.fields for line in check(tmp_path / "journal").lines if line.kind == "done"]
    assert ["read back after it was cut short"] == [one["how"] for one in told]


def test_what_does_not_take_effect_is_tried_and_given_up(sandbox: Sandbox, tmp_path: Path) -> None:
    """A service that says yes and does nothing, or never answers, is found out by reading back."""
    rows = grants(sandbox, 3)
    plan = plan_of(sandbox, operations(Kind.ASSIGN, rows))

    class Deaf(Wrapped):
        def write(self, write: Write) -> Answer:
            return Answer(Verdict.UNSURE, 500, "failed on the service's side")

    result = applied(sandbox, plan, tmp_path, Deaf)
    assert {Status.FAILED: 3} == result.counts
    assert ExitCode.SERVICE == result.exit_code

    class Liar(Wrapped):
        def write(self, write: Write) -> Answer:
            return Answer(Verdict.TOOK, 200)

    other = tmp_path / "liar"
    other.mkdir()
    result = applied(sandbox, plan, other, Liar)
    assert {Status.FAILED: 3} == result.counts
    assert {"it was done, and is not there when it is read back"} == {
        outcome.why for _, _, outcome in result.left
    }
    assert () == result.verified
    assert ExitCode.SERVICE == result.exit_code


def test_what_is_more_than_planned_is_seen_when_it_is_read_back(sandbox: Sandbox, tmp_path: Path) -> None:
    """A call that gives somebody more than was asked for is an expansion, and no success."""
    rows = grants(sandbox, 3)
    plan = plan_of(sandbox, operations(Kind.ASSIGN, rows))

    class Generous(Wrapped):
        def write(self, write: Write) -> Answer:
            answer = self._inner.write(write)
            extra = RoleAssignment(rows[0].principal, RoleId("cld::role::account::admin"))
            sandbox.account.assignments.add(as_sandbox(extra))
            return answer

    result = applied(sandbox, plan, tmp_path, Generous)
    assert {rows[0].principal} == set(result.changed)
    assert "cld::role::account::admin" in result.changed[rows[0].principal]
    assert ExitCode.PARTLY_APPLIED == result.exit_code
    assert () == result.verified


def test_a_role_for_all_environments_is_found_in_each(sandbox: Sandbox, tmp_path: Path) -> None:
    """Roles at `all` show wherever an environment is read, and are no surprise there."""
    everywhere = RoleAssignment(user(0, sandbox), ML_USER, ALL_ENVIRONMENTS)
    here = RoleAssignment(user(0, sandbox), REPORTS, first(sandbox))
    plan = plan_of(sandbox, operations(Kind.ASSIGN, [everywhere, here]))
    assert {Status.DONE: 2} == applied(sandbox, plan, tmp_path).counts
    back = plan_of(sandbox, operations(Kind.REMOVE, [everywhere, here]))
    (tmp_path / "back").mkdir()
    assert {Status.DONE: 2} == applied(sandbox, back, tmp_path / "back").counts
    assert set() == holdings(sandbox)


def keys_plan(sandbox: Sandbox) -> tuple[Plan, list[RoleAssignment]]:
    """Folder roles of keys through the Admin API, for an account without the Permissions API."""
    keys = [key for key in sandbox.keys(sandbox.cloud_names[0])[:3] if key.enabled]
    folders = sandbox.account.folders
    roles = [RoleId(f"cld::role::folder::{name}") for name in ("viewer", "contributor")]
    rows = [
        RoleAssignment(
            PrincipalRef(PrincipalType.API_KEY, key.id), role, first(sandbox), FolderId(folders.ids[n])
        )
        for n, key in enumerate(keys)
        for role in roles
    ]
    return plan_of(sandbox, operations(Kind.ASSIGN_FOLDER, rows)), rows


def test_folder_roles_of_keys_go_through_the_admin_api(sandbox: Sandbox, tmp_path: Path) -> None:
    """Without an account key: one invitation a key and folder, read back from the folder."""
    plan, rows = keys_plan(sandbox)
    with serving(sandbox) as url, writer(sandbox, url) as both:
        with Writer(None, both._keys, both._clouds, api_url=url) as live:
            result = run(plan, live, tmp_path / "journal", sandbox)
            assert {Status.DONE: len(rows)} == result.counts
            invited = [call for call in sandbox.log if call["method"] == "POST"]
            assert len(rows) // 2 == len(invited)
        back = plan_of(sandbox, operations(Kind.REMOVE_FOLDER, rows))
        with Writer(None, both._keys, both._clouds, api_url=url) as live:
            assert {Status.DONE: len(rows)} == run(back, live, tmp_path / "back", sandbox).counts
    assert set() == holdings(sandbox)
    assert all("/permissions/" not in str(call["path"]) for call in sandbox.log)


@pytest.mark.parametrize("name", [ROLE.name, ROLE.name.upper()])
def test_a_role_that_is_there_with_other_policies_is_left_as_it_is(
    sandbox: Sandbox, tmp_path: Path, name: str
) -> None:
    """Same name, whatever its case, and other contents: refused with the reason, and nobody is given it."""
    with serving(sandbox) as url, writer(sandbox, url) as live:
        other = dataclasses.replace(ROLE, name=name, policy_ids=())
        assert Verdict.TOOK is live.write(CreateRole(RoleId("theirs"), other)).verdict
    rows = [RoleAssignment(user(0, sandbox), RoleId("new-role/Checkers"), first(sandbox))]
    plan = plan_of(sandbox, [new_role(), *operations(Kind.ASSIGN, rows)])
    result = applied(sandbox, plan, tmp_path, asked=Asked(keep_going=True))
    assert {Status.STALE: 1, Status.HELD_BACK: 1} == result.counts
    assert "is there with other contents" in next(result.left)[2].why
    assert () == sandbox.account.roles["theirs"].policy_ids
    assert [] == sandbox.effects


def test_a_role_and_a_policy_that_are_there_as_wanted_are_used(sandbox: Sandbox, tmp_path: Path) -> None:
    """The service writes statements in its own way: that is no difference, and nothing is made twice."""
    policy, _ = new_policy(sandbox)
    rows = [RoleAssignment(user(0, sandbox), RoleId("new-role/Checkers"), first(sandbox))]
    plan = plan_of(sandbox, [new_role(), policy, *operations(Kind.ASSIGN, rows)])
    assert {Status.DONE: 3} == applied(sandbox, plan, tmp_path).counts
    made = len(sandbox.account.roles), len(sandbox.account.custom_policies)
    (tmp_path / "again").mkdir()
    assert {Status.ALREADY: 3} == applied(sandbox, plan, tmp_path / "again").counts
    assert made == (len(sandbox.account.roles), len(sandbox.account.custom_policies))


def test_policies_are_changed_and_deleted_only_as_they_were_found(sandbox: Sandbox, tmp_path: Path) -> None:
    """An update and a deletion whose policy somebody changed since are stale; as found, they are done."""
    policy, body = new_policy(sandbox)
    applied(sandbox, plan_of(sandbox, [policy]), tmp_path)
    made = next(one for one in sandbox.account.custom_policies.values() if one.name == body.name)
    better = dataclasses.replace(body, statement=body.statement.replace("read", "update"))

    def changing(before: Any, after: Any, kind: Kind, name: str) -> Result:
        step = Operation(kind, 1, "policies.cedar", Definition(made.id, before, after))
        place = tmp_path / name
        place.mkdir()
        return applied(sandbox, plan_of(sandbox, [step]), place)

    other = dataclasses.replace(body, statement=body.statement.replace("read", "delete"))
    assert {Status.STALE: 1} == changing(better, other, Kind.UPDATE_POLICY, "stale").counts
    assert {Status.DONE: 1} == changing(body, better, Kind.UPDATE_POLICY, "done").counts
    assert {Status.ALREADY: 1} == changing(body, better, Kind.UPDATE_POLICY, "again").counts
    assert {Status.STALE: 1} == changing(body, None, Kind.DELETE_POLICY, "other").counts
    assert {Status.DONE: 1} == changing(better, None, Kind.DELETE_POLICY, "gone").counts
    assert {Status.ALREADY: 1} == changing(better, None, Kind.DELETE_POLICY, "twice").counts
    assert made.id not in sandbox.account.custom_policies


@pytest.mark.parametrize("known", [True, False])
def test_a_role_is_deleted_when_nobody_holds_it(sandbox: Sandbox, tmp_path: Path, known: bool) -> None:
    """By its id, or by the name that the plan had for it; one that is held stays, and that is an error."""
    rows = [RoleAssignment(user(0, sandbox), RoleId("new-role/Checkers"), first(sandbox))]
    applied(sandbox, plan_of(sandbox, [new_role(), *operations(Kind.ASSIGN, rows)]), tmp_path)
    made = next(role.id for role in sandbox.account.roles.values() if role.name == "Checkers")
    name = made if known else "new-role/Checkers"
    deletion = Operation(Kind.DELETE_ROLE, 1, "undoes x", Definition(name, ROLE, None))
    for place in ("held", "free"):
        (tmp_path / place).mkdir()
    refused = applied(sandbox, plan_of(sandbox, [deletion]), tmp_path / "held")
    assert {Status.FAILED: 1} == refused.counts
    assert made in sandbox.account.roles
    removal = operations(Kind.REMOVE, [dataclasses.replace(rows[0], role_id=RoleId(made))])
    result = applied(sandbox, plan_of(sandbox, [deletion, *removal]), tmp_path / "free")
    assert {Status.DONE: 2} == result.counts
    assert made not in sandbox.account.roles


@pytest.mark.parametrize("drop", ["before", "after"])
def test_definitions_whose_answer_was_lost_are_made_once(tmp_path: Path, drop: str) -> None:
    """Making a role or a policy again is a conflict: what is there is read, and taken for ours."""
    sandbox = Sandbox("small", knobs=Knobs(drop=drop, drop_nth=2 if drop == "before" else 1))
    policy, _ = new_policy(sandbox)
    result = applied(sandbox, plan_of(sandbox, [new_role(), policy]), tmp_path)
    assert {Status.DONE: 2} == result.counts
    assert 1 == sum(role.name == "Checkers" for role in sandbox.account.roles.values())


def test_what_was_not_done_is_a_table_that_no_spreadsheet_takes_for_formulas(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """One row an operation, with its principal, reason and cause; empty when all was done."""
    rows = grants(sandbox, 4)
    policy, _ = new_policy(sandbox)
    plan = plan_of(
        sandbox,
        [policy, *operations(Kind.ASSIGN, rows)],
        labels={f"user:{rows[0].principal.id}": "=1+1, of course"},
    )

    class Refusing(Wrapped):
        def write(self, write: Write) -> Answer:
            return Answer(Verdict.REFUSED, 400, "no")

    result = applied(sandbox, plan, tmp_path, Refusing, size=1)
    lines = failed_csv(result).splitlines()
    assert ",".join(COLUMNS) == lines[0]
    assert 6 == len(lines)
    assert any('"\'=1+1, of course"' in line for line in lines)
    (tmp_path / "good").mkdir()
    assert "" == failed_csv(applied(sandbox, plan, tmp_path / "good"))


def test_only_the_roles_that_they_need_are_made(sandbox: Sandbox, tmp_path: Path) -> None:
    """Asking for some makes no role and no policy that is for others."""
    policy, _ = new_policy(sandbox)
    holder = RoleAssignment(user(0, sandbox), RoleId("new-role/Checkers"), first(sandbox))
    steps = [new_role(), policy, *operations(Kind.ASSIGN, [holder, *grants(sandbox, 5)[1:]])]
    plan = plan_of(sandbox, steps)
    for number, made in ((1, 0), (0, 1)):
        asked = Asked(only=frozenset({user(number, sandbox)}))
        place = tmp_path / str(number)
        place.mkdir()
        assert ExitCode.OK == applied(sandbox, plan, place, asked=asked).exit_code
        assert made == sum(role.name == "Checkers" for role in sandbox.account.roles.values())
    assert "Folders for the key" not in {one.name for one in sandbox.account.custom_policies.values()}


def test_only_some_and_only_one_wave(sandbox: Sandbox, tmp_path: Path) -> None:
    """What is not asked for is not touched and not in the result."""
    rows = grants(sandbox, 10)
    plan = plan_of(sandbox, [*operations(Kind.ASSIGN, rows[:5]), *operations(Kind.ASSIGN, rows[5:], 2)])
    one = applied(sandbox, plan, tmp_path, asked=Asked(only=frozenset({rows[7].principal})))
    assert {Status.DONE: 1} == one.counts
    (tmp_path / "second").mkdir()
    two = applied(sandbox, plan, tmp_path / "second", asked=Asked(wave=2))
    assert {Status.DONE: 4, Status.ALREADY: 1} == two.counts
    assert 5 == len(sandbox.effects)


class Spoilt(Wrapped):
    """Answers writes as it is told to, whether or not they are passed on."""

    def __init__(self, inner: Live, answer: Answer, passes: bool) -> None:
        super().__init__(inner)
        self.answer, self.passes, self.sent = answer, passes, 0

    def write(self, write: Write) -> Answer:
        self.sent += 1
        if self.passes:
            self._inner.write(write)
        return self.answer


@pytest.mark.parametrize(
    ("answer", "passes", "status", "sent"),
    [
        (Answer(Verdict.REFUSED, 400, "not good"), False, Status.FAILED, 1),
        (Answer(Verdict.TOOK, 201, given_id="x"), False, Status.FAILED, 1),
        (Answer(Verdict.UNSURE, 500, "broken"), False, Status.FAILED, 4),
        (Answer(Verdict.LATER, 429, "not now"), False, Status.FAILED, 4),
        (Answer(Verdict.UNSURE, 409, "there already"), True, Status.DONE, 1),
        (Answer(Verdict.REFUSED, 400, "not good, it says"), True, Status.DONE, 1),
    ],
)
def test_a_definition_is_what_it_is_read_to_be(
    sandbox: Sandbox, tmp_path: Path, answer: Answer, passes: bool, status: Status, sent: int
) -> None:
    """Whatever the answer to making one says, what is there afterwards counts."""
    policy, _ = new_policy(sandbox)
    spoilt: list[Spoilt] = []

    def wrap(live: Live) -> Spoilt:
        spoilt.append(Spoilt(live, answer, passes))
        return spoilt[0]

    result = applied(sandbox, plan_of(sandbox, [policy]), tmp_path, wrap)
    assert {status: 1} == result.counts
    assert sent == spoilt[0].sent


def test_a_definition_that_cannot_be_read_back_is_unsure_and_resolved_later(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The line stays open, whoever deletes the policy meanwhile or not, and the next run closes it."""
    policy, _ = new_policy(sandbox)

    class Lost(Wrapped):
        sent = False

        def write(self, write: Write) -> Answer:
            self.sent = isinstance(write, CreatePolicy)
            return self._inner.write(write)

        def custom_policies(self, *asked: Any) -> Any:
            if self.sent:
                raise UnreachableError("nobody answers")
            return self._inner.custom_policies(*asked)

    plan = plan_of(sandbox, [new_role(), policy])
    result = applied(sandbox, plan, tmp_path, Lost)
    assert {Status.DONE: 1, Status.UNSURE: 1} == result.counts
    assert {Status.DONE: 2} == applied(sandbox, plan, tmp_path).counts
    assert 1 == sum(one.name == "Folders for the key" for one in sandbox.account.custom_policies.values())


def test_what_the_writer_refuses_to_send_has_failed(sandbox: Sandbox, tmp_path: Path) -> None:
    """A role at the wrong scope does not leave the program; its people are named, the others are done."""
    fits = grants(sandbox, 3)
    misfit = RoleAssignment(user(9, sandbox), RoleId("cld::role::account::reports"), first(sandbox))
    plan = plan_of(sandbox, operations(Kind.ASSIGN, [*fits, misfit]))
    result = applied(sandbox, plan, tmp_path, asked=Asked(keep_going=True))
    assert {Status.DONE: 3, Status.FAILED: 1} == result.counts
    assert "cannot be bound to a product environment" in next(result.left)[2].why


def test_a_call_that_could_not_leave_ends_the_run(sandbox: Sandbox, tmp_path: Path) -> None:
    """What is certain not to have been sent is put down as such, and nothing is unsure."""
    plan = plan_of(sandbox, operations(Kind.ASSIGN, grants(sandbox, 3)))

    class Closed(Wrapped):
        def write(self, write: Write) -> Answer:
            raise UnreachableError("the service had stopped answering")

    result = applied(sandbox, plan, tmp_path, Closed)
    assert {Status.NOT_REACHED: 3} == result.counts
    assert "stopped answering" in result.stopped
    assert {Status.DONE: 3} == applied(sandbox, plan, tmp_path).counts


def test_what_was_given_must_show_before_anything_is_taken(sandbox: Sandbox, tmp_path: Path) -> None:
    """A service that says yes and gives nothing: whoever would be left with nothing keeps what they have."""
    old = [RoleAssignment(user(n, sandbox), RoleId("cld::role::account::reports")) for n in range(3)]
    give(sandbox, old)
    new = [RoleAssignment(user(n, sandbox), ML_USER, first(sandbox)) for n in range(3)]
    plan = plan_of(sandbox, [*operations(Kind.ASSIGN, new), *operations(Kind.REMOVE, old)])

    class Liar(Wrapped):
        def write(self, write: Write) -> Answer:
            assert isinstance(write, Assign)
            return Answer(Verdict.TOOK, 200) if write.add else self._inner.write(write)

    result = applied(sandbox, plan, tmp_path, Liar, asked=Asked(keep_going=True))
    assert [] == sandbox.effects
    assert {row.principal for row in old} == set(result.changed)
    assert ExitCode.PARTLY_APPLIED == result.exit_code


def test_a_principal_that_others_changed_does_not_matter_to_those_who_did_not_ask(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """With `only`, somebody else's change is no reason to call it partly applied."""
    rows = grants(sandbox, 4)
    plan = plan_of(sandbox, operations(Kind.ASSIGN, rows))
    stranger = RoleAssignment(rows[3].principal, REPORTS, first(sandbox))
    with serving(sandbox) as url, writer(sandbox, url) as live:
        for only, code in ((rows[0], ExitCode.OK), (rows[3], ExitCode.REFUSED)):
            result = run(
                plan,
                live,
                tmp_path / f"journal-{only.principal.id}",
                sandbox,
                asked=Asked(only=frozenset({only.principal}), keep_going=True),
                held={stranger.principal: frozenset({stranger})},
            )
            assert code == result.exit_code
