"""Hold a live account to the plan that was applied: as planned, missing, extra, changed by others."""

from permmigrate.verify.check import check
from permmigrate.verify.value import Deviation, Standing, Verification

__all__ = ["Deviation", "Standing", "Verification", "check"]
