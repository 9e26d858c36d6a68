"""What people write in a cell, in our spelling: levels, roles, yes and no, dates, several values at once.

A word that means nothing here is never bent to the nearest: it comes back as a problem with a suggestion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Final

from permmigrate.snapshot.lists.schema import tidy

FOLDER_LEVELS: Final = ("can_view", "can_contribute", "can_edit", "can_manage")
"""The legacy folder levels (the vendor's sharing tutorial); those of collections are not known."""
LEGACY_ROLES: Final = (
    "master_admin",
    "admin",
    "technical_admin",
    "billing",
    "reports",
    "media_library_admin",
    "media_library_user",
)
"""The seven values of the wire (spec:provisioning, UserRequest.role)."""
ALL, NONE = "all", "none"
"""How a person is said to have every environment, or no environment at all."""
ROLE_TITLES: Final = {role: role.replace("_", " ").capitalize() for role in LEGACY_ROLES}
LEVEL_TITLES: Final = {level: level.replace("_", " ").capitalize() for level in FOLDER_LEVELS}

_LEVEL_WORDS: Final = {
    "view": "can_view",
    "viewer": "can_view",
    "contribute": "can_contribute",
    "contributor": "can_contribute",
    "edit": "can_edit",
    "editor": "can_edit",
    "manage": "can_manage",
    "manager": "can_manage",
} | {tidy(level): level for level in FOLDER_LEVELS}
_ROLE_WORDS: Final = {tidy(role): role for role in LEGACY_ROLES} | {
    "masteradministrator": "master_admin",
    "administrator": "admin",
    "techadmin": "technical_admin",
    "technicaladministrator": "technical_admin",
    "report": "reports",
    "mladmin": "media_library_admin",
    "medialibraryadministrator": "media_library_admin",
    "mluser": "media_library_user",
}
CONTENT_WORDS: Final = {"folder": "folder", "folders": "folder", "collection": "collection",
                        "collections": "collection"}  # fmt: skip
PRINCIPAL_WORDS: Final = {"user": "user", "users": "user", "person": "user", "group": "group",
                          "groups": "group", "usergroup": "group", "team": "group"}  # fmt: skip
_STATES: Final = (
    dict.fromkeys(("yes", "y", "true", "1", "x", "active", "enabled", "on"), "yes")
    | dict.fromkeys(("no", "n", "false", "0", "inactive", "disabled", "off", "suspended"), "no")
    | dict.fromkeys(("pending", "invited", "invitation sent"), "pending")
)
_CUT_SHORT: Final = re.compile(r"\d([.,]\d+)?E\+\d{2}|\d{8,}[.,]0+", re.IGNORECASE)
_WIRE_WORD: Final = re.compile(r"[a-z]+(_[a-z]+)+")
_ERRORS: Final = frozenset({"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
_ADDRESS: Final = re.compile(r".*<\s*([^<>\s]+@[^<>\s]+)\s*>")
_DATES: Final = ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S")
AS_TEXT: Final = "format the column as text before the ids go in, and paste the id again from the Console"


def level(text: str, *, folder: bool) -> str:
    """`Can view`, `can-view`, `View` and, of a folder, `viewer` are `can_view`; other words as they are."""
    word = re.sub(r"[\s\-_]+", "_", text.casefold())
    if f"can_{word}" in FOLDER_LEVELS:
        return f"can_{word}"
    return _LEVEL_WORDS.get(tidy(text), word) if folder else word


def role(text: str) -> str | None:
    """`Media Library user` is `media_library_user`; None for what is no legacy role.

    A word that looks like the wire's own (`content_curator`) and is near none of them is kept.
    """
    known = _ROLE_WORDS.get(tidy(text)) if text else ""
    if known is None and _WIRE_WORD.fullmatch(text) and not get_close_matches(text, LEGACY_ROLES, n=1):
        return text
    return known


def state(text: str) -> str | None:
    """`yes`, `no` or `pending`; empty means yes; None for another word."""
    return _STATES.get(text.casefold()) if text else "yes"


def moment(text: str) -> str | None:
    """A date as ISO 8601 has it, from that or from 22.11.2026; None for what cannot be told apart."""
    for form in _DATES:
        try:
            return datetime.strptime(text, form).isoformat()
        except ValueError:
            continue
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    return text


def address(text: str) -> str:
    """The e-mail of `Ann Lee <ann@example.com>` or `mailto:ann@example.com`; other texts as they are."""
    if "@" in text:
        found = _ADDRESS.fullmatch(text)
        return found[1] if found else text.removeprefix("mailto:")
    return text


def path(text: str) -> str:
    """A folder's path without outer slashes and the spaces around them; `/` stays."""
    if "/" not in text:
        return text
    return "/".join(part for part in map(str.strip, text.split("/")) if part) or "/"


def several(text: str, known: Callable[[str], bool] = lambda _: False) -> list[str]:
    """The values of a cell: split at line ends and semicolons, at commas unless the whole is `known`."""
    found: list[str] = []
    for part in (piece.strip() for piece in re.split(r"[;\n\r]+", text)):
        if part and ("," not in part or known(part)):
            found.append(part)
        else:
            found.extend(piece for piece in map(str.strip, part.split(",")) if piece)
    return list(dict.fromkeys(found))


def wrong_id(text: str) -> tuple[str, str] | None:
    """What is wrong with an id's text and its remedy, if anything is."""
    if _CUT_SHORT.fullmatch(text):
        return f"`{text}` is a number that a spreadsheet cut short", AS_TEXT
    if text in _ERRORS:
        return f"`{text}` is a formula's error, not a value", "write the value itself"
    return None


def suggest(text: str, words: Iterable[str], titles: Mapping[str, str] | None = None) -> str:
    """Name the nearest of the words allowed, or all of them."""
    allowed = [str(word) for word in words]
    near = get_close_matches(re.sub(r"[\s\-]+", "_", text.casefold()), allowed, n=1)
    named = titles or {}
    if near:
        return f"did you mean `{named.get(near[0], near[0])}`?"
    return "use one of " + ", ".join(f"`{named.get(word, word)}`" for word in allowed)
