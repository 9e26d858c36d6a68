"""A doctor's visit over real sockets: what it finds well, what it finds ill, and what it never tells."""

from __future__ import annotations

import datetime
import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from vendor_examples import Answer, vendor_examples

from permmigrate.cloudinary.diagnosis import Check, Diagnosis, Finding, document
from permmigrate.cloudinary.doctor import examine
from permmigrate.cloudinary.probe import Clock
from permmigrate.cloudinary.sources import find
from permmigrate.cloudinary.transport import open_client
from permmigrate.sandbox import CANARY, Knobs, Sandbox
from permmigrate.sandbox.server import serving
from sandbox_variables import variables

NOWHERE = Path("/nowhere")


def visit(url: str, env: dict[str, str], **options: Any) -> Diagnosis:
    """Examine what the variables open at an address."""
    found = find(env, folder=NOWHERE, home=NOWHERE, api_url=url)
    with open_client(url) as client:
        return examine(found, client, **options)


def of_sandbox(sandbox: Sandbox, env: dict[str, str] | None = None, **options: Any) -> Diagnosis:
    with serving(sandbox) as url:
        return visit(url, env or variables(sandbox), **options)


def ill(diagnosis: Diagnosis) -> list[tuple[str, str, str]]:
    return [
        (check.area, check.subject, check.finding.value)
        for check in diagnosis.checks
        if check.finding is not Finding.OK
    ]


def one(diagnosis: Diagnosis, subject: str) -> Check:
    return next(check for check in diagnosis.checks if check.subject == subject)


@pytest.mark.parametrize("state", ["legacy", "migrated"])
def test_a_healthy_account(state: str) -> None:
    """Everything answers, every part is named, and a snapshot would be whole."""
    sandbox = Sandbox("small", state=state)

    found = of_sandbox(sandbox)

    assert [] == ill(found)
    assert found.ready
    assert sandbox.account_id == found.account_id
    assert {
        "Provisioning API": "answers",
        "Permissions API": "answers",
        "Admin API": "answers",
        "folder roles": "answers",
    } == {feature.name: feature.answer for feature in found.features}
    assert "40 users" == one(found, "users").detail
    assert {"legacy": "legacy", "migrated": "new"}[state] == found.system.answer
    assert "inferred" == found.system.confidence
    assert "Role Management" in found.system.official_test


@pytest.mark.parametrize(("account", "at_most"), [("small", 20), ("medium", 30)])
def test_it_only_reads_and_says_how_often(account: str, at_most: int) -> None:
    """Few calls, each a read, as many as it says, none to an asset and none twice."""
    sandbox = Sandbox(account)

    found = of_sandbox(sandbox)

    asked = [
        (record["method"], record["path"], json.dumps(record["query"], sort_keys=True))
        for record in sandbox.log
    ]
    assert len(asked) == found.calls <= at_most
    assert len(asked) == len(set(asked))
    assert {"GET"} == {method for method, path, _ in asked if not str(path).endswith("/folders/descendants")}


def test_a_host_that_does_not_answer_gets_no_credentials() -> None:
    """Nobody listening: one call, nothing else is tried."""
    sandbox = Sandbox("small")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"

    found = visit(url, variables(sandbox))

    assert 1 == found.calls
    assert not found.ready
    assert Finding.FAILED is one(found, "public catalog").finding
    assert 3 == found.count(Finding.UNCHECKED)
    assert found.budget is None
    assert "unknown" == found.system.answer


@contextmanager
def page(status: int, body: bytes, seen: list[str]) -> Iterator[str]:
    """A server that answers everything with one page and keeps the headers it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(str(self.headers))
            self.send_response(status)
            self.send_header("Location", "https://login.example/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>Sign in</html>"), (302, b""), (200, b"[1]")])
def test_a_wrong_host_gets_no_credentials(status: int, body: bytes) -> None:
    """A login page, a redirect or somebody else's JSON in the service's place is not told our secrets."""
    seen: list[str] = []
    with page(status, body, seen) as url:
        found = visit(url, variables(Sandbox("small")))

    assert Finding.FAILED is one(found, "public catalog").finding
    assert "" != one(found, "public catalog").remedy
    assert 1 == len(seen)
    assert "Authorization" not in "".join(seen)


def test_a_wrong_account_secret_is_one_failure() -> None:
    """A 401 is told once, by the name of the variable; the environments are looked at all the same."""
    sandbox = Sandbox("small", state="migrated")
    env = variables(sandbox) | {"CLOUDINARY_ACCOUNT_URL": sandbox.account_url().replace("@", "x@")}

    found = of_sandbox(sandbox, env)

    failed = [check for check in found.checks if check.finding is Finding.FAILED]
    assert [(401, "product environments")] == [(check.status, check.subject) for check in failed]
    assert "CLOUDINARY_ACCOUNT_URL" in failed[0].detail + failed[0].remedy
    assert Finding.OK is one(found, "meridian-prod").finding
    assert "not asked" == found.features[1].answer
    assert found.budget is None
    assert "unknown" == found.system.answer


def test_a_wrong_environment_secret_names_its_variable() -> None:
    """One environment's key is refused, the rest is fine."""
    sandbox = Sandbox("small")
    env = variables(sandbox)
    env["CLOUDINARY_URL_2"] = env["CLOUDINARY_URL_2"].replace("@", "x@")

    found = of_sandbox(sandbox, env)

    assert [("Admin API", "Meridian Staging", "failed")] == ill(found)
    assert "CLOUDINARY_URL_2" in one(found, "Meridian Staging").detail
    assert "answers in part" == found.features[2].answer


