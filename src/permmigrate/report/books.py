"""A workbook on the disk, whole or not at all. What is text stays text: no formula, no link, no number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from permmigrate.errors import UsageError
from permmigrate.report import files


def write_book(path: Path, put: Callable[[Workbook], None], *, constant_memory: bool = True) -> None:
    """Write what `put` puts into the workbook. Raises `UsageError`.

    In constant memory the rows of a sheet have to be written one after the other.
    """

    def produce(place: Path) -> None:
        plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        book = Workbook(str(place), {"constant_memory": constant_memory, **plain})
        put(book)
        try:
            book.close()
        except FileCreateError as error:
            raise UsageError(
                "cannot write the workbook", hint="free some space or choose another folder"
            ) from error

    files.write_with(path, produce)
