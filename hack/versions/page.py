"""docs/reference/versions.md, from the kept results and from what is known to differ by design."""

from typing import Final

from controlplane import pins
from versions.parts import PARTS, TITLES
from versions.result import load

_HEAD: Final = """# Kubernetes versions

Supported are 1.30 and later. `make test-versions` builds these versions from their Go modules, as `make test` builds the
default one, and runs the wall's table and the main job on each. `make test-versions VERSIONS=1.33` does it for one;
`hack/controlplane/README.md` says how to pin another.

## The last run
"""

_BELOW: Final = """
Below 1.36 the tests that need stamping are left out, and others stand in for them: verdicts in the stored form, and the
main job told with `gatehold` instead of `kubectl annotate`. So the numbers of tests differ.

## What differs by design
"""

_DIFFERENCES: Final = (
    (
        "what is installed of `manifests/wall/`",
        "everything",
        "everything but `2*-stamp*.yaml`, whose kind the API server does not know",
    ),
    (
        "a word of `kubectl annotate`",
        "becomes a verdict (MutatingAdmissionPolicy)",
        "is refused, and the refusal shows the stored form; `gatehold approve`, `deny`, `withdraw`, `override` write it",
    ),
    (
        "the role of a verdict",
        "is chosen by the API server",
        "is chosen by `gatehold`; by hand it is part of the stored form",
    ),
    (
        "who asks (`spec.requester`)",
        "is stamped",
        "stands in the manifest, or `gatehold ask` fills it in; the API server checks it",
    ),
    (
        "who changed the subject (`spec.authors`)",
        "are stamped on the Rollout and stand in its requests",
        "are unknown, unless whoever changes the Rollout writes them (checked then); unknown, `onUnknownRequester` holds",
    ),
    (
        "who broke the glass on a held Job or a child of a Rollout (`gatehold.dev/override-by`)",
        "is stamped",
        "may stand in the same write, and is checked; otherwise the audit log of the API server alone knows",
    ),
    (
        "`kubectl replace` of a Rollout by a manifest from Git (Argo CD: `Replace=true`)",
        "leaves the operator's finalizer where it is",
        "is refused, since it would take the operator's finalizer off; use apply",
    ),
    (
        "who cordoned a gated node (`gatehold.dev/cordoned-by`)",
        "is stamped; a refused `kubectl drain` is undone if its person had cordoned the node",
        "may stand in the same write, and is checked; otherwise nobody knows, and the node stays cordoned",
    ),
    (
        "pods and Jobs of a namespace with label `gatehold.dev/pods`",
        "get scheduling gate, `suspend: true` and label when they are created (MutatingAdmissionPolicy)",
        "get them by the webhook `gatehold-pods`, where installed; otherwise templates bring them, or they are refused",
    ),
    (
        "break-glass on a pod or Job that waits",
        "`kubectl annotate ... gatehold.dev/override=WHY`, and nothing else",
        "one patch: the reason, `gatehold.dev/override-by`, and the gate (or `suspend`) gone",
    ),
    (
        "what the operator demands before it prepares or releases",
        "the validating policies as shipped, two forgeries refused; the stamping policy, where installed, as shipped",
        "the validating policies as shipped, two forgeries refused",
    ),
)
"""What, on 1.36 and later, before."""

_FOOT: Final = """
What is refused is the same everywhere: stamping writes for people what the validating policies then judge.

    kubectl apply --server-side -f manifests/wall/                  # 1.36 and later
    kubectl apply --server-side -f 'manifests/wall/[13]*.yaml'      # 1.30 to 1.35

- Below 1.36 the operator's log says once, at its start, that `mutatingadmissionpolicies` are unresolved resources: the API
  server does not serve them, and none is needed.
- Below 1.32 a Job's `spec.managedBy` is dropped by the API server before anybody could refuse it; the Job is the Job
  controller's then, as it has to be.
- On 1.30 `kubectl get apr --field-selector=status.phase=Pending` is refused: fields of custom resources can be selected by
  from 1.31 on. Gatehold itself selects by label.
"""


def page() -> str:
    """The whole page."""
    titles = [f"{TITLES[part]}: passed" for part in PARTS]
    lines = [_HEAD, *_table("Kubernetes", "run on", *titles, "words become verdicts by")]
    results = {result.kubernetes: result for result in load()}
    for pin in pins.known():
        result = results.get(pin.version)
        counts = [str(result.counts[part]) if result else "" for part in PARTS]
        by = "the API server" if pin.number >= (1, 36) else "`gatehold`"
        lines.append(_row(pin.version, result.date if result else "not yet", *counts, by))
    lines += [_BELOW, *_table("", "1.36 and later", "1.30 to 1.35"), *(_row(*row) for row in _DIFFERENCES)]
    return "\n".join(lines) + "\n" + _FOOT


def _table(*titles: str) -> list[str]:
    return [_row(*titles), "|" + "---|" * len(titles)]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