def test_a_key_with_few_rights_is_told_what_it_lacks() -> None:
    """The audit key reads people and roles; what it may not read is a failure with its remedy."""
    sandbox = Sandbox("small", state="migrated")
    sandbox.cut_over()
    key = sandbox.audit_key
    url = f"account://{key.id}:{quote(key.secret)}@{sandbox.account_id}"

    found = of_sandbox(sandbox, variables(sandbox) | {"CLOUDINARY_ACCOUNT_URL": url})

    refused = [check for check in found.checks if check.finding is Finding.FAILED]
    assert refused
    assert {403} == {check.status for check in refused}
    assert all("role" in check.remedy for check in refused)
    assert Finding.OK is one(found, "users").finding
    assert not found.ready


def test_missing_keys_are_named_with_what_to_set() -> None:
    """An environment without a key, and an account without one, are missing and not failed."""
    sandbox = Sandbox("small")
    env = variables(sandbox)
    del env["CLOUDINARY_URL_2"]

    found = of_sandbox(sandbox, env)

    assert [("Admin API", "Meridian Staging", "missing")] == ill(found)
    assert "meridian-staging" in one(found, "Meridian Staging").remedy

    only = {name: value for name, value in variables(sandbox).items() if name.startswith("CLOUDINARY_URL")}
    without = of_sandbox(sandbox, only)
    assert [
        ("credentials", "account key", "missing"),
        ("Provisioning API", "all of it", "not checked"),
        ("Permissions API", "all of it", "not checked"),
    ] == ill(without)
    assert ["not asked", "not asked", "answers", "answers"] == [one.answer for one in without.features]
    assert Finding.OK is one(without, "meridian-prod").finding
    assert without.account_id is None


def test_a_key_of_another_account_is_noted_and_not_used() -> None:
    """A saved key for a cloud of somebody else is never sent."""
    sandbox = Sandbox("small")
    env = variables(sandbox) | {"CLOUDINARY_URL_9": "cloudinary://k:canary@elsewhere"}

    found = of_sandbox(sandbox, env)

    assert [("Admin API", "elsewhere", "note")] == ill(found)
    assert found.ready
    assert not any("elsewhere" in str(record["path"]) for record in sandbox.log)


@pytest.mark.parametrize(("minutes", "word"), [(10, "ahead of"), (-10, "behind"), (0, "within")])
def test_the_clock_is_held_against_the_services(minutes: int, word: str) -> None:
    """A clock that is off is a warning; a snapshot works all the same."""

    def now() -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)

    found = of_sandbox(Sandbox("small"), clock=Clock(now=now))

    assert word in one(found, "clock").detail
    assert (Finding.WARNING if minutes else Finding.OK) is one(found, "clock").finding
    assert found.clock_ahead is not None
    assert abs(found.clock_ahead - minutes * 60) < 2
    assert found.ready


def test_allowances_are_told_and_the_waiting_is_reckoned() -> None:
    """With 60 calls an hour and half of them ours, the rest of a snapshot waits for the next hours."""
    real = Sandbox(
        "small", knobs=Knobs(rate_limit=(60, 3600)), now=lambda: datetime.datetime.now(datetime.UTC)
    )

    found = of_sandbox(real, share=0.5)

    assert {"public", "provisioning", "permissions", "admin meridian-prod", "admin meridian-staging"} == {
        allowance.lane for allowance in found.allowances
    }
    assert {60} == {allowance.limit for allowance in found.allowances}
    assert all(3500 < (allowance.resets_in or 0) <= 3600 for allowance in found.allowances)
    assert found.budget is not None
    assert 0 == found.budget.waiting

    tight = of_sandbox(real, share=0.1)
    assert tight.budget is not None
    assert tight.budget.waiting > 3500


