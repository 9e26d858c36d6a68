"""Executes a plan on a live account: journal, lock, execution, resume, and what is left to do.

It speaks no HTTP: the account is a `Live`, which `cloudinary.writer` is. What is to be done comes from the
plan; nothing is decided here but when to stop.
"""
