"""Read-only is a law: no command but `apply` sends a call that may write, whatever its options.

Commands and options are those of the command line itself, so none can be forgotten. Every client that a
command opens is moreover made to try each of the vendor's writes, and the guard has to hold; taken out, the
same test has to fail. Calls are counted where they leave the program.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import httpx
import pytest

from applying import grants, operations, plan_of
from builders import snapshot as tiny_snapshot
from builders import user
from command_line import Ran
from permmigrate.apply.journal import Journal
from permmigrate.cli import cli
from permmigrate.cloudinary import writing
from permmigrate.cloudinary.transport import ReadOnlyTransport
from permmigrate.errors import RefusedError
from permmigrate.plan import Kind
from permmigrate.plan.file import dump
from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.server import serving
from permmigrate.snapshot import file as snapshot_file
from sandbox_variables import variables

pytestmark = pytest.mark.usefixtures("compared_once")
Call = Callable[..., Ran]
WRITING = ("apply",)
ENDLESS = ("sandbox", "serve")
DEMO = ("demo",)
"""Run once and dry: it calls a sandbox of its own, to which it applies a plan (`test_cli_journey`)."""
READS = ("/principal_roles/inspect", "/folders/search", "/folders/descendants", "/public/validate")


class Wire:
    """What left the program, and the writes that were tried on purpose."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        """Method, scheme, host and path."""
        self.refused = 0

    @property
    def writes(self) -> list[str]:
        return [call for call in self.sent if not call.startswith("GET ") and not call.endswith(READS)]

    def to(self, url: str) -> list[str]:
        return [call for call in self.sent if call.split(" ", 1)[1].startswith(url)]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Watch the network, and let every client try to write before its first call."""
    seen, tried = Wire(), set()
    leave, send = httpx.HTTPTransport.handle_request, httpx.Client.send

    def watched(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        seen.sent.append(f"{request.method} {request.url.copy_with(query=None)}")
        return leave(self, request)

    def eager(self: httpx.Client, request: httpx.Request, **named: Any) -> httpx.Response:
        if id(self) not in tried:
            tried.add(id(self))
            for endpoint in writing.ENDPOINTS:
                method, path = endpoint.replace("{", "").replace("}", "").split(" ", 1)
                try:
                    send(self, self.build_request(method, path, headers=request.headers, json={}), **named)
                except RefusedError:
                    seen.refused += 1
        return send(self, request, **named)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", watched)
    monkeypatch.setattr(httpx.Client, "send", eager)
    return seen


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder with one of everything that commands read, and a sandbox in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("permmigrate.verify.settle.PAUSES", (0.0,))
    sandbox = Sandbox()
    with serving(sandbox) as url:
        for name, value in variables(sandbox, url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CLOUDINARY_API_URL", url)
        snapshot_file.dump(tiny_snapshot(users=(user("u1"), user("u2", "admin"))), Path("one.snapshot"))
        plan = plan_of(sandbox, operations(Kind.ASSIGN, grants(sandbox, 3)))
        dump(plan, Path("plan.json"))
        fields = {"plan": plan.digest, "plan_file": str(Path("plan.json").resolve())}
        Journal.begin(Path("move.journal"), fields, lambda: "2026-11-22T12:00:00Z").close()
        Path("shares.csv").write_text(
            "environment,content_type,content,content_name,principal_type,principal,level\n"
        )
        Path("salt").write_text("0123456789abcdef0123456789abcdef")
        yield tmp_path


def leaves(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that can be called, by its words."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        if command.invoke_without_command:
            yield path, command
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from leaves(found, (*path, name))
    else:
        yield path, command


def is_online(command: click.Command) -> bool:
    """Whether it may call the account: then one can say where that is."""
    return any(parameter.name == "api_url" for parameter in command.params)


COMMANDS = [
    pytest.param(path, command, id=" ".join(path))
    for path, command in leaves(cli)
    if path[0] not in WRITING and path not in (ENDLESS, ("import",))
]
ONLINE = [each for each in COMMANDS if is_online(each.values[1])]
NEEDED = {
    ("snapshot",): ["--out", "new.snapshot"],
    ("verify",): ["--plan", "plan.json"],
    DEMO: ["--dry-run"],
}
"""What a command is always given, though no option says that it must be."""
VALUES = {
    "snapshot": "one.snapshot",
    "before": "one.snapshot",
    "after": "one.snapshot",
    "source": "one.snapshot",
    "in": "one.snapshot",
    "assigned": "one.snapshot",
    "live": "one.snapshot",
    "against": "one.snapshot",
    "plan": "plan.json",
    "journal": "move.journal",
    "file": "move.journal",
    "shares": "shares.csv",
    "salt-file": "salt",
    "api-url": "",
    "rate-share": "0.7",
    "latency": "1ms",
    "today": "2026-11-22",
    "principal": "user:u1",
    "action": "read",
    "resource": "Asset",
    "words": "upload",
    "head": "0" * 64,
    "seed": "2",
    "account": "small",
}


def value(parameter: click.Parameter, path: tuple[str, ...], api_url: str) -> str:
    """Something that fits a parameter, as far as its name and type tell."""
    name = parameter.opts[0].lstrip("-")
    if name == "api-url":
        return api_url
    if name in VALUES:
        return VALUES[name]
    match parameter.type:
        case click.Choice() as choice:
            return str(next(iter(choice.choices)))
        case click.IntRange() as bounds:
            return str(bounds.min if bounds.min is not None else 1)
        case click.types.IntParamType():
            return "1"
        case click.Path() as place if place.dir_okay and not place.file_okay:
            return f"folder-{name}"
        case click.Path():
            ending = {("import", "template"): "xlsx", ("sandbox", "shares"): "csv"}.get(path, "json")
            return f"new-{name}.{ending}"
        case _:
            return "x"


def invocations(path: tuple[str, ...], command: click.Command, api_url: str) -> Iterator[list[str]]:
    """The command with what it needs, with each option alone if it goes online, and with all of them."""
    needed = list(NEEDED.get(path, ()))
    options: list[list[str]] = []
    for parameter in command.params:
        given = [value(parameter, path, api_url)]
        if isinstance(parameter, click.Argument):
            needed += given if parameter.required else []
            continue
        named = [parameter.opts[0], *([] if parameter.is_flag else given)]
        if parameter.required:
            needed += named
        elif named[0] not in needed:
            options.append(named)
    yield [*path, *needed]
    if is_online(command):
        for option in options:
            yield [*path, *needed, *option]
    if path != DEMO:
        yield [*path, *needed, *(word for option in options for word in option)]


def obey(call: Call, wire: Wire, path: tuple[str, ...], command: click.Command) -> list[Ran]:
    """Run a command in every way; raises AssertionError when anything left that may write.

    Only a command that can be told where the account is may call it at all.
    """
    ran, url = [], os.environ["CLOUDINARY_API_URL"]
    for arguments in invocations(path, command, url):
        for spool in Path.cwd().glob("**/*.spool"):
            spool.unlink()
        ran.append(call(*arguments))
        assert [] == wire.writes, arguments
        assert is_online(command) or [] == (wire.to(url) if path == DEMO else wire.sent), arguments
    return ran


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_no_command_but_apply_writes(
    call: Call, wire: Wire, here: Path, path: tuple[str, ...], command: click.Command
) -> None:
    """With what it needs, with each option of its help, with all of them: nothing leaves that may write."""
    ran = obey(call, wire, path, command)
    if is_online(command):
        assert {0, 4, 5} >= {one.code for one in ran[:1]}, ran[0].err
        assert wire.sent
        assert wire.refused >= len(writing.ENDPOINTS)


@pytest.mark.parametrize(("path", "command"), ONLINE)
def test_without_the_guard_the_law_is_broken(
    call: Call,
    wire: Wire,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: tuple[str, ...],
    command: click.Command,
) -> None:
    """The same test fails when the transport lets everything through: it is the guard that it sees."""
    monkeypatch.setattr(
        ReadOnlyTransport, "handle_request", lambda self, request: self._inner.handle_request(request)
    )
    with pytest.raises(AssertionError, match=path[-1]):
        obey(call, wire, path, command)
