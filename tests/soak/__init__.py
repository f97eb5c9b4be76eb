"""The soak: half an hour of random life under random faults, and then the invariants checked on what the API server says."""
