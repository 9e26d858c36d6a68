"""What an administrator should settle before the move, area by area, with a figure whose arithmetic is shown.

It judges what the snapshot, the mapping tables and the comparison say. It reads nothing and changes nothing,
and the figure is advice: nothing in the product is allowed or refused by it.
"""

from permmigrate.diff import Severity
from permmigrate.readiness.assess import assess
from permmigrate.readiness.scoring import SECTIONS, SUBJECTS_SHOWN, Section
from permmigrate.readiness.value import Area, AreaVerdict, Readiness, ReadinessFinding

__all__ = [
    "SECTIONS",
    "SUBJECTS_SHOWN",
    "Area",
    "AreaVerdict",
    "Readiness",
    "ReadinessFinding",
    "Section",
    "Severity",
    "assess",
]
