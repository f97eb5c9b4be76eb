"""`gatehold rollout`: show, watch and retry. `sight` reads, `page` and `parts` render, the others are the commands."""
