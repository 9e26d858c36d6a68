"""A JSON object of an answer, read field by field with care.

What is missing or of the wrong type is named by endpoint and field, and never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from permmigrate.errors import MalformedAnswerError

E = TypeVar("E", bound=StrEnum)


class Record:
    """A JSON object of an answer that knows where it stands, to name what is wrong with it."""

    __slots__ = ("_fields", "_inside", "_name", "_place", "endpoint")

    def __init__(
        self, value: Any, endpoint: str, inside: Record | None = None, name: str = "", place: int = -1
    ) -> None:
        """`inside` another record it is its field `name`, or the one at a `place` of that list."""
        self.endpoint = endpoint
        self._inside = inside
        self._name = name
        self._place = place
        if not isinstance(value, dict):
            raise self._malformed("", "is not an object")
        self._fields: dict[str, Any] = value

    def text(self, name: str) -> str:
        value = self.optional_text(name)
        if not value:
            raise self._malformed(name, "is missing")
        return value

    def optional_text(self, name: str) -> str | None:
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._malformed(name, "is not text")
        return _whole(value)

    def first_text(self, *names: str) -> str:
        """The first of the fields that is there: the same thing under an older or another name."""
        for name in names:
            if (value := self.optional_text(name)) is not None:
                return value
        raise self._malformed(names[0], "is missing")

    def flag(self, name: str, default: bool) -> bool:
        value = self.optional_flag(name)
        return default if value is None else value

    def optional_flag(self, name: str) -> bool | None:
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, bool):
            raise self._malformed(name, "is not true or false")
        return value

    def texts(self, name: str) -> tuple[str, ...] | None:
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._malformed(name, "is not a list of texts")
        return tuple(_whole(item) for item in value)

    def count(self, name: str) -> int | None:
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._malformed(name, "is not a number")
        return value

    def object(self, name: str) -> Record:
        if self._fields.get(name) is None:
            raise self._malformed(name, "is missing")
        return Record(self._fields[name], self.endpoint, self, name)

    def optional_object(self, name: str) -> Record | None:
        return None if self._fields.get(name) is None else self.object(name)

    def raw(self) -> Mapping[str, Any]:
        return self._fields

    def has(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def records(self, name: str) -> Iterator[Record]:
        value = self._fields.get(name)
        if value is None:
            raise self._malformed(name, "is missing")
        if not isinstance(value, list):
            raise self._malformed(name, "is not a list")
        for index, item in enumerate(value):
            yield Record(item, self.endpoint, self, name, index)

    def one_of(self, name: str, kind: type[E]) -> E:
        value = self.text(name)
        try:
            return kind(value)
        except ValueError:
            raise self._malformed(name, "has a value this version does not know") from None

    def _path(self, name: str) -> str:
        """Where a field is, spelled out only when something is wrong with it."""
        where = ""
        if self._inside is not None:
            place = "" if self._place < 0 else f"[{self._place}]"
            where = self._inside._path(self._name + place)
        return f"{where}.{name}" if where and name else where or name

    def _malformed(self, name: str, what: str) -> MalformedAnswerError:
        return MalformedAnswerError(
            f"`{self.endpoint}` has an unexpected answer: `{self._path(name) or 'the whole of it'}` {what}",
            hint="the service may have changed; look for a newer version of permmigrate",
            status=200,
        )


def _whole(text: str) -> str:
    """The text without halves of characters, which JSON can hold and no file can."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
