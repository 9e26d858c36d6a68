"""`apply`, `undo` and `journal` as people call them, on a sandbox of its own for each test."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from command_line import Account, Ran
from permmigrate.apply import reading
from permmigrate.cloudinary.public import pull
from permmigrate.mapping import tables
from permmigrate.mapping.translate import translate
from permmigrate.model import FolderId, PrincipalRef, PrincipalType, RoleAssignment, RoleId
from permmigrate.plan import Digests, Expansion, Kind, Limits, Operation, Plan, Standing
from permmigrate.plan.batches import expected_of
from permmigrate.plan.file import dump, load
from permmigrate.plan.value import moment
from permmigrate.plan.waves import Change, in_waves
from permmigrate.plan.world import World
from permmigrate.resources import mappings_dir
from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.columns import Assignment
from permmigrate.sandbox.server import serving
from permmigrate.snapshot import file as snapshot_file
from sandbox_variables import variables

Call = Callable[..., Ran]


@pytest.fixture(scope="module")
def planned(snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan that gives the small account's people all that the shipped tables say, in several waves."""
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    taken, at = snapshot_file.load(snapshot), datetime.now(UTC)
    translation = translate(taken, tables.load(mappings_dir()), today=at.date())
    changes = [Change(Kind.ASSIGN, str(each.row), each.assignment) for each in translation.planned]
    operations = sorted(in_waves(changes, World.of(taken), 20), key=Operation.sort_key)
    plan = Plan.of(
        account_id=taken.account_id,
        purpose="move",
        created=moment(at),
        expires=moment(at + timedelta(days=1)),
        tool_version="test",
        digests=Digests("s", "m", taken.catalog.digest),
        captured_at=taken.captured_at,
        operations=operations,
        held={each.principal: () for each in operations if each.principal},
        limits=Limits(promotions=None),
        expected=expected_of(operations, 2000),
    )
    dump(plan, path)
    return path


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """The small legacy account, new, with its credentials in the environment and nobody to wait for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reading, "Pace", functools.partial(reading.Pace, pauses=(0.0, 0.01, 0.01)))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    made = Sandbox()
    with serving(made) as url:
        for name, value in variables(made, url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CLOUDINARY_API_URL", url)
        yield made


def writes(sandbox: Sandbox) -> list[dict[str, object]]:
    """The calls that may have changed something."""
    reads = ("/principal_roles/inspect", "/folders/search", "/folders/descendants", "/public/validate")
    return [call for call in sandbox.log if call["method"] != "GET" and not str(call["path"]).endswith(reads)]


def held(sandbox: Sandbox) -> set[tuple[str, ...]]:
    return {row[:6] for row in sandbox.account.assignments.rows()}


def apply(call: Call, plan: Path, *more: object) -> Ran:
    digest = load(plan).digest
    return call("apply", plan, "--digest", digest, "--yes", "--quiet", "--journal", "j", *more)


def test_a_plan_is_applied_verified_and_proved(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """Everything is done and read back; the journal is whole, and the summary names plan and journal."""
    plan = load(planned)

    ran = apply(call, planned)

    assert (0, "") == (ran.code, ran.err.partition("next:")[2])
    expected = {
        (o.assignment.principal.type.value, o.assignment.principal.id, o.assignment.role_id)
        for o in plan.operations
    }
    assert expected == {row[:3] for row in held(sandbox)}
    assert f"{len(plan.operations)} done" in ran.out
    assert plan.digest in ran.out
    assert "applied as planned" in ran.out
    checked = call("journal", "check", "j")
    assert checked.code == 0
    head = checked.out.split()[-1]
    assert head in ran.out
    assert 0 == call("journal", "check", "j", "--head", head).code
    assert 3 == call("journal", "check", "j", "--head", "0" * 64).code
    assert 0o600 == Path("j").stat().st_mode & 0o777


def test_applying_again_finds_everything_as_planned(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """A second run under another journal sends nothing, and undoing it takes nothing back."""
    apply(call, planned)
    before = len(writes(sandbox))

    ran = call("apply", planned, "--digest", load(planned).digest, "--yes", "--quiet", "--journal", "second")

    assert 0 == ran.code
    assert f"{len(load(planned).operations)} already so" in ran.out
    assert before == len(writes(sandbox))
    undone = call("undo", "second", "--out", "undo.json", "--quiet")
    assert 0 == undone.code
    assert "0 operations to take back" in undone.err


def test_what_was_done_is_taken_back_exactly(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """The undo plan of a journal is applied like any other, and the account is as it was."""
    before = held(sandbox)
    apply(call, planned)
    assert before != held(sandbox)

    assert 0 == call("undo", "j", "--out", "undo.json", "--quiet").code
    digest = load(Path("undo.json")).digest
    ran = call("apply", "undo.json", "--digest", digest, "--yes", "--quiet", "--journal", "u")

    assert 0 == ran.code, ran.err
    assert before == held(sandbox)


def test_what_others_changed_since_is_not_taken_back(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """A principal that somebody changed after the move is named and left alone."""
    apply(call, planned)
    user = next(row for row in sandbox.account.assignments.rows() if row.principal_type == "user")
    sandbox.account.assignments.add(user._replace(role_id="cld::role::account::reports", scope_id=None))

    ran = call("undo", "j", "--out", "undo.json", "--quiet")

    assert 0 == ran.code
    assert f"user:{user.principal_id} everything the plan did: it was changed since" in ran.err
    assert user.principal_id not in {
        one.principal.id for one in load(Path("undo.json")).operations if one.principal
    }


def edited(plan: Path) -> Path:
    text = plan.read_text()
    other = Path("edited.json")
    other.write_text(text.replace('"wave":1', '"wave":2', 1))
    return other


def expired(plan: Path) -> Path:
    fields = load(plan).__dict__ | {"created": "2020-01-01T00:00:00Z", "expires": "2020-01-02T00:00:00Z"}
    return remade(fields)


def of_another_account(plan: Path) -> Path:
    return remade(load(plan).__dict__ | {"account_id": "another"})


def remade(fields: dict[str, object]) -> Path:
    path = Path("remade.json")
    dump(Plan(**{name: fields[name] for name in Plan.__dataclass_fields__}), path)
    return path


def that_promotes(plan: Path) -> Path:
    return remade(load(plan).__dict__ | {"limits": Limits(promotions=0)})


def that_touches_the_protected(plan: Path) -> Path:
    taken = load(plan)
    return remade(taken.__dict__ | {"protected": (next(iter(taken.held)),)})


def of_another_catalog(plan: Path) -> Path:
    return remade(load(plan).__dict__ | {"digests": Digests("s", "m", "older")})


def of_a_role_that_is_gone(plan: Path) -> Path:
    taken = load(plan)
    first = taken.operations[0]
    renamed = dataclasses.replace(first.assignment, role_id=RoleId("cld::role::renamed"))
    others = (dataclasses.replace(first, subject=renamed), *taken.operations[1:])
    return remade(taken.__dict__ | {"operations": tuple(sorted(others, key=Operation.sort_key))})


def with_too_few_master_admins(plan: Path) -> Path:
    return remade(load(plan).__dict__ | {"limits": Limits(master_admins=99, promotions=None)})


def without_a_required_admin(plan: Path) -> Path:
    taken = load(plan)
    group = next(who for who in taken.held if who.type is PrincipalType.GROUP)
    return remade(taken.__dict__ | {"required_admins": (group,)})


def that_takes_too_much(plan: Path) -> Path:
    taken = load(plan)
    removed = dataclasses.replace(taken.operations[-1], kind=Kind.REMOVE, wave=99)
    return remade(taken.__dict__ | {"operations": (*taken.operations, removed)})


def that_gives_too_much(plan: Path) -> Path:
    return remade(load(plan).__dict__ | {"limits": Limits(promotions=None, grants=1)})


def that_widens(plan: Path, standing: Standing) -> Path:
    taken = load(plan)
    first = taken.operations[0]
    assert first.principal
    expansions = (Expansion(first.principal, first.cause, standing, 3),)
    return remade(taken.__dict__ | {"expansions": expansions})


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (with_too_few_master_admins, ["--digest", "PLAN", "--yes"], "at the end, where 99 must be"),
        (without_a_required_admin, ["--digest", "PLAN", "--yes"], "1 of 1 required admins do not administer"),
        (that_takes_too_much, ["--digest", "PLAN", "--yes"], "the plan takes 1 away where none may be"),
        (that_gives_too_much, ["--digest", "PLAN", "--yes"], "where at most 1 may be"),
        (
            functools.partial(that_widens, standing=Standing.UNSIGNED),
            ["--digest", "PLAN", "--yes"],
            "makes 3 expansions that nobody signed where none may be",
        ),
        (
            functools.partial(that_widens, standing=Standing.REJECTED),
            ["--digest", "PLAN", "--yes"],
            "makes 3 expansions that were rejected where none may be",
        ),
        (that_promotes, ["--digest", "PLAN", "--yes"], "principals become administrators where"),
        (that_touches_the_protected, ["--digest", "PLAN", "--yes"], "touch break-glass principals"),
        (of_another_catalog, ["--digest", "PLAN", "--yes"], "the plan was made from the catalog older"),
        (of_a_role_that_is_gone, ["--digest", "PLAN", "--yes"], "is not in the account's catalog"),
        (None, [], "no digest was given"),
        (None, ["--yes"], "no digest was given"),
        (None, ["--digest", "0" * 64, "--yes"], "the plan's digest is"),
        (edited, ["--digest", "0" * 64, "--yes"], "was changed after it was made"),
        (None, ["--digest", "PLAN"], "there is no terminal to confirm on"),
        (expired, ["--digest", "PLAN", "--yes"], "the plan holds from 2020-01-01T00:00:00Z until"),
        (of_another_account, ["--digest", "PLAN", "--yes"], "the plan is for account another"),
        (None, ["--digest", "PLAN", "--yes", "--wave", "2"], "operations of the waves before wave 2"),
    ],
)
def test_what_is_refused_changes_nothing(
    call: Call,
    sandbox: Sandbox,
    planned: Path,
    make: Callable[[Path], Path] | None,
    options: list[str],
    words: str,
) -> None:
    """Each refusal leaves with 6, says why, writes nothing and leaves no journal."""
    plan = make(planned) if make else planned
    digest = "" if make is edited else load(plan).digest
    ran = call("apply", plan, *(digest if word == "PLAN" else word for word in options), "--journal", "j")
    assert 6 == ran.code
    assert words in ran.err
    assert [] == writes(sandbox)
    assert not Path("j").exists()


@pytest.mark.parametrize("given_back", [False, True], ids=["at the end", "in between"])
def test_a_plan_that_takes_the_writing_keys_role_is_refused(
    call: Call, sandbox: Sandbox, planned: Path, given_back: bool
) -> None:
    """At the end, or for one wave only: exit 6, the remedy, and nothing written."""
    master = "cld::role::account::master_admin"
    who = PrincipalRef(PrincipalType.ACCOUNT_KEY, sandbox.account_key)
    row = RoleAssignment(who, RoleId(master), None)
    sandbox.account.assignments.append(
        Assignment("provisioningKey", sandbox.account_key, master, None, "", "", 0)
    )
    taken = load(planned)
    steps = [Operation(Kind.REMOVE, 98, "not in the mapping", row)]
    steps += [Operation(Kind.ASSIGN, 99, "account_keys.csv:2", row)] if given_back else []
    others = tuple(each for each in taken.operations if each.principal != who)
    fields = {"held": {**taken.held, who: (row,)}, "limits": Limits(removals=None, promotions=None)}
    plan = remade(taken.__dict__ | fields | {"operations": (*others, *steps)})

    ran = apply(call, plan)

    assert 6 == ran.code
    assert "a guard does not hold" in ran.err
    assert f"`plan make --protect provisioningKey:{sandbox.account_key}`" in ran.err
    assert [] == writes(sandbox)
    assert not Path("j").exists()


def stray(sandbox: Sandbox, plan: Path) -> str:
    """Give somebody of the plan a role that the plan knows nothing of."""
    who = next(one for one in load(plan).held if one.type is PrincipalType.USER)
    sandbox.account.assignments.append(
        Assignment("user", who.id, "cld::role::account::reports", None, "", "", 0)
    )
    return who.id


def test_a_world_that_changed_is_refused_or_left_out(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """By default nothing is done; with --keep-going everybody but those who changed, who are named."""
    changed = stray(sandbox, planned)

    refused = apply(call, planned)

    assert 6 == refused.code
    assert f"1 of {len(load(planned).held)} were changed since" in refused.err
    assert changed in refused.err
    assert [] == writes(sandbox)

    ran = apply(call, planned, "--keep-going")

    assert 7 == ran.code
    rows = Path("j.failed.csv").read_text().splitlines()[1:]
    assert rows
    assert all(changed in row and "changed by others" in row for row in rows)
    assert not Path("j.retry-plan.json").exists()


def test_the_account_is_typed_on_a_terminal(
    call: Call, sandbox: Sandbox, planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account's name lets it go on; anything else, and nothing, does not."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for typed, code in (("yes\n", 6), ("\n", 6), (f"{sandbox.account_id}\n", 0)):
        monkeypatch.setattr(sys, "stdin", Terminal(typed))
        ran = call("apply", planned, "--digest", load(planned).digest, "--journal", "j", "--quiet")
        assert code == ran.code, ran.err
        assert bool(writes(sandbox)) is (code == 0)


def test_waves_go_one_by_one(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """The canary first, under its own journal; then the next one, and nothing of the others."""
    plan = load(planned)
    waves = {wave.number: len(wave.operations) for wave in plan.waves}
    assert len(waves) > 2

    first = apply(call, planned, "--wave", 1)
    second = call(
        "apply", planned, "--digest", plan.digest, "--yes", "--quiet", "--wave", 2, "--journal", "k"
    )

    assert (0, 0) == (first.code, second.code), second.err
    assert f"{waves[1]} done" in first.out
    assert f"{waves[2]} done" in second.out
    assert waves[1] + waves[2] == len(sandbox.effects)


def test_only_who_is_asked_for_is_touched(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """`--only` names principals of the plan, and one that is not in it is refused."""
    who = next(one for one in load(planned).held if one.type is PrincipalType.USER)

    ran = apply(call, planned, "--only", str(who))

    assert 0 == ran.code
    assert {who.id} == {row.principal_id for _, row in sandbox.effects}
    assert 6 == call("apply", planned, "--digest", load(planned).digest, "--only", "user:nobody").code


def test_one_run_at_a_time(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """While one run holds the account, another one is refused and told by whom."""
    from permmigrate.apply.lock import locked
    from permmigrate.cli.applying import lock_folder

    with locked(lock_folder(), sandbox.account_id, "process 1, somebody"):
        ran = apply(call, planned)

    assert 6 == ran.code
    assert "another run is applying to this account: process 1, somebody" in ran.err
    assert [] == writes(sandbox)


def test_a_journal_that_is_there_is_not_written_over(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """It tells what was done before: resume it, or name another one."""
    apply(call, planned)
    assert 6 == apply(call, planned).code


def test_a_run_that_was_stopped_is_resumed(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """A key that is refused half way leaves with 7 and files to go on with; resumed, everything is done."""
    sandbox.after_writes(6, lambda: sandbox._app._revoked.add(sandbox.account_key))
    ran = apply(call, planned)
    assert 7 == ran.code
    assert "stopped" in ran.out
    left = len(Path("j.failed.csv").read_text().splitlines()) - 1
    retry = load(Path("j.retry-plan.json"))
    assert left == len(retry.operations)
    assert retry.digest != load(planned).digest

    sandbox._app._revoked.clear()
    resumed = call("apply", "--resume", "j", "--digest", load(planned).digest, "--yes", "--quiet")

    assert 0 == resumed.code, resumed.err
    assert f"{len(load(planned).operations)} done" in resumed.out
    assert not Path("j.failed.csv").exists()
    assert 6 == call("apply", retry_path(retry), "--digest", "0" * 64, "--yes").code


def retry_path(plan: object) -> Path:
    dump(plan, Path("retry.json"))  # type: ignore[arg-type]
    return Path("retry.json")


def test_a_retry_plan_does_the_rest(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """What was left is a plan of its own, under its own digest and the same guards."""
    sandbox.after_writes(6, lambda: sandbox._app._revoked.add(sandbox.account_key))
    apply(call, planned)
    sandbox._app._revoked.clear()

    retry = load(Path("j.retry-plan.json"))
    ran = call("apply", "j.retry-plan.json", "--digest", retry.digest, "--yes", "--quiet", "--journal", "r")

    assert 0 == ran.code, ran.err
    assert f"{len(retry.operations)} done" in ran.out
    assert len(load(planned).operations) == len(sandbox.effects)


def test_a_service_that_does_not_accept_the_key_is_exit_4(
    call: Call, sandbox: Sandbox, planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was changed, and it was the service that said no."""
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", f"account://{sandbox.account_key}:no@{sandbox.account_id}")
    assert 4 == apply(call, planned).code
    assert [] == writes(sandbox)


