"""Better mapping rows for an account: what loses nothing and adds least. It reads no file and writes none."""

from permmigrate.suggest.choose import has_custom_roles, suggest
from permmigrate.suggest.outcome import Leftover, Outcome, document, lines
from permmigrate.suggest.rows import rewritten
from permmigrate.suggest.value import Choice, Cost, Item, NewRole, Pick, Suggestion

__all__ = [
    "Choice",
    "Cost",
    "Item",
    "Leftover",
    "NewRole",
    "Outcome",
    "Pick",
    "Suggestion",
    "document",
    "has_custom_roles",
    "lines",
    "rewritten",
    "suggest",
]
