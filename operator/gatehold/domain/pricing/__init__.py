"""What pods cost: quantities, what a pod takes of a node, and a price table's figure for it. Decimal, exact and pure.

The gate of pods and `gatehold price` call it, with the same pod and table; nothing here knows an API server.
"""
