"""`gatehold approve --all`: one yes to many requests, each with the digest that was shown, and what is odd left out."""
