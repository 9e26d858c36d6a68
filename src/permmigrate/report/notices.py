"""One short page for each person, group or key of a comparison: what changes for them, in plain words.

It reads a comparison's document, so that notices can be written on another day and another machine. It sends
nothing and names nobody else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from permmigrate.report.html import content_hash, visible_unless_markup
from permmigrate.report.text import moment, plural

ABILITIES_SHOWN: Final = 6
PLACES_SHOWN: Final = 6
GROUPS_SHOWN: Final = 6

_TABLES: Final = ("expansions", "reductions", "undecided")
_CHANGES: Final = ("gained", "maybe gained", "lost", "maybe lost", "unknown")
_TITLES: Final = {
    ("gained", True): "You will be able to",
    ("maybe gained", True): "You may become able to",
    ("lost", True): "You will no longer be able to",
    ("maybe lost", True): "You may no longer be able to",
    ("unknown", True): "Not known for certain",
    ("gained", False): "You are now able to",
    ("maybe gained", False): "You may be able to, which may be new",
    ("lost", False): "You are no longer able to",
    ("maybe lost", False): "You may no longer be able to",
    ("unknown", False): "Not known for certain",
}
_TO: Final = {
    "user": "",
    "group": "to whoever looks after this group",
    "API key": "to whoever uses this API key",
    "account key": "to whoever uses this account key",
}


@dataclass(frozen=True, slots=True)
class Ability:
    """What changes in the same way in some places."""

    what: tuple[str, ...]
    """In words, the gravest first."""
    more: int
    """How many further things are not listed."""
    where: tuple[str, ...]
    more_places: int


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change."""

    title: str
    abilities: tuple[Ability, ...]
    more: int
    """How many further groups of abilities are not listed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What one principal is told."""

    account_id: str
    captured_at: str
    planned: bool
    kind: str
    name: str
    address: str
    """E-mail address, key value, or what else it is known by."""
    principal_id: str
    to: str
    """Who reads it, when the principal is no person."""
    before: tuple[str, ...]
    after: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def subject(self) -> str:
        """One line for the head of a letter."""
        what = {"user": "your permissions", "group": f"the permissions of group {self.name}"}
        said = what.get(self.kind, f"the permissions of {self.kind} {self.name}")
        return f"{said[0].upper()}{said[1:]} {'change' if self.planned else 'changed'}"


def notices(document: Mapping[str, Any], kinds: Sequence[str]) -> Iterator[Notice]:
    """A notice for each principal of these kinds for whom anything changes, in the report's order."""
    tables = document["tables"]
    labels = [_in_words(row) for row in tables["capabilities"]]
    planned = document["compared_with"] == "the mapping tables"
    found = _by_principal(document)
    for number, row in enumerate(tables["principals"]):
        if number not in found or row["principal_kind"] not in kinds:
            continue
        yield Notice(
            account_id=document["account_id"],
            captured_at=document["captured_at"],
            planned=planned,
            kind=row["principal_kind"],
            name=row["principal"],
            address=row["principal_detail"],
            principal_id=row["principal_id"],
            to=_TO[row["principal_kind"]],
            before=tuple(row["before"]),
            after=tuple(row["after"]),
            changes=tuple(_changes(found[number], labels, planned)),
        )


def _by_principal(document: Mapping[str, Any]) -> dict[int, dict[str, dict[str, set[int]]]]:
    """For each principal's place: verdict, where, numbers of abilities."""
    tables, sets = document["tables"], document["value_sets"]
    numbers = {
        (row["principal_kind"], row["principal_id"]): at for at, row in enumerate(tables["principals"])
    }
    found: dict[int, dict[str, dict[str, set[int]]]] = {}
    for key in _TABLES:
        for row in tables[key]:
            abilities = sets["capabilities"][row["capabilities"]]
            own = numbers[row["principal_kind"], row["principal_id"]]
            for number in (own, *sets["principals"][row["others"]]):
                verdicts = found.setdefault(number, {})
                verdicts.setdefault(row["verdict"], defaultdict(set))[_where(row)].update(abilities)
    return found


def _where(row: Mapping[str, Any]) -> str:
    match row["region_kind"]:
        case "folder":
            return f"folder {row['region']} and all below it ({row['environment']})"
        case "collection":
            return f"collection {row['region']} ({row['environment']})"
        case "environment":
            return f"the whole product environment {row['region']}"
        case _:
            return "the account"


def _in_words(capability: Mapping[str, Any]) -> str:
    """Without the condition that says which assets exactly: that is in the report."""
    condition = f" where {capability['condition']}"
    label = str(capability["label"])
    return f"{label.removesuffix(condition)} (some of them)" if label.endswith(condition) else label


def _changes(
    verdicts: Mapping[str, Mapping[str, set[int]]], labels: Sequence[str], planned: bool
) -> Iterator[Change]:
    for verdict in _CHANGES:
        alike: dict[tuple[str, ...], list[str]] = {}
        for where, numbers in sorted(verdicts.get(verdict, {}).items()):
            words = tuple(dict.fromkeys(labels[number] for number in sorted(numbers)))
            alike.setdefault(words, []).append(where)
        if alike:
            order = sorted(alike, key=lambda words: (-len(words) * len(alike[words]), words))
            shown = tuple(_ability(words, alike[words]) for words in order[:GROUPS_SHOWN])
            yield Change(_TITLES[verdict, planned], shown, len(alike) - len(shown))


def _ability(words: tuple[str, ...], places: Sequence[str]) -> Ability:
    return Ability(
        what=words[:ABILITIES_SHOWN],
        more=max(0, len(words) - ABILITIES_SHOWN),
        where=tuple(places[:PLACES_SHOWN]),
        more_places=max(0, len(places) - PLACES_SHOWN),
    )


class Letters:
    """Renders notices as a page and as text."""

    def __init__(self, templates: Path, contact: str) -> None:
        environment = letter_environment(templates)
        environment.globals["contact"] = contact
        self._page = environment.get_template("notice.html.j2")
        self._text = environment.get_template("notice.txt.j2")

    def page(self, notice: Notice) -> str:
        return self._page.render(notice=notice)

    def text(self, notice: Notice) -> str:
        return self._text.render(notice=notice)


def letter_environment(templates: Path) -> Environment:
    """What short static pages are made with: one style, no script."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=_is_page,  # noqa: S701 - the other template is plain text, where an escape would show
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=visible_unless_markup,
    )
    style = (templates / "letter.css").read_text(encoding="utf-8")
    environment.filters |= {"moment": moment}
    environment.globals |= {
        "plural": plural,
        "style": Markup(style),  # noqa: S704 - our own file, hashed for the page's policy
        "style_hash": content_hash(style),
    }
    return environment


def _is_page(name: str | None) -> bool:
    return name is None or not name.endswith(".txt.j2")
