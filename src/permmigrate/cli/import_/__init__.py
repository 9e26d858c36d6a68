"""`permmigrate import`: a snapshot from the lists that people keep, or their lists added to one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from permmigrate import __version__
from permmigrate.cli.options import FILE, now, say

if TYPE_CHECKING:
    from permmigrate.catalog import Catalog
    from permmigrate.model import LedgerEntry
    from permmigrate.snapshot import Snapshot
    from permmigrate.snapshot.lists.assemble import Assembled


class _ListsOrTemplate(click.Group):
    """`import LIST...` is the command itself; `import template` is the one word that is none of its lists."""

    lists: click.Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:
            raise click.UsageError("Missing argument 'LIST...'.", ctx)
        helped = bool(args) and args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if helped else ["--", *args])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return None, self.lists, args

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return self.lists.collect_usage_pieces(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.lists.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(cls=_ListsOrTemplate, invoke_without_command=True)
def command() -> None:
    """Make a snapshot from lists: users, groups, folders, API keys and shares as people keep them.

    LIST is a CSV, Excel or JSON file; one workbook may hold everything, a sheet a list. Lists are recognised
    by their headers, in any order and many spellings. Every mistake is told at once, with its line or cell.
    With --into the lists are added to a snapshot that was taken before.

    \b
    Example:
      permmigrate import template --out account.xlsx
      permmigrate import --preview account.xlsx
      permmigrate import --out account.snapshot account.xlsx
      permmigrate import --out more.snapshot --into account.snapshot shares.csv
    """


@click.command()
@click.argument("lists", type=FILE, nargs=-1, required=True, metavar="LIST...")
@click.option("--out", type=FILE, help="The snapshot file to write.")
@click.option("--preview", is_flag=True, help="Show what would be read, and write nothing.")
@click.option("--into", type=FILE, metavar="SNAPSHOT", help="Add to this snapshot's people and folders.")
@click.option(
    "--catalog",
    "catalog_file",
    type=FILE,
    metavar="FILE",
    help="Roles and policies from this snapshot or pulled catalog.",
)
@click.option("--api-url", help="Fetch the vendor's public catalog from this host; no login.")
@click.option(
    "--ids-from",
    type=FILE,
    metavar="SNAPSHOT",
    help="Take the ids of people and folders of the same name from this snapshot.",
)
@click.option("--environment", default="", metavar="NAME", help="The environment of rows that name none.")
@click.option(
    "--account", default="", metavar="NAME", help="What reports call it. Default: the first list's."
)
@click.option("--keep-unknown", is_flag=True, help="Keep shares of people or folders that are not there.")
@click.option("--fill-down", is_flag=True, help="An empty environment, folder or person is the one above.")
@click.option("--encoding", metavar="NAME", help="How CSV files are encoded, such as cp1252. Default: UTF-8.")
def lists_command(lists: tuple[Path, ...], out: Path | None, preview: bool, **wishes: Any) -> None:
    """Read the lists and write what they come to."""
    from permmigrate.cli.import_.preview import show

    if out is None and not preview:
        raise click.UsageError("Missing option '--out', or '--preview' to look first.")
    if out is not None and out.resolve() in {path.resolve() for path in lists}:
        raise click.UsageError("'--out' is one of the lists: name another file.")
    made, sheets = _assembled(lists, **wishes)
    if preview:
        show(made, sheets)
    _refuse(made, keep_unknown=wishes["keep_unknown"])
    if preview:
        say("nothing was written; write it with --out account.snapshot instead of --preview")
    elif out is not None:
        _save(made, out)


_ListsOrTemplate.lists = lists_command


@command.command()
@click.option("--out", type=FILE, required=True, help="The .xlsx file to write.")
@click.option(
    "--snapshot", "snapshot_file", type=FILE, help="Offer this account's people, groups and folders."
)
@click.option("--filled", is_flag=True, help="Write in what the snapshot knows, its shares among it.")
def template(out: Path, snapshot_file: Path | None, filled: bool) -> None:
    """Write a workbook to fill in: a sheet for each list, with dropdowns and explained headers.

    \b
    Example:
      permmigrate import template --out account.xlsx
      permmigrate import template --out shares.xlsx --snapshot account.snapshot
    """
    from permmigrate.report.template_workbook import write
    from permmigrate.snapshot.file import load

    if out.suffix.lower() != ".xlsx":
        raise click.UsageError(f"'--out' is a workbook: '{out.stem}.xlsx'.")
    if filled and snapshot_file is None:
        raise click.UsageError("'--filled' needs '--snapshot'.")
    write(out, load(snapshot_file) if snapshot_file else None, filled=filled)
    click.echo(out)
    say(f"next: fill it in, then permmigrate import --preview {out}")


def _assembled(
    lists: tuple[Path, ...],
    *,
    into: Path | None,
    catalog_file: Path | None,
    api_url: str | None,
    ids_from: Path | None,
    environment: str,
    account: str,
    fill_down: bool,
    encoding: str | None,
    keep_unknown: bool,
) -> tuple[Assembled, tuple[Any, ...]]:
    """Read everything that was named, and put it together."""
    from permmigrate.snapshot.file import load
    from permmigrate.snapshot.lists.assemble import Origin, assemble
    from permmigrate.snapshot.lists.files import UTF8
    from permmigrate.snapshot.lists.reading import Reading, read

    if catalog_file and api_url:
        raise click.UsageError("'--catalog' and '--api-url' both name a catalog: give one.")
    reading = Reading(
        fill_down=fill_down, encoding=_known_encoding(encoding) or UTF8, environment=environment
    )
    found = read(lists, reading=reading)
    base = load(into) if into else None
    name = account or (base.account_id if base else lists[0].stem)
    catalog, line = _catalog(catalog_file, api_url, name)
    origin = Origin(name, now(), __version__, api_url or "", catalog, line)
    made = assemble(found, origin, base=base, ids_from=load(ids_from) if ids_from else None)
    return made, tuple(found.sheets)


def _known_encoding(name: str | None) -> str | None:
    import codecs

    try:
        return codecs.lookup(name).name if name else None
    except LookupError:
        raise click.BadParameter(f"'{name}' is no encoding; try cp1252.", param_hint="--encoding") from None


def _catalog(
    file: Path | None, api_url: str | None, account: str
) -> tuple[Catalog | None, LedgerEntry | None]:
    """The catalog that was asked for, and its line in the ledger; neither when none was."""
    from permmigrate.model import LedgerEntry, ReadStatus

    if file is None and api_url is None:
        return None, None
    if file is not None:
        from permmigrate.snapshot.catalogfile import load_catalog
        from permmigrate.snapshot.lists.catalogs import fitting

        there = load_catalog(file)
        catalog, left_out = fitting(there.catalog, there.snapshot, account)
        where, at = f"file {file.name}", there.taken_at
    else:
        catalog, where, at, left_out = *_fetched(str(api_url)), now(), 0
    detail = f"{left_out} custom roles of another account left out" if left_out else ""
    count = len(catalog.roles) + len(catalog.policies)
    status = ReadStatus.READ if count else ReadStatus.EMPTY
    return catalog, LedgerEntry("catalog", where, "", status, count, None, detail, at)


def _fetched(api_url: str) -> tuple[Catalog, str]:
    """The vendor's public catalog, read without any credentials, and what was asked."""
    from permmigrate.cloudinary.public import pull
    from permmigrate.cloudinary.sources import find

    found = find(os.environ, folder=Path.cwd(), api_url=api_url)
    catalog = pull(found.api_url.value, inner=found.network(1))
    return catalog, "GET /v2/accounts/permissions/public/catalog"


def _refuse(made: Assembled, *, keep_unknown: bool) -> None:
    """Leave with exit 3 and every problem, unknown names among them unless they are to be kept."""
    from permmigrate.errors import InvalidFileError

    unknown = () if keep_unknown else made.unknown
    problems = (*made.problems, *unknown)
    if problems:
        count = f"{len(problems)} problems" if len(problems) > 1 else "one problem"
        hint = "mend the lists" + (", or keep unknown shares with `--keep-unknown`" if unknown else "")
        raise InvalidFileError(f"the lists have {count}; nothing was written", hint=hint, problems=problems)


def _save(made: Assembled, out: Path) -> None:
    from permmigrate.cli.import_.preview import remarks
    from permmigrate.cli.snapshot import describe
    from permmigrate.report.text import visible
    from permmigrate.snapshot.file import dump

    saved: Snapshot = dump(made.snapshot, out)
    describe(saved)
    for line in remarks(made):
        say(visible(line))
    click.echo(out)
    if not saved.catalog.roles:
        say("without a catalog nothing can be compared: give --catalog FILE, or --api-url and be online")
    say(f"next: permmigrate diff {out} --out reports")