def test_a_spent_allowance_is_a_failure_that_says_wait() -> None:
    """A 429 is not asked again, and is told as what it is."""
    sandbox = Sandbox("small", knobs=Knobs(rate_limit=(2, 3600)))

    found = of_sandbox(sandbox)

    throttled = [check for check in found.checks if check.status in (420, 429)]
    assert throttled
    assert all("wait" in check.remedy for check in throttled)
    assert found.calls == len(sandbox.log)


def test_a_service_that_stumbles_is_asked_once_more() -> None:
    """A 500 now and then does not spoil the visit."""
    assert of_sandbox(Sandbox("small", knobs=Knobs(fail_nth=5))).ready


def instead(template: str, status: int, body: Any = b"{") -> Callable[..., Answer | None]:
    return lambda found, *_: (status, body, {}) if found == template else None


PERMISSIONS = "/v2/accounts/{account_id}/permissions"
ENV = {
    "CLOUDINARY_ACCOUNT_URL": "account://11122233344:canary-account@acc1",
    "CLOUDINARY_URL": "cloudinary://123456789012345:canary-admin@product1",
    "CLOUDINARY_URL_2": "cloudinary://123456789012346:canary-admin2@product2",
}


@pytest.mark.parametrize("status", [403, 404, 500, 200])
@pytest.mark.parametrize(
    "template",
    [
        "/v1_1/provisioning/accounts/{account_id}/sub_accounts",
        "/v1_1/provisioning/accounts/{account_id}/users",
        "/v1_1/provisioning/accounts/{account_id}/user_groups",
        "/v1_1/provisioning/accounts/{account_id}/sub_accounts/{sub_account_id}/access_keys",
        f"{PERMISSIONS}/roles",
        f"{PERMISSIONS}/policies/custom",
        f"{PERMISSIONS}/principal_roles/inspect",
        "/v2/accounts/permissions/public/catalog",
        "/v2/accounts/permissions/public/schema",
    ],
)
def test_each_endpoint_that_is_refused_or_broken_is_told(template: str, status: int) -> None:
    """Whatever an endpoint answers instead: it is a failure with a remedy, and the visit goes on."""
    with vendor_examples(instead(template, status)) as (base, _):
        found = visit(base, ENV)

    failed = [check for check in found.checks if check.finding is Finding.FAILED]
    assert [f"GET {template}"] == sorted({check.endpoint for check in failed})
    assert all(check.remedy for check in failed)
    assert not found.ready


def test_the_vendors_own_examples_pass() -> None:
    """The specification's examples are a healthy account on which people hold roles."""
    with vendor_examples() as (base, _):
        found = visit(base, ENV)

    assert [] == [entry for entry in ill(found) if entry[2] in ("failed", "missing")]
    assert "new" == found.system.answer


def test_without_the_folder_roles_endpoint_a_snapshot_is_still_whole() -> None:
    """What a snapshot does not need is a note, and another feature that does not answer."""
    with vendor_examples() as (base, requests):
        found = visit(base, ENV)

    assert any("/folder_operations/invite/" in request for request in requests)
    assert (Finding.NOTE, 404) == (one(found, "one folder").finding, one(found, "one folder").status)
    assert ("folder roles", "not there") == (found.features[-1].name, found.features[-1].answer)
    assert found.ready


def test_every_line_that_is_not_fine_says_what_to_do() -> None:
    """No check without a remedy, whatever went wrong."""
    sandbox = Sandbox("small", knobs=Knobs(rate_limit=(12, 3600)))
    env = variables(sandbox) | {"CLOUDINARY_URL_9": "cloudinary://k:canary@elsewhere"}

    found = of_sandbox(sandbox, env)

    assert all(bool(check.remedy) == (check.finding is not Finding.OK) for check in found.checks)


def test_no_secret_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Not in a value, not in the document, not in a log; not even when the service repeats it to us."""
    caplog.set_level(logging.DEBUG)
    sandbox = Sandbox("small")
    told = [of_sandbox(sandbox)]
    echo = {"error": {"message": "no canary-account and no canary-admin here"}}
    with vendor_examples(lambda *_: (400, echo, {})) as (base, _):
        told.append(visit(base, ENV))

    text = "".join(repr(found) + json.dumps(document(found, "0")) for found in told) + caplog.text
    assert CANARY not in text
    assert "canary" not in text


def test_the_document_is_json_with_the_same_numbers() -> None:
    """What the command prints for programs."""
    found = of_sandbox(Sandbox("small"))
    written = json.loads(json.dumps(document(found, "1.2.3")))

    assert found.budget is not None
    assert (1, "1.2.3", True, found.calls, found.budget.calls) == (
        written["schema"],
        written["tool_version"],
        written["ready"],
        written["calls_made"],
        written["budget"]["calls"],
    )
    assert found.budget.calls == sum(line["calls"] for line in written["budget"]["endpoints"])
    assert [check.subject for check in found.checks] == [check["subject"] for check in written["checks"]]
