"""`make bench`: how fast the operator is, as ratios to a bare loop in the same run on the same machine.

The bare loop is an asyncio watch, then the same number of writes to the same kinds of objects, without deciding. Absolute
times say little; the ratio says what deciding costs. `rows` is the table of what is measured; each module of `groups`
measures some of its rows; `rig` is what they measure on.
"""
