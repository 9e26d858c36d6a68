"""Lists that people keep, as a snapshot: what an account with no API, or with half of one, can be told by.

Every problem of every file is told at once, and no name is bent to another that is near.
"""

from permmigrate.snapshot.lists.ids import MADE_UP, is_made_up
from permmigrate.snapshot.lists.reading import Lists, Sheet, read
from permmigrate.snapshot.lists.schema import TABLES, Column, ListTable

__all__ = [
    "MADE_UP",
    "TABLES",
    "Column",
    "ListTable",
    "Lists",
    "Sheet",
    "is_made_up",
    "read",
]
