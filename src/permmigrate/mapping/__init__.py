"""Tables that people edit, and what they make of the legacy grants."""

from permmigrate.mapping.value import (
    BaselineAnswer,
    Granted,
    LegacyKind,
    PlannedAssignment,
    RowRef,
    Translation,
    Untranslated,
)

__all__ = [
    "BaselineAnswer",
    "Granted",
    "LegacyKind",
    "PlannedAssignment",
    "RowRef",
    "Translation",
    "Untranslated",
]
