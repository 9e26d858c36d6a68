"""Lists that people keep, as a snapshot: what an account with no API, or with half of one, can be told by.

`reading.read` takes files, `assemble.assemble` makes the account of them. Every problem of every file is told
at once, and no name is bent to another that is near.
"""
