"""Cedar policy text as atoms of permission over a finite universe.

Policies are parsed by the Cedar engine's own parser, never by ours. What falls outside the shapes that can be
decided exactly is kept as `opaque`, with the reason, so that it can only ever widen the unknown.
"""

from permmigrate.cedar.statements import ANY, PrincipalConstraint, Statement, Unparsed, parse
from permmigrate.cedar.universe import Atom, Located, Rule, Universe

__all__ = [
    "ANY",
    "Atom",
    "Located",
    "PrincipalConstraint",
    "Rule",
    "Statement",
    "Universe",
    "Unparsed",
    "parse",
]
