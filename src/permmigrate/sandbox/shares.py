"""The legacy shares of the imaginary account, as columns, and the list of them that its people keep.

No endpoint serves them: they exist for the share list, and for what the vendor's migration makes of them.
"""

from __future__ import annotations

import csv
import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from permmigrate.sandbox.columns import Folders
from permmigrate.sandbox.context import stable_id
from permmigrate.sandbox.state import Group, User
from permmigrate.sandbox.tree import TOP

LEVELS: Final = ("can_view", "can_contribute", "can_edit", "can_manage")
COLUMNS: Final = (
    "environment",
    "content_type",
    "content",
    "content_name",
    "principal_type",
    "principal",
    "level",
)
_WEIGHTS: Final = (45, 25, 20, 10)
_COLLECTIONS: Final = (
    "Press kit",
    "Spring lookbook",
    "Brand guidelines",
    "Sales deck",
    "展示会",
    "=Favourites",
)
LEFT: Final = ("pat.departed@meridianmedia.example", "old.agency@northlight-agency.example")
"""People whom the list still names and the account no longer has."""
GONE_GROUP: Final = "Interns 2018"


class Collection(NamedTuple):
    """A collection, known only from shares."""

    id: str
    environment: int
    name: str


class Share(NamedTuple):
    """One share: content and principal by number."""

    content: int
    """A folder's number, or a collection's below zero (-1 is the first)."""
    principal: int
    """A user's number; past the users a group's; past the groups somebody who left."""
    level: int


@dataclass(slots=True)
class Shares:
    """All shares of an account, in the order of their folders."""

    contents: array[int]
    principals: array[int]
    levels: bytearray
    collections: tuple[Collection, ...]

    def __len__(self) -> int:
        return len(self.levels)

    def __iter__(self) -> Iterator[Share]:
        for content, principal, level in zip(self.contents, self.principals, self.levels, strict=True):
            yield Share(content, principal, level)


def fixed(folders: Folders, users: list[User], groups: list[Group]) -> list[Share]:
    """The shares that are there for a reason, all in the first environment."""
    at = {path: folders.by_path(0, path) for path in TOP}
    people, left = len(users), len(users) + len(groups)
    aurora, year = at["Brands/Aurora"], at["Brands/Aurora/2026"]
    campaigns, finance = at["Brands/Aurora/2026/Campaigns"], at["Finance Reports"]
    member = next(
        n for n, user in enumerate(users) if user.id in groups[0].member_ids and user.role.endswith("user")
    )
    wanted = (
        (aurora, people, 1),  # a group
        (aurora, member, 3),  # a member of it, higher
        (year, member, 0),  # the same person, lower below
        (campaigns, people, 2),  # the group, higher below
        (finance, people + 4, 2),  # a group that billing and reports people are in
        (finance, 8, 3),  # a billing user by name
        (at["Legal"], 10, 1),  # a reports user by name
        (at["Archive"], left, 2),  # somebody who left
        (at["Archive/2019"], left + 2, 0),  # a group that is gone
        (at["Agencies/Northlight"], people + 2, 1),
        (at["Agencies/Northlight/Deliveries"], people + 2, 3),
        (at["Legal/Contracts"], 3, 0),  # an admin, who never needed it
        (at["public-press-kit"], 18, 2),  # a disabled user
        (at["Brands"], 16, 1),  # a pending user
        (at["Regions/EMEA"], 15, 1),  # somebody limited to another environment
        (at["=1+1"], 21, 0),
        (at["Regions"], 19, 2),  # somebody with an empty legacy role
        (at["Regions"], 20, 2),  # and with one nobody knows
    )
    return [Share(content, principal, level) for content, principal, level in wanted if content is not None]


def make(
    seed: int, number: int, folders: Folders, users: list[User], groups: list[Group], clouds: int
) -> Shares:
    """That many shares: the fixed ones, collections, then each folder's own."""
    random = Random(f"{seed}/shares")
    collections = tuple(
        Collection(stable_id(seed, f"collection/{cloud}", n), cloud, name)
        for cloud in range(clouds)
        for n, name in enumerate(_COLLECTIONS[:3] if number < 1000 else _COLLECTIONS)
    )
    chosen = fixed(folders, users, groups)
    taken = {(share.content, share.principal) for share in chosen}
    people = [n for n, user in enumerate(users) if user.environment_ids is None]
    parties = [len(users) + n for n, group in enumerate(groups) if group.member_ids]
    for n in range(len(collections)):
        for principal in random.sample(people, min(2, len(people))) + random.sample(parties, 1):
            chosen.append(Share(-1 - n, principal, random.choices(range(4), _WEIGHTS)[0]))
    rest = number - len(chosen)
    counts = array("I", bytes(4 * len(folders)))
    size = len(folders)
    for _ in range(rest):
        counts[int(random.random() * size)] += 1
    contents, principals, levels = array("i"), array("I"), bytearray()
    for share in chosen:
        contents.append(share.content)
        principals.append(share.principal)
        levels.append(share.level)
    steps = [n for n, weight in enumerate(_WEIGHTS) for _ in range(weight // 5)]
    spare = 0
    for folder, count in enumerate(counts):
        count += spare
        spare = 0
        seen: set[int] = set()
        tries = 0
        while len(seen) < count and tries < 20 * count:
            tries += 1
            pool = people if random.random() < 0.55 else parties
            principal = pool[int(random.random() * len(pool))]
            if principal in seen or (folder, principal) in taken:
                continue
            seen.add(principal)
            contents.append(folder)
            principals.append(principal)
            levels.append(steps[int(random.random() * len(steps))])
        spare = count - len(seen)
    return Shares(contents, principals, levels, collections)


def write(path: Path, rows: Iterator[dict[str, str]]) -> int:
    """Write a share list as CSV, JSON or XLSX by the path's ending; return its number of rows.

    Raises ValueError for another ending.
    """
    match path.suffix.lower():
        case ".csv":
            return _write_csv(path, rows)
        case ".json":
            listed = list(rows)
            text = json.dumps(listed, ensure_ascii=False, indent=1) + "\n"
            path.write_text(text, encoding="utf-8", newline="\n")
            return len(listed)
        case ".xlsx":
            return _write_xlsx(path, rows)
        case other:
            raise ValueError(f"cannot write a share list as `{other}`: use .csv, .json or .xlsx")


def _write_csv(path: Path, rows: Iterator[dict[str, str]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        buffer = StringIO()
        writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            count += 1
            if count % 5000 == 0:
                file.write(buffer.getvalue())
                buffer.seek(0)
                buffer.truncate()
        file.write(buffer.getvalue())
    return count


def _write_xlsx(path: Path, rows: Iterator[dict[str, str]]) -> int:
    import xlsxwriter

    count = 0
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Shares")
        sheet.write_row(0, 0, COLUMNS)
        for count, row in enumerate(rows, 1):
            for number, column in enumerate(COLUMNS):
                sheet.write_string(count, number, row[column])  # what looks like a formula stays a name
    return count
