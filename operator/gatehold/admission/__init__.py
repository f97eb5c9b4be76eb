"""The admission wall: the texts that we ship, and the proof that the API server enforces them. For controllers and CLI."""
