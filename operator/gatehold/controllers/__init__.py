"""Gather, decide, apply: one file a kind. The shell between the core and the API server; the runtime calls it.

`composition` puts the parts together; `approval_request` and `approval_policy` are the cycles; `effects` touch subjects.
"""
