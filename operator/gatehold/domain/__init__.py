"""The core: what is decided, and why. Pure, standard library only.

Nothing in here reads a clock, an environment, a file or a network, and nothing logs: time is an argument and the next
instant that matters is a result. import-linter checks it. Anybody may call it; it calls nobody.
"""
