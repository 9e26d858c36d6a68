"""Legacy shares from lists that people keep, because no API gives them.

It reads rows and says everything that is wrong with them at once; it does not know the account.
Whether the people and folders exist is `resolve`'s question.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from permmigrate.errors import InvalidFileError
from permmigrate.snapshot.lists.reading import PROBLEMS_AT_MOST
from permmigrate.snapshot.lists.reading import read as read_lists
from permmigrate.snapshot.lists.row import SHARE_COLUMNS, RawShare
from permmigrate.snapshot.lists.schema import SHARES
from permmigrate.snapshot.shareresolve import Resolved, resolve

__all__ = ["COLUMNS", "PROBLEMS_AT_MOST", "RawShare", "Resolved", "read", "resolve"]

COLUMNS: Final = SHARE_COLUMNS


def read(path: Path) -> tuple[RawShare, ...]:
    """Read a share list. Raises InvalidFileError with every problem found, in file order."""
    found = read_lists((path,), tables=(SHARES,))
    if found.problems:
        count = f"{len(found.problems)} problems" if len(found.problems) != 1 else "one problem"
        raise InvalidFileError(f"the share list `{path}` has {count}", problems=tuple(found.problems))
    return tuple(found.shares)
