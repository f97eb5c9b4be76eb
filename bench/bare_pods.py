"""The bare loop for pods: it takes the gates off every pod of an owner whose request has a verdict, and does nothing else.

    python -m bench.bare KUBECONFIG NAMESPACE open

It writes no status and no Event: what a decision costs beside its pods is the operator's to make good. The operator is down
meanwhile, since it would take these pods for its own.
"""

import contextlib
from typing import Any, Final

from bench.bare import Bare
from gatehold.api.approval_request import VERDICT_PREFIX
from gatehold.kube.errors import ApiError
from gatehold.kube.resources import PODS, REQUESTS

Body = dict[str, Any]
LABEL: Final = "gatehold.dev/pods"
APP: Final = "app"


class BarePods(Bare):
    """One bare loop."""

    async def open(self) -> None:
        """Let the pods go of every owner whose request has a verdict, for ever. Which pods those are is read before."""
        theirs: dict[str, list[str]] = {}
        async for page in self._cluster.list_pages(PODS, self._namespace, LABEL):
            for pod in page.items:
                theirs.setdefault(pod["metadata"]["labels"][APP], []).append(pod["metadata"]["name"])
        version = [page.resource_version async for page in self._cluster.list_pages(REQUESTS, self._namespace)][-1]
        print("ready", flush=True)
        served: set[str] = set()
        while True:
            with contextlib.suppress(ApiError):
                async for event in self._cluster.watch(REQUESTS, version, namespace=self._namespace, seconds=3600):
                    body = event["object"]
                    meta, version = body["metadata"], body["metadata"]["resourceVersion"]
                    said = any(key.startswith(VERDICT_PREFIX) for key in meta.get("annotations") or {})
                    if said and meta["uid"] not in served:
                        served.add(meta["uid"])
                        for name in theirs[body["spec"]["subject"]["name"]]:
                            self._start(self._let_go(name, meta["uid"]))

    async def _let_go(self, name: str, by: str) -> None:
        mark = {"op": "add", "path": "/metadata/annotations", "value": {"gatehold.dev/released-by": by}}
        async with self._gate:
            gate = {"op": "remove", "path": "/spec/schedulingGates/0"}
            await self._cluster.json_patch(PODS, self._namespace, name, [gate, mark])
