"""The Admin API's side of a doctor's visit: one search an environment, and the roles of one folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from permmigrate.cloudinary import wire
from permmigrate.cloudinary.budget import Tree
from permmigrate.cloudinary.choices import searched_whole
from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.cloudinary.diagnosis import Finding
from permmigrate.cloudinary.foldertree import DESCENDANTS, ROOT, SEARCH
from permmigrate.cloudinary.record import Record
from permmigrate.cloudinary.visit import Question, Visit
from permmigrate.errors import CredentialsError, DeniedError, ServiceError
from permmigrate.model import EnvironmentId, Folder, ProductEnvironment

ADMIN_API: Final = "Admin API"
_HERE: Final = EnvironmentId("")
"""The environment of folders that are counted and not kept."""
FOLDER_ROLES: Final = "GET /v1_1/{cloud_name}/folder_operations/invite/{folder_id}"


@dataclass(frozen=True, slots=True)
class AdminSide:
    """What the environments' APIs told."""

    trees: tuple[Tree, ...] = ()
    folder_roles: int = 0
    """Principals who hold a role on the folder that was looked at."""


def visit_environments(
    visit: Visit, keys: Mapping[str, KeyPair], environments: Sequence[ProductEnvironment] | None
) -> AdminSide:
    """Look at each environment there is a key for; without the list of environments, at each key's own."""
    names = (
        {one.cloud_name: one.name for one in environments}
        if environments is not None
        else {cloud: cloud for cloud in keys}
    )
    trees: list[Tree] = []
    sample: tuple[str, Folder] | None = None
    for one in environments or ():
        if one.cloud_name not in keys:
            _no_key(visit, one)
    for cloud in sorted(keys):
        if cloud not in names:
            visit.add(
                ADMIN_API,
                cloud,
                Finding.NOTE,
                f"`{keys[cloud].source}` is for no environment of this account: it is not used",
                "nothing, if that is what you meant",
            )
            continue
        read = _search(visit, cloud, names[cloud], keys[cloud])
        if read is not None:
            trees.append(read[0])
            if sample is None and read[1] is not None:
                sample = cloud, read[1]
    return AdminSide(tuple(trees), _folder_roles(visit, sample, keys) if sample else 0)


def _no_key(visit: Visit, environment: ProductEnvironment) -> None:
    if not environment.enabled:
        detail, finding = "disabled, and there is no key: its folders will not be read", Finding.NOTE
    else:
        detail, finding = "there is no key: its folders will not be read", Finding.MISSING
    visit.add(
        ADMIN_API,
        environment.name,
        finding,
        detail,
        f"set CLOUDINARY_URL_2=cloudinary://KEY:SECRET@{environment.cloud_name} or the like",
    )


def _search(visit: Visit, cloud: str, name: str, key: KeyPair) -> tuple[Tree, Folder | None] | None:
    """The tree's size and a folder of it, or None when nothing can be read."""
    question = Question(
        ADMIN_API, name, f"admin {cloud}", SEARCH, {"cloud_name": cloud}, key, {"max_results": 1}
    )

    def parse(answer: Record) -> tuple[int | None, tuple[Folder, ...]]:
        return answer.count("total_count"), wire.folders(answer, _HERE)

    read = visit.peek(question, parse)
    if not isinstance(read, ServiceError):
        total, folders = read
        if total is None or not searched_whole(total):
            return _large(visit, question, total)
        visit.answered(question, f"{total:,} folders")
        return Tree(cloud, total), folders[0] if folders else None
    if isinstance(read, CredentialsError | DeniedError):
        visit.refused(question, read)
        return None
    return _large(visit, question, None)


def _large(visit: Visit, search: Question, total: int | None) -> tuple[Tree, Folder | None] | None:
    """Look at a tree that one search does not give: its top, and whether all below a folder is answered."""
    root = replace(search, endpoint=ROOT, params=None)
    tops = visit.ask(root, lambda answer: wire.folders(answer, _HERE), None)
    if tops is None:
        return None
    cloud, first = search.values["cloud_name"], tops[0] if tops else None
    counted = "the search does not count them" if total is None else f"{total:,} folders"
    works = True
    if first is not None:
        below = replace(search, endpoint=DESCENDANTS, params=None, body={"id": first.id, "inclusive": False})
        works = not isinstance(visit.peek(below, lambda answer: wire.folders(answer, _HERE)), ServiceError)
    way = "read below each of them" if works else "read part by part: that takes many calls"
    visit.answered(root, f"{counted}, {len(tops):,} at the top; {way}")
    return Tree(cloud, total, len(tops), works), first


def _folder_roles(visit: Visit, sample: tuple[str, Folder], keys: Mapping[str, KeyPair]) -> int:
    cloud, folder = sample
    question = Question(
        "folder roles",
        "one folder",
        f"admin {cloud}",
        FOLDER_ROLES,
        {"cloud_name": cloud, "folder_id": folder.id},
        keys[cloud],
        needed=False,
        absent="nothing: a snapshot does not need it, and it may not answer on legacy accounts",
    )
    found = visit.ask(
        question,
        lambda answer: tuple(answer.records("shared_with")),
        lambda rows: f"answers; {len(rows)} principals hold roles on `{folder.path}`",
    )
    return len(found or ())
