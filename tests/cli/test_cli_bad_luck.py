"""What goes wrong around a plan: full disks, kills at the worst moment, and others at work on the account."""

from __future__ import annotations

import errno
import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from applying import ML_USER, VIEWER, as_sandbox, grants, holdings, operations, plan_of, take
from command_line import Ran
from permmigrate.apply import journal as journal_module
from permmigrate.apply import reading
from permmigrate.apply.journal import Journal
from permmigrate.cli import apply as apply_command
from permmigrate.errors import ExitCode
from permmigrate.model import RoleId
from permmigrate.plan import Digests, Kind, Limits, Plan
from permmigrate.plan.file import dump, load
from permmigrate.plan.value import moment
from permmigrate.sandbox import Knobs, Sandbox
from permmigrate.sandbox.server import serving
from permmigrate.snapshot.file import load as load_snapshot
from permmigrate.verify import settle
from sandbox_variables import variables

Call = Callable[..., Ran]
ADMIN = RoleId("cld::role::prodenv::admin")
MANAGER = RoleId("cld::role::folder::manager")


@pytest.fixture
def sandbox(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Sandbox]:
    """The small legacy account with its credentials in the environment, and nobody to wait for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reading, "Pace", functools.partial(reading.Pace, pauses=(0.0, 0.0, 0.0)))
    monkeypatch.setattr(settle, "PAUSES", (0.0, 0.0, 0.0, 0.0))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    made = Sandbox(knobs=getattr(request, "param", None))
    with serving(made) as url:
        for name, value in (*variables(made, url).items(), ("CLOUDINARY_API_URL", url)):
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def plan(sandbox: Sandbox, snapshot: Path) -> Plan:
    """A role each for eight people, in two waves, saved as plan.json."""
    at = datetime.now(UTC)
    rows = grants(sandbox, 48)
    everything = [*operations(Kind.ASSIGN, rows[:4]), *operations(Kind.ASSIGN, rows[40:], wave=2)]
    made = plan_of(
        sandbox,
        everything,
        created=moment(at),
        expires=moment(at + timedelta(days=1)),
        digests=Digests("s", "m", load_snapshot(snapshot).catalog.digest),
        limits=Limits(master_admins=0, promotions=None),
    )
    dump(made, Path("plan.json"))
    return made


def apply(call: Call, *more: object) -> Ran:
    words = more or ("plan.json", "--journal", "j")
    return call("apply", *words, "--digest", load(Path("plan.json")).digest, "--yes", "--quiet")


@contextmanager
def room_for(lines: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A disk that is full after so many lines of a journal; the kinds of those that it took."""
    whole, sent = journal_module._write, list[str]()

    def full(handle: int, content: bytes, path: Path) -> None:
        if len(sent) == lines:
            raise journal_module._unusable(path, OSError(errno.ENOSPC, "No space left on device"))
        sent.append(json.loads(content)["kind"])
        whole(handle, content, path)

    with monkeypatch.context() as patched:
        patched.setattr(journal_module, "_write", full)
        yield sent


