"""Sign-off: what people decided about the expansions of one comparison, cluster by cluster."""

from permmigrate.signoff.value import Clause, Decided, Decision, Signed

__all__ = ["Clause", "Decided", "Decision", "Signed"]
