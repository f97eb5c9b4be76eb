"""The wall and the main job on every supported Kubernetes version: `make test-versions` runs them, one after the other.

What came of it is kept in `result.json`, from which docs/reference/versions.md is generated.
"""