@pytest.mark.parametrize("words", [["--resume", "j", "--journal", "k"], [], ["--resume", "nothing"]])
def test_words_that_do_not_fit_are_told(call: Call, sandbox: Sandbox, words: list[str]) -> None:
    """No plan, two journals, nothing to resume."""
    assert call("apply", *words).code in (2, 3)


def test_a_journal_that_was_changed_names_its_line(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """`journal check`, `journal show`, `undo` and `apply --resume` all refuse it with exit 3."""
    apply(call, planned)
    lines = Path("j").read_text().splitlines(keepends=True)
    lines[4] = lines[4].replace('"status":200', '"status":201')
    Path("j").write_text("".join(lines))

    for command in (
        ["journal", "check", "j"],
        ["journal", "show", "j"],
        ["undo", "j", "--out", "x"],
        ["apply", "--resume", "j"],
    ):
        ran = call(*command)
        assert 3 == ran.code
        assert "j:5" in ran.err


def test_a_journal_is_read_out(call: Call, sandbox: Sandbox, planned: Path) -> None:
    """In words for people, and as the lines it has for programs."""
    apply(call, planned)
    told = call("journal", "show", "j").out
    assert "not held -> held" in told
    assert sandbox.account_key in told
    rows = [json.loads(line) for line in call("journal", "show", "j", "--json").out.splitlines()]
    assert list(range(1, len(rows) + 1)) == [row["n"] for row in rows]
    done = [row for row in rows if row["kind"] == "done"]
    assert all(row["request_id"] and row["status"] == 200 for row in done)
    assert load(planned).digest == rows[0]["plan"]


DYING = """
import os, signal, sys
from permmigrate.apply.journal import Journal
from permmigrate.cloudinary import writer
point, left = sys.argv[1], [int(sys.argv[2])]
del sys.argv[1:3]
write, note = writer.Writer.write, Journal.write
def die(): os.kill(os.getpid(), signal.SIGKILL)
def deadly(self, what):
    left[0] -= 1
    if left[0] == 0 and point == "before": die()
    answer = write(self, what)
    if left[0] == 0 and point == "sent": die()
    return answer
def noted(self, kind, fields):
    if left[0] == 0 and point == "answered" and kind == "done": die()
    return note(self, kind, fields)
writer.Writer.write, Journal.write = deadly, noted
from permmigrate.cli import main
sys.argv[0] = "permmigrate"
main()
"""


@pytest.mark.parametrize("point", ["before", "sent", "answered"])
def test_a_real_kill_is_resumed(call: Call, sandbox: Sandbox, planned: Path, point: str) -> None:
    """SIGKILL before a write is sent, after it, and before its line: the end is that of a calm run."""
    digest = load(planned).digest
    for number in (1, 5):
        first = ["apply", str(planned), "--journal", "j"] if number == 1 else ["apply", "--resume", "j"]
        command = [sys.executable, "-c", DYING, point, str(number), *first]
        done = subprocess.run(
            [*command, "--digest", digest, "--yes", "--quiet"],
            env=dict(os.environ),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert -signal.SIGKILL == done.returncode, done.stderr
    assert 6 == call("undo", "j", "--out", "u", "--quiet").code

    ran = call("apply", "--resume", "j", "--digest", digest, "--yes", "--quiet")

    assert 0 == ran.code, ran.err
    assert 0 == call("journal", "check", "j").code
    assert len(load(planned).operations) == len(sandbox.effects) == len(held(sandbox))


def test_no_journal_table_or_log_holds_a_secret(
    call: Call, sandbox: Sandbox, planned: Path, account: Account
) -> None:
    """Nothing that apply writes has a secret in it, not even its log of requests."""
    sandbox.after_writes(6, lambda: sandbox._app._revoked.add(sandbox.account_key))
    apply(call, planned, "--log-json", "log.jsonl", "--verbose")
    for path in Path.cwd().rglob("*"):
        if path.is_file():
            assert b"CANARYSECRET" not in path.read_bytes(), path


def test_folder_roles_of_keys_are_applied_and_undone_without_an_account_key(
    call: Call, sandbox: Sandbox, planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no Permissions API: the environments' keys are enough, and nothing else is called."""
    taken, folders = load(planned), sandbox.account.folders
    first = sandbox.account.environments[0]
    key = sandbox.keys(first.cloud_name)[1]
    who = PrincipalRef(PrincipalType.API_KEY, key.id)
    viewer = RoleId("cld::role::folder::viewer")
    rows = [RoleAssignment(who, viewer, first.id, FolderId(folders.ids[n])) for n in range(3)]
    fields = taken.__dict__ | {
        "operations": tuple(
            sorted(
                (Operation(Kind.ASSIGN_FOLDER, 1, "api_keys.csv:2", row) for row in rows),
                key=Operation.sort_key,
            )
        ),
        "held": {who: ()},
        "environments": {first.id: first.cloud_name},
        "expansions": (),
    }
    plan = remade(fields | {"digests": Digests("s", "m", sandbox_catalog(sandbox))})
    monkeypatch.delenv("CLOUDINARY_ACCOUNT_URL")

    ran = apply(call, plan)

    assert 0 == ran.code, ran.err
    assert {row.folder_id for row in rows} == {row.content_id for _, row in sandbox.effects}
    assert not [one for one in sandbox.log if "/provisioning/" in str(one["path"])]
    assert 0 == call("undo", "j", "--out", "undo.json", "--quiet").code
    digest = load(Path("undo.json")).digest
    back = call("apply", "undo.json", "--digest", digest, "--yes", "--quiet", "--journal", "u")
    assert 0 == back.code, back.err
    assert set() == held(sandbox)


def sandbox_catalog(sandbox: Sandbox) -> str:
    """The digest of the catalog as it is read without any credentials."""
    return pull("http://localhost", inner=httpx.WSGITransport(sandbox.wsgi)).digest
