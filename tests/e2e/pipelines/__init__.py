"""The shipped examples for pipelines: each script is run, as its CI system would start it, on the real control plane."""
