"""The whole journey over a real socket: from a snapshot to a signed, applied and verified move, and back.

`PERMMIGRATE_JOURNEY=medium` walks it with the medium account: 1,500 people, 44,376 operations in five waves,
some three minutes of one processor, a third of them for the comparison's report. There Cedar is asked two of
a thousand questions: each principal some, and each capability about a hundred times.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from permmigrate.errors import ExitCode
from permmigrate.mapping.tables import load as load_tables
from permmigrate.plan.file import load as load_plan
from permmigrate.resources import mappings_dir
from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.server import serving
from permmigrate.snapshot.file import load
from sandbox_variables import variables
from served_journey import answers, applied, approve, go, headline, holdings, wanted

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("compared_once")]
SIZE = os.environ.get("PERMMIGRATE_JOURNEY", "small")
ASKED = {"small": 0.04, "medium": 0.002}[SIZE]
"""The share of all questions that Cedar is asked."""


@pytest.fixture(scope="module")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, remembering: Callable[[pytest.MonkeyPatch], None]
) -> Path:
    """A folder with the legacy snapshot, the comparison, the decisions and the plan."""
    place, sandbox = tmp_path_factory.mktemp("prepared"), Sandbox(account=SIZE, seed=1)
    sandbox.write_shares(place / "shares.csv")
    with serving(sandbox) as url, pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        remembering(patch)
        patch.setenv("CLOUDINARY_API_URL", url)
        for name, value in variables(sandbox, url).items():
            patch.setenv(name, value)
        taken = ("snapshot", "--out", "legacy.snapshot", "--shares", "shares.csv")
        assert ExitCode.OK == go(*taken, "--keep-unknown", "--quiet")
        assert ExitCode.OK == go("diff", "legacy.snapshot", "--out", "reports", "--format", "json")
        assert ExitCode.OK == go("signoff", "split", "reports/diff.json", "--out", "signoff")
        approve(place / "signoff" / "unassigned.xlsx")
        merge = ("signoff", "merge", "reports/diff.json", "signoff/unassigned.xlsx")
        assert ExitCode.OK == go(*merge, "--out", "signoff.json")
        plan = ("plan", "make", "legacy.snapshot", "--out", "plan.json", "--signoff", "signoff.json")
        assert ExitCode.OK == go(*plan, "--max-admin-promotions", 5, "--allow-incomplete")
    return place


@pytest.fixture
def served(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The same account as it was, on a socket, its credentials in the environment, and the plan at hand."""
    sandbox = Sandbox(account=SIZE, seed=1)
    for name in ("legacy.snapshot", "plan.json"):
        shutil.copy(prepared / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    with serving(sandbox) as url:
        for name, value in variables(sandbox, url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CLOUDINARY_API_URL", url)
        yield sandbox


def test_a_move_is_signed_applied_verified_and_taken_back(served: Sandbox) -> None:
    """After apply Cedar decides as the comparison said and nothing is left to plan; undo restores all."""
    before = holdings(served)
    engine = wanted(load(Path("legacy.snapshot")), load_tables(mappings_dir()))
    early = ("verify", "--plan", "plan.json", "--out", "early", "--live", "legacy.snapshot")
    assert ExitCode.FINDINGS == go(*early)
    with pytest.raises(AssertionError):  # the question can be answered wrongly
        answers(served, engine, spots=1, share=ASKED)

    assert ExitCode.OK == applied("plan.json")
    against = ("--against", "legacy.snapshot") if SIZE == "small" else ()
    assert ExitCode.OK == go("verify", "--plan", "plan.json", *against, "--out", "evidence")
    assert "AS PLANNED" == headline("evidence")
    names = {path.name for path in Path("evidence").iterdir()}
    assert {"verify.html", "verify.xlsx", "live.snapshot"} <= names
    assert bool(against) == ({"diff.html", "diff.xlsx", "diff.json"} <= names)
    asked = answers(served, engine, spots=1, share=ASKED)
    assert asked["allowed"] > 500
    assert asked["denied"] > 500

    again = ("plan", "make", "legacy.snapshot", "--assigned", "evidence/live.snapshot", "--out", "again.json")
    assert ExitCode.OK == go(*again, "--allow-incomplete")
    assert () == load_plan(Path("again.json")).operations

    assert ExitCode.OK == go("undo", "plan.json.journal", "--out", "undo.json")
    assert ExitCode.OK == applied("undo.json")
    assert before == holdings(served)


def test_one_principal_and_then_one_wave_after_the_other(served: Sandbox) -> None:
    """Each part is verified by itself, a later wave waits for those before it, and all of it comes undone."""
    before = holdings(served)
    plan = load_plan(Path("plan.json"))
    who, waves = plan.operations[-1].principal, [wave.number for wave in plan.waves]
    assert who is not None
    assert len(waves) > 1
    assert ExitCode.REFUSED == applied("plan.json", "--wave", 2, "--journal", "early.journal")
    assert not Path("early.journal").exists()
    assert ExitCode.OK == applied("plan.json", "--only", who, "--journal", "one.journal")
    assert {(who.type.value, who.id)} == {row[:2] for row in holdings(served) - before}
    for wave in waves:
        assert ExitCode.OK == applied("plan.json", "--wave", wave, "--journal", f"{wave}.journal")
        assert ExitCode.OK == go("verify", "--plan", "plan.json", "--wave", wave, "--out", f"{wave}")

    for name in (*map(str, reversed(waves)), "one"):
        assert ExitCode.OK == go("undo", f"{name}.journal", "--out", f"{name}.json")
        assert ExitCode.OK == applied(f"{name}.json")
    assert before == holdings(served)
