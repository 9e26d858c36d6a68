"""Who may do what, before and after, each entitlement with its why. Nothing is compared here."""

from permmigrate.entitlements.assigned import AfterAssignment, Assigned, as_assigned
from permmigrate.entitlements.before import ACCOUNT_SCOPE, NO_ROW, NOT_CARRIED_OVER, UNREAD_SHARES
from permmigrate.entitlements.compiled import Baseline
from permmigrate.entitlements.expand import ASSUMPTIONS, Entitlements
from permmigrate.entitlements.grants import Grant, GrantSet, Holding, Masks, Place
from permmigrate.entitlements.tree import FolderTree

__all__ = [
    "ACCOUNT_SCOPE",
    "ASSUMPTIONS",
    "NOT_CARRIED_OVER",
    "NO_ROW",
    "UNREAD_SHARES",
    "AfterAssignment",
    "Assigned",
    "Baseline",
    "Entitlements",
    "FolderTree",
    "Grant",
    "GrantSet",
    "Holding",
    "Masks",
    "Place",
    "as_assigned",
]
