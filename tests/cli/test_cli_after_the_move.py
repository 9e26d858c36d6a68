"""After the vendor's own move: keys are narrowed by a role of one's own, and what is too much is cut back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from permmigrate.errors import ExitCode
from permmigrate.model import PrincipalType
from permmigrate.plan import Kind
from permmigrate.plan.file import load as load_plan
from permmigrate.resources import mappings_dir
from permmigrate.sandbox import Resource, Sandbox
from permmigrate.sandbox.server import serving
from sandbox_variables import variables
from served_journey import applied, go, headline, holdings

pytestmark = pytest.mark.usefixtures("compared_once")
ROLE = "Uploads from the website"
CUSTOM = f"role,level,policies,description,source,confidence,note\n{ROLE},environment,{{}},,us,customer,\n"
KEYS = f"website*,*,any,role,new-role/{ROLE},each_environment,us,customer,it only uploads\n"
POLICY = "cld::policy::global::ml::access"


def tables(place: Path, override: str) -> None:
    """The shipped tables with a role for the website's keys, and an exception for one person."""
    shutil.copytree(mappings_dir(), place)
    (place / "custom_roles.csv").write_text(CUSTOM.format(POLICY), encoding="utf-8")
    for name, line in (("api_keys.csv", KEYS), ("overrides.csv", override)):
        head, rest = (place / name).read_text(encoding="utf-8").split("\n", 1)
        (place / name).write_text(f"{head}\n{line}{rest}", encoding="utf-8")


@pytest.fixture(scope="module")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, remembering: Callable[[pytest.MonkeyPatch], None]
) -> Path:
    """A folder with a snapshot of before the vendor's move, and a plan that cuts back what it made."""
    place = tmp_path_factory.mktemp("moved")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        remembering(patch)
        prepare(place, patch)
    return place


def prepare(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    legacy, now = Sandbox(account="small", seed=1), Sandbox(account="small", seed=1, state="migrated")
    legacy.write_shares(place / "shares.csv")
    who = next(user.email for user in legacy.account.users.values() if user.role == "admin")
    tables(
        place / "mine",
        f"user,email,{who},user_role,admin,role,environment/Editor,each_environment,moved,,us,customer,\n",
    )
    for sandbox, words in (
        (legacy, ("legacy.snapshot", "--shares", "shares.csv", "--keep-unknown")),
        (now, ("now.snapshot", "--allow-gaps")),
    ):
        with serving(sandbox) as url, monkeypatch.context() as patch:
            for name, value in (*variables(sandbox, url).items(), ("CLOUDINARY_API_URL", url)):
                patch.setenv(name, value)
            assert ExitCode.OK == go("snapshot", "--quiet", "--out", *words)
            if sandbox is now:
                key = f"provisioningKey:{now.account_key}"
                made = ("plan", "make", "legacy.snapshot", "--assigned", "now.snapshot", "--remove-extra")
                limits = ("--max-removals", 1000, "--max-expansions", 100_000, "--allow-incomplete")
                to = (
                    "--mappings",
                    "mine",
                    "--acting-key",
                    now.account_key,
                    "--protect",
                    key,
                    "--out",
                    "cut.json",
                )
                assert ExitCode.OK == go(*made, *limits, *to)


@pytest.fixture
def moved(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The account as the vendor has moved it, on a socket, its credentials in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("legacy.snapshot", "cut.json"):
        shutil.copy(prepared / name, tmp_path)
    now = Sandbox(account="small", seed=1, state="migrated")
    with serving(now) as url:
        for name, value in (*variables(now, url).items(), ("CLOUDINARY_API_URL", url)):
            monkeypatch.setenv(name, value)
        yield now


@pytest.mark.usefixtures("moved")
def test_the_vendors_move_is_held_to_the_legacy_side_without_a_plan(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The evidence after somebody else's migration: who can do now what they could not, and exit 5."""
    words = ("verify", "--against", "legacy.snapshot", "--out", "theirs", "--fail-on", "high")
    assert ExitCode.FINDINGS == go(*words)
    said = capsys.readouterr().err
    assert "EXPANDS" in said
    assert "assigned cld::role::prodenv::master_admin" in said
    names = {path.name for path in Path("theirs").iterdir()}
    assert names == {"diff.html", "diff.xlsx", "diff.json", "live.snapshot"}


def test_keys_are_narrowed_and_widened_again(moved: Sandbox) -> None:
    """A custom role is made, given in place of Master Admin and verified; the undo plan that was written
    before any of it takes all of it back, the role with it; a second time there is nothing to take back."""
    before, roles = holdings(moved), set(moved.account.roles)
    plan = load_plan(Path("cut.json"))
    kinds = {each.kind for each in plan.operations}
    assert {Kind.CREATE_ROLE, Kind.ASSIGN, Kind.REMOVE} == kinds
    narrowed = {
        each.principal
        for each in plan.operations
        if each.principal and each.principal.type is PrincipalType.API_KEY and each.needs_role
    }
    assert narrowed
    assert ExitCode.OK == applied("cut.json")
    assert ExitCode.OK == go("verify", "--plan", "cut.json", "--out", "evidence")
    assert "AS PLANNED" == headline("evidence")
    (made,) = set(moved.account.roles) - roles
    for who in narrowed:
        (held,) = moved.account.assignments.rows(principal=("apiKey", who.id))
        assert made == held.role_id
        asset = Resource("Asset", "a", {"ancestor_ids": [], "collection_ids": [], "access_control": "public"})
        assert not moved.allowed("apiKey", who.id, held.scope_id, "delete", asset)

    undo = "cut.json.journal.undo-plan.json"
    assert ExitCode.OK == applied(undo)
    assert before == holdings(moved)
    assert roles == set(moved.account.roles)
    assert ExitCode.OK == applied(undo, "--journal", "again.journal")
    assert '"kind":"intent"' not in Path("again.journal").read_text(encoding="utf-8")
    assert before == holdings(moved)
