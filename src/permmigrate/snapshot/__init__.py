"""What an account looked like at one moment, with a ledger of what could not be read.

A snapshot is evidence: it holds no secret, and it never leaves out what was not read without saying so.
"""

from permmigrate.snapshot.value import SCHEMA_VERSION, Snapshot

__all__ = ["SCHEMA_VERSION", "Snapshot"]
