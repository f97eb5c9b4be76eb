"""`gatehold`, also `kubectl gatehold`: people and pipelines ask, decide, wait and check. Nothing imports this package.

`main` knows every command; a command's module is light, and what it needs is imported when it runs, so that help and
completion answer at once. Every text of a resource goes through `text.plain` before a terminal sees it.
"""
