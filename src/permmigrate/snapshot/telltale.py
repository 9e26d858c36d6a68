"""What a snapshot says in sentences (sources, subjects, reasons, details) without the names in them.

Only sentences that this tool is known to write are kept, with what they name exchanged; others are removed.
"""

from __future__ import annotations

import re
from typing import Final

from permmigrate.model import PrincipalType
from permmigrate.snapshot.pseudonyms import Pseudonyms
from permmigrate.snapshot.value import Snapshot

REMOVED: Final = "removed when the snapshot was anonymised"

_ENDPOINT: Final = re.compile(r"(GET|POST|PUT) (/.*)")
_PATH_WORDS: Final = frozenset(
    (
        *("v1_1", "v2", "provisioning", "accounts", "permissions", "public", "catalog", "schema", "roles"),
        *("sub_accounts", "access_keys", "users", "user_groups", "policies", "custom", "system", "effective"),
        *("principals", "principal_roles", "inspect", "folders", "search", "descendants", "invite", "ping"),
        *("folder_operations", "usage", "validate", "collections", "resources", ""),
    )
)
_SUBJECTS: Final = re.compile(r"(account|prodenv) (global|content)|\d+ more")
_PLAIN_WORD: Final = re.compile(
    r"API|a|added|again|agree|all|and|api|as|asked|at|be|before|below|by|cannot|catalog|changed|"
    r"changes|choice|compared|could|count|counted|counts|duplicate|each|environment|environments|every|"
    r"folder|folders|for|from|give|given|gives|group|groups|ids|implied|in|is|it|key|keys|known|left|legacy|"
    r"list|lists|looked|made|many|meanwhile|more|name|named|names|no|not|nothing|of|on|once|one|only|"
    r"other|out|parts|people|policies|read|role|roles|root|rows|same|saw|say|search|searched|seen|"
    r"share|shares|so|that|the|them|there|to|top|up|users|walked|was|were|what|when|where|whether|"
    r"which|while|whole|with"
)
"""A remark of these words and numbers alone names nobody; people's names are not among them."""
_REMARK_PARTS: Final = re.compile(r"[A-Za-z]+|[0-9][0-9,]*|[ ,.:;()`-]+|.", re.DOTALL)
_QUERY: Final = re.compile(r"[a-z_]+=\{[a-z_]+\}")
_OWN_ENDPOINTS: Final = ("list", "every read of an environment", "changes meanwhile", "the account's API")
_NO_KEY: Final = re.compile(r"(no \w+ was given for cloud name )(.+)", re.DOTALL)
_REFUSED: Final = re.compile(
    r"((?:the key of `[A-Z_0-9]+`|a caller without a key) may not call )?`((?:GET|POST|PUT) [^`]*)`"
    r"( \(\d{3}\)| found nothing \(404\)| did not answer with JSON| was answered with \d{3}"
    r"| failed on the service's side \(\d{3}\)| is limited by the account's call rate \(\d{3}\))?.*",
    re.DOTALL,
)
_REASONS: Final = re.compile(
    r"(there is no |\d+ )?(environment|user|group|folder)(s are called)? `(.*)`"
    r"( cannot be looked up: not all were read)?",
    re.DOTALL,
)
_SHARE_SOURCE: Final = re.compile(
    r"(?P<file>.+?)(?P<rest>:\d+| item \d+)|(?P<book>.+?\.xlsx) .*!(?P<row>\d+)", re.DOTALL
)


