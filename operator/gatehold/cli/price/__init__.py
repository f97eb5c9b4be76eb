"""`gatehold price`: what manifests would cost, by the figures and the arithmetic of the gate of pods."""
