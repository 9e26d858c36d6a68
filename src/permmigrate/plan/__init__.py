"""What will be done, in what order, under which guards: a plan that `apply` executes and nothing else does.

It computes and it reads and writes plan files; it never speaks to the service.
"""

from permmigrate.plan.operation import (
    NEW_ROLE,
    Body,
    Definition,
    Done,
    Held,
    Kind,
    Operation,
    PolicyBody,
    RoleBody,
    role_id_of,
)
from permmigrate.plan.value import (
    ByHand,
    Digests,
    Expansion,
    Expected,
    GuardResult,
    LeftOut,
    Limits,
    Plan,
    Standing,
    Wave,
)

__all__ = [
    "NEW_ROLE",
    "Body",
    "ByHand",
    "Definition",
    "Digests",
    "Done",
    "Expansion",
    "Expected",
    "GuardResult",
    "Held",
    "Kind",
    "LeftOut",
    "Limits",
    "Operation",
    "Plan",
    "PolicyBody",
    "RoleBody",
    "Standing",
    "Wave",
    "role_id_of",
]
