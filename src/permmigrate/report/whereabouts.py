"""Where each place of the findings is: its environment's id, and its own with those of the folders above it.

The page says it once for each place, so that the requests and the ids of the findings need not repeat it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from permmigrate.report.table import Table
from permmigrate.snapshot import Snapshot

PlaceCells = tuple[str, str, str]
"""A place as the cells of a row name it: environment, region kind, region."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The ids of one place."""

    environment_id: str
    """Empty for the account."""
    trail: tuple[str, ...]
    """The id of the folder or collection, then those of the folders above it, to the top; empty when the
    place is no content."""


def whereabouts(places: Table, snapshot: Snapshot) -> dict[PlaceCells, Whereabouts]:
    """The ids of every row of the table of places, but of those that its cells do not tell apart."""
    names = Counter(environment.name or environment.cloud_name for environment in snapshot.environments)
    ids = {(each.name or each.cloud_name): str(each.id) for each in snapshot.environments} | {"": ""}
    folders = {(str(f.environment_id), f.path): str(f.id) for f in snapshot.folders}
    found: dict[PlaceCells, Whereabouts] = {}
    twice: set[PlaceCells] = set()
    for record in places.records():
        environment, kind, region = (str(record[key]) for key in ("environment", "region_kind", "region"))
        key = (environment, kind, region)
        if key in found or names[environment] > 1 or environment not in ids:
            twice.add(key)
            continue
        environment_id, content_id = ids.get(environment, ""), str(record["content_id"])
        above = _above(folders, environment_id, region) if kind == "folder" else ()
        found[key] = Whereabouts(environment_id, (content_id, *above) if content_id else ())
    return {key: where for key, where in found.items() if key not in twice}


def _above(folders: Mapping[tuple[str, str], str], environment_id: str, path: str) -> tuple[str, ...]:
    found = []
    while "/" in path:
        path = path.rpartition("/")[0]
        found.append(folders.get((environment_id, path), ""))
    return tuple(found) if all(found) else ()
