"""`gatehold drain` and `uncordon`. `sight` reads what a request says of nodes, `parts` renders it; then the commands."""
