"""Names for the nameless: the same text under the same salt is always the same pseudonym, and never itself.

A pseudonym depends on its text alone, not on the order or the company it is met in. Without the salt nobody
can go back, nor tell whether a guess is right. It knows nothing of snapshots.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Final

ID_LENGTH: Final = 13
NAME_LENGTH: Final = 10
"""Characters of five bits: a hundred thousand folder names collide once in two hundred thousand accounts."""


class Pseudonyms:
    """Pseudonyms under one salt; every answer is remembered."""

    def __init__(self, salt: bytes) -> None:
        self._salt = hashlib.sha256(b"permmigrate pseudonyms\0" + salt).digest()
        self._tokens: dict[tuple[str, str], str] = {}

    def id(self, text: str) -> str:
        """`id-` and thirteen characters for any id, whatever it is the id of; empty stays empty."""
        return f"id-{self._token('id', text)}" if text else text

    def name(self, kind: str, text: str) -> str:
        """`group k3v9m2xq7a` for the name of a group, without regard to case; empty stays empty."""
        return f"{kind} {self._token(kind, text.casefold())[:NAME_LENGTH]}" if text else text

    def email(self, text: str) -> str:
        """An address at a pseudonym of its domain, both without regard to case; empty stays empty."""
        local, at, domain = text.casefold().rpartition("@")
        if not at:
            return self.name("mail", text)
        who, where = self._token("mail", local), self._token("domain", domain)
        return f"p-{who[:NAME_LENGTH]}@d-{where[:NAME_LENGTH]}.example"

    def path(self, text: str) -> str:
        """A folder's path, segment by segment: what lay in what still does."""
        return "/".join(self._segment(segment) for segment in text.split("/"))

    def word(self, text: str) -> str:
        """An identifier for an identifier."""
        return f"x_{self._token('word', text)[:NAME_LENGTH]}"

    def number(self, digits: str) -> str:
        """As many digits for digits."""
        found = int.from_bytes(self._token("number", digits).encode()) % 10 ** len(digits)
        return str(found).rjust(len(digits), "7")

    def file(self, text: str) -> str:
        """A file's name that keeps its kind: `list-k3v9m2xq7a.csv`."""
        stem, dot, suffix = text.rpartition(".")
        kind = suffix if dot and re.fullmatch(r"csv|tsv|txt|xlsx|json", suffix) else ""
        token = self._token("file", stem if kind else text)[:NAME_LENGTH]
        return f"list-{token}.{kind}" if kind else f"list-{token}"

    def _segment(self, text: str) -> str:
        return f"f-{self._token('folder', text)[:NAME_LENGTH]}" if text else text

    def _token(self, kind: str, text: str) -> str:
        found = self._tokens.get((kind, text))
        if found is None:
            message = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
            digest = hmac.digest(self._salt, message, "sha256")
            found = base64.b32encode(digest[:10]).decode("ascii").lower()[:ID_LENGTH]
            self._tokens[kind, text] = found
        return found
