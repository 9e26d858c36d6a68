"""Read a `.env` file: `NAME=value` lines, strictly where our own names are concerned.

It fills in no variables and runs nothing. Lines of other programs that it cannot read are passed over; a
line that names `CLOUDINARY_` and cannot be read is a problem, told by its number and never by its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from permmigrate.errors import InvalidFileError, Problem

_LINE: Final = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*=[ \t]*
    (?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<plain>[^'"\n][^\n]*?)?)
    [ \t]*(?:(?:(?<=\s)|(?<=['"=]))\#[^\n]*)?(?:\n|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_BLANK: Final = re.compile(r"[ \t]*(?:\#[^\n]*)?(?:\n|\Z)")
_REST: Final = re.compile(r"[^\n]*(?:\n|\Z)")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}
_OURS: Final = "CLOUDINARY_"


def read(path: Path) -> Mapping[str, str]:
    """Return the file's variables; the last of one name holds. Raises InvalidFileError with all problems."""
    try:
        text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise InvalidFileError(f"`{path.name}` is not UTF-8 text", hint="save it as UTF-8") from None
    except OSError as error:
        raise InvalidFileError(f"`{path.name}` cannot be read: {error.strerror}") from None
    found, problems = _parse(path.name, text)
    if problems:
        raise InvalidFileError(f"`{path.name}` has lines that cannot be read", problems=tuple(problems))
    return found


def _parse(name: str, text: str) -> tuple[dict[str, str], list[Problem]]:
    found: dict[str, str] = {}
    problems: list[Problem] = []
    position, line = 0, 1
    while position < len(text):
        match = _BLANK.match(text, position) or _LINE.match(text, position)
        if match is None:
            match = _REST.match(text, position)
            assert match is not None
            if _OURS in match[0]:
                problems.append(Problem(name, line, "is not of the form NAME=value", "quote the value"))
        elif match.re is _LINE:
            value, literal = _value(match)
            found[match["name"]] = value
            if match["name"].startswith(_OURS) and not literal and "${" in value:
                problems.append(Problem(name, line, "refers to a variable, which is not filled in"))
        line += match[0].count("\n")
        position = match.end()
    return found, problems


def _value(match: re.Match[str]) -> tuple[str, bool]:
    """The value, and whether it is to be taken letter by letter."""
    if match["single"] is not None:
        return match["single"], True
    if match["double"] is not None:
        unescaped = re.sub(
            r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), match["double"], flags=re.DOTALL
        )
        return unescaped, False
    return match["plain"] or "", False