@pytest.mark.parametrize("lines", range(1, 8))
def test_what_cannot_be_put_down_is_not_done(
    call: Call, sandbox: Sandbox, plan: Plan, monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    """The disk is full after any number of lines: no call goes out without its line, and resuming ends it."""
    with room_for(lines, monkeypatch) as sent:
        ran = apply(call)
    assert ExitCode.INVALID_FILE == ran.code
    assert "no space left on device" in ran.err
    calls = [one for one in sandbox.log if one["method"] == "PUT"]
    assert len(calls) == sent.count("intent")
    assert ExitCode.OK == apply(call, "--resume", "j").code
    assert len(plan.operations) == len(sandbox.effects)
    assert ExitCode.OK == call("journal", "check", "j").code


def test_the_undo_plan_is_there_before_the_first_change(call: Call, sandbox: Sandbox, plan: Plan) -> None:
    """A run that was killed between its first line and its undo plan writes that when it goes on."""
    header = {"plan": plan.digest, "plan_file": str(Path("plan.json").resolve())}
    Journal.begin(Path("j"), header, lambda: "2026-11-22T12:00:00Z").close()
    before = holdings(sandbox)
    assert ExitCode.OK == apply(call, "--resume", "j").code
    kinds = [json.loads(line)["kind"] for line in Path("j").read_text(encoding="utf-8").splitlines()]
    assert kinds.index("undo") < kinds.index("intent")
    undo = Path("j.undo-plan.json")
    ran = call("apply", undo, "--digest", load(undo).digest, "--yes", "--quiet")
    assert ExitCode.OK == ran.code, ran.err
    assert before == holdings(sandbox)


def test_there_is_a_way_back_when_the_plan_has_expired(
    call: Call, sandbox: Sandbox, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call is open, and the plan too old to resume: undo names the plan beside the journal, which works."""
    before = holdings(sandbox)
    with room_for(4, monkeypatch) as sent:
        apply(call)
    assert "intent" == sent[-1]
    assert before != holdings(sandbox)
    with monkeypatch.context() as later:
        later.setattr(apply_command, "now", lambda: "2099-01-01T00:00:00Z")
        assert ExitCode.REFUSED == apply(call, "--resume", "j").code
    ran = call("undo", "j", "--out", "undo.json")
    assert ExitCode.REFUSED == ran.code
    assert "j.undo-plan.json" in ran.err
    undo = Path("j.undo-plan.json")
    assert ExitCode.OK == call("apply", undo, "--digest", load(undo).digest, "--yes", "--quiet").code
    assert before == holdings(sandbox)


def verified(call: Call) -> tuple[int, str]:
    ran = call("verify", "--plan", "plan.json", "--out", "v")
    return ran.code, ran.err


def test_sabotage_between_apply_and_verify_is_told(call: Call, sandbox: Sandbox, plan: Plan) -> None:
    """Taken, added, exchanged, a user deleted and a role rewritten: each is told, and each by its name."""
    assert ExitCode.OK == apply(call).code
    assert "AS PLANNED" in verified(call)[1]
    rows = [each.assignment for each in plan.operations]
    users = [each for each in rows if each.role_id == ML_USER]
    folders = [each for each in rows if each.folder_id]
    take(sandbox, users[0])
    sandbox.account.assignments.append(as_sandbox(replace(users[1], role_id=ADMIN)))
    take(sandbox, folders[0])
    sandbox.account.assignments.append(as_sandbox(replace(folders[0], role_id=MANAGER)))
    code, said = verified(call)
    assert ExitCode.FINDINGS == code
    assert "10 as planned, 2 missing, 2 extra" in said
    assert "Admin" in said
    assert "Manager" in said

    gone = users[2].principal.id
    del sandbox.account.users[gone]
    for row in list(sandbox.account.assignments.rows(principal=("user", gone))):
        sandbox.account.assignments.remove(row)
    for party in list(sandbox.account.groups_of(gone)):
        del party.member_ids[gone]
    viewer, manager = sandbox.account.roles[VIEWER], sandbox.account.roles[MANAGER]
    sandbox.account.roles[VIEWER] = replace(viewer, policy_ids=manager.policy_ids)
    code, said = verified(call)
    assert ExitCode.FINDINGS == code
    assert "it is not in the account any more" in said
    assert "the catalog" in said


@pytest.mark.parametrize("sandbox", [Knobs(stale_reads=3)], indirect=True)
def test_yesterday_is_waited_out(call: Call, sandbox: Sandbox, plan: Plan) -> None:
    """Caches show what was there before for some readings: that is neither missing nor done twice."""
    assert ExitCode.OK == apply(call).code
    assert len(plan.operations) == len(sandbox.effects)
    assert "AS PLANNED" in verified(call)[1]
