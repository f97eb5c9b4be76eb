"""What Flux, Argo CD and Helm make of Gatehold's objects, and of what they apply: a real API server, their own code."""
