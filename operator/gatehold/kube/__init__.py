"""The only code that talks to the API server.

Controllers, the runtime, the wall's proof and the CLI may call it; `domain` and `api` may not.
Nothing of the HTTP library leaves this package: answers are plain dicts, failures are `kube.errors`.
"""
