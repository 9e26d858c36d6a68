"""The only place that speaks HTTP to the vendor: credentials, transport, wire shapes and the reader.

Reading and writing are apart: what is here, but for `writer`, cannot change an account.
"""
