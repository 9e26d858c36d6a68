"""Whether what a grant makes may show in a region: surely not, or it must be thought of."""

from __future__ import annotations

import pytest

from builders import folder, snapshot
from permmigrate.diff.value import Region, RegionKind
from permmigrate.model import RoleAssignment
from permmigrate.plan.rejected import Places
from plan_builders import assigned, user

PLACES = Places(snapshot(folders=(folder("A"), folder("A/B"), folder("AB"))))
ACCOUNT = Region(RegionKind.ACCOUNT, "", "", "the account")
WHOLE = Region(RegionKind.ENVIRONMENT, "env1", "", "Env1")
COLLECTION = Region(RegionKind.COLLECTION, "env1", "c-1", "Summer")
WHO = user("u-1")


def on(path: str, environment: str = "env1") -> Region:
    return Region(RegionKind.FOLDER, environment, "f:" + path.replace("/", ":"), path)


def held(scope: str | None = "env1", **content: str) -> RoleAssignment:
    return assigned(WHO, "r-1", scope, **content)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "region", "expected"),
    [
        (held(None), ACCOUNT, True),
        (held(None), WHOLE, False),
        (held(), ACCOUNT, False),
        (held(), WHOLE, True),
        (held("env2"), WHOLE, False),
        (held("all"), WHOLE, True),
        (held("all"), on("A", "env2"), True),
        (held(), on("A"), True),
        (held(), COLLECTION, True),
        (held(folder="f:A"), WHOLE, True),
        (held(folder="f:A"), on("A"), True),
        (held(folder="f:A"), on("A/B"), True),
        (held(folder="f:A:B"), on("A"), True),
        (held(folder="f:A"), on("AB"), False),
        (held(folder="f:A"), on("A", "env2"), False),
        (held(folder="f:A"), on("nowhere"), True),
        (held(folder="f:A"), COLLECTION, False),
        (held(collection="c-1"), COLLECTION, True),
        (held(collection="c-2"), COLLECTION, False),
        (held(collection="c-1"), on("A"), False),
    ],
)
def test_a_grant_and_a_region_touch_unless_they_surely_do_not(
    row: RoleAssignment, region: Region, expected: bool
) -> None:
    """One lies in the other, or nobody knows."""
    assert expected == PLACES.touch(row, region)
