"""The shell around kopf: watch events in, keys out, one cycle of gather, decide and apply for each key.

`operator.run` composes it; controllers see it only through `runtime.parts` (what they get and what they must be).
"""
