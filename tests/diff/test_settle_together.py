"""Settling asks as much for many people and places that are alike as for a few."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from builders import ROOT, a_user, environment, folder, group, share, snapshot, user
from permmigrate.diff.compare import compare
from permmigrate.diff.solve_ask import Asker
from permmigrate.diff.value import Diff, Verdict
from permmigrate.mapping.tables import load
from permmigrate.model import CustomPolicy, EnvironmentId, ScopeType

OUT = CustomPolicy(
    "c1",
    "Out",
    "",
    ScopeType.ENVIRONMENT,
    "env1",
    'permit(principal == Cloudinary::Group::"g1", action == Cloudinary::Action::"move", '
    'resource is Cloudinary::Asset) when { context has direction && context.direction == "out" };',
)
TABLES = load(ROOT / "mappings")


def compared(people: int) -> Diff:
    """Each of some people manages a folder where legacy access did not reach; a policy is for all of them."""
    elsewhere = EnvironmentId("env2")
    ids = [f"u{number:02}" for number in range(people)]
    made = snapshot(
        environments=(environment("env1"), environment("env2")),
        users=tuple(user(one, all_environments=False, environment_ids=(elsewhere,)) for one in ids),
        groups=(group("g1", *ids),),
        folders=tuple(folder(f"Of {one}") for one in ids),
        shares=tuple(share(f"Of {one}", a_user(one), "can_manage", line=at) for at, one in enumerate(ids, 2)),
        custom_policies=(OUT,),
    )
    return compare(made, TABLES, today=date(2026, 11, 22), tool_version="0")


def test_many_alike_are_asked_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them gains the same at the own folder, by a request of whoever it is shown for."""
    asked: list[object] = []
    outcome = Asker.outcome

    def counted(self: Asker, *question: Any) -> object:
        asked.append(question)
        return outcome(self, *question)

    monkeypatch.setattr(Asker, "outcome", counted)
    few = compared(2)
    questions = len(asked)
    many = compared(9)

    assert 0 < questions == len(asked) - questions
    for people, diff in ((2, few), (9, many)):
        settled = [one for one in diff.findings if "it is so for some requests" in one.reason]
        assert people == len({one.region.content_id for one in settled})
        assert {Verdict.GAINED} == {one.verdict for one in settled}
        for one in settled:
            assert one.witness is not None
            assert one.principal.id in one.witness.principal
            assert [one.region.content_id] == one.witness.attributes["ancestor_ids"]