class Telltale:
    """The sentences of one snapshot under one set of pseudonyms."""

    def __init__(self, snapshot: Snapshot, names: Pseudonyms) -> None:
        self._names = names
        self._environments = {one.name: names.name("environment", one.name) for one in snapshot.environments}
        segments = {segment for folder in snapshot.folders for segment in folder.path.split("/")}
        self._known = (
            {segment: names.path(segment) for segment in segments}
            | {folder.path: names.path(folder.path) for folder in snapshot.folders}
            | {one.name: names.name("collection", one.name) for one in snapshot.collections}
            | {role.id: role.id for role in snapshot.catalog.roles.values() if role.id.startswith("cld::")}
            | {one.name: names.name("group", one.name) for one in snapshot.groups}
            | {user.email: names.email(user.email) for user in snapshot.users}
            | {one.cloud_name: names.name("cloud", one.cloud_name) for one in snapshot.environments}
            | self._environments
        )
        self._people = {user.id for user in snapshot.users} | {group.id for group in snapshot.groups}

    def known(self, text: str) -> str | None:
        """The pseudonym of a text that names something of the account, or None."""
        return self._known.get(text)

    def person(self, text: str, kind: str) -> str:
        """A user or group as a list names them: by id, e-mail or name."""
        if text in self._people:
            return self._names.id(text)
        if kind == PrincipalType.GROUP:
            return self._names.name("group", text)
        return self._names.email(text) if "@" in text else self._names.id(text)

    def source(self, text: str) -> str:
        """`shares.csv:12` keeps its line; an endpoint stays what it is."""
        if _ENDPOINT.fullmatch(text):
            return self.endpoint(text)
        if (match := _SHARE_SOURCE.fullmatch(text)) is None:
            return self._names.file(text) if text else text
        if match["book"]:
            return f"{self._names.file(match['book'])} sheet!{match['row']}"
        return self._names.file(match["file"]) + match["rest"]

    def endpoint(self, text: str) -> str:
        """A template stays; a segment that is none of the vendor's words does not."""
        if match := _ENDPOINT.fullmatch(text):
            segments = (self._path_segment(one) for one in match[2].split("/"))
            return f"{match[1]} {'/'.join(segments)}"
        if text.startswith("list "):
            return "list " + self._names.file(text.removeprefix("list "))
        if text.startswith("named in "):
            return "named in " + self._names.file(text.removeprefix("named in "))
        if text in _OWN_ENDPOINTS:
            return text
        return self._names.name("endpoint", text)

    def subject(self, text: str) -> str:
        """What a line of the ledger was read for."""
        if not text or _SUBJECTS.fullmatch(text):
            return text
        if (known := self._known.get(text)) is not None:
            return known
        environment, colon, path = text.partition(": ")
        if colon and environment in self._environments:
            return f"{self._environments[environment]}: {self._names.path(path)}"
        return self._names.email(text) if "@" in text else self._names.id(text)

    def detail(self, text: str) -> str:
        """What a line of the ledger adds."""
        if all(self._is_plain(part) for part in _REMARK_PARTS.findall(text)):
            return text
        if match := _NO_KEY.fullmatch(text):
            return match[1] + self._names.name("cloud", match[2])
        if match := _REFUSED.fullmatch(text):
            return f"{match[1] or ''}`{self.endpoint(match[2])}`{match[3] or ''}"
        return REMOVED

    def reason(self, text: str) -> str:
        """Why a share is an orphan; the row itself says whom it names."""
        if match := _REASONS.fullmatch(text):
            before, noun, called, _, after = match.groups(default="")
            return f"{before}{noun}{called} `(removed)`{after}"
        return REMOVED if text else text

    def _path_segment(self, text: str) -> str:
        path, _, query = text.partition("?")
        known = path in _PATH_WORDS or re.fullmatch(r"\{\w+\}", path)
        kept = known and (not query or _QUERY.fullmatch(query))
        return text if kept else self._names.id(text)

    def _is_plain(self, part: str) -> bool:
        """Whether a piece of a remark is a word of ours, a short number that names nobody, or a sign."""
        if part.isalpha():
            return _PLAIN_WORD.fullmatch(part) is not None
        if part[0].isdigit():
            return len(part) < 8 and part not in self._known and part not in self._people
        return set(part) <= set(" ,.:;()`-")
