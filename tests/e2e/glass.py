"""Who may break the glass at a Gate in a test: dana, by verb override, and the rights to what she then changes by hand."""

import json

from controlplane import Cluster
from tests.e2e.stage import GROUP, Body

_RBAC = "rbac.authorization.k8s.io"


def let_dana_override(cluster: Cluster, gate: str, *rules: Body) -> None:
    """Dana may open by hand what waits at that Gate; `rules` say what else she may do, everywhere."""
    name = f"override-{gate}"
    verb = {"apiGroups": [GROUP.partition("/")[0]], "resources": ["gates"], "resourceNames": [gate], "verbs": ["override"]}
    role = {"kind": "ClusterRole", "rules": [verb, *rules]}
    binding = {
        "kind": "ClusterRoleBinding",
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": "dana"}],
    }
    both = [{"apiVersion": f"{_RBAC}/v1", "metadata": {"name": name}, **body} for body in (role, binding)]
    whole = {"apiVersion": "v1", "kind": "List", "items": both}
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(whole))
