"""The gate of pods: what is held, whether it may go, what people are asked. Pure; `decide` is the way in."""
