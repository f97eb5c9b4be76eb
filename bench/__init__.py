"""`make bench`: how fast the operator is, as ratios to a bare loop in the same run on the same machine.

The bare loop is an asyncio watch, then the same number of writes to the same kinds of objects, without deciding. Absolute
times say little; the ratio says what deciding costs.
"""
