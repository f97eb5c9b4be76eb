"""Gather: one Argo Rollout, its Gate, and what is asked about it, in one value. By the caches, or live where that counts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gatehold.api import argo_rollout as wire
from gatehold.api import gate as gate_wire
from gatehold.api.common import ParseError
from gatehold.controllers.policies import known_policy
from gatehold.domain.argo.decide import why_unasked
from gatehold.domain.argo.model import ArgoAsked, ArgoGate, ArgoRollout, ArgoSight
from gatehold.domain.phases import Phase
from gatehold.kube.errors import Absent
from gatehold.kube.resources import ARGO_ROLLOUTS, REPLICA_SETS
from gatehold.runtime.parts import Runtime

Body = Mapping[str, Any]


class ArgoGather:
    """Reads for one operator."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's caches and account."""
        self._runtime = runtime

    async def sight(self, namespace: str, name: str, *, live: bool = False) -> ArgoSight:
        """Everything about the Rollout of that name; what the cache lacks is looked up, so that absent means absent.

        `live`: as it is now, with the images of both revisions. Raises the errors of gatehold.kube.
        """
        body: Body | None = None if live else self._runtime.argo_rollouts.get(namespace, name)
        body = body or await self._read(namespace, name)
        label, gate, why = self._gate(namespace)
        if body is None:
            return ArgoSight(label, None, gate, why)
        try:
            rollout, stable = await self._with_images(wire.parse(body), live)
        except ParseError as error:
            return ArgoSight(label, None, gate, why, unread=f"Rollout {name} cannot be read: {error}")
        return ArgoSight(label, rollout, gate, why, self._asked(namespace, name), stable)

    async def _read(self, namespace: str, name: str) -> Body | None:
        try:
            return await self._runtime.cluster.get(ARGO_ROLLOUTS, namespace, name)
        except Absent:
            return None

    async def _with_images(self, rollout: ArgoRollout, live: bool) -> tuple[ArgoRollout, tuple[str, ...]]:
        """What both revisions run, by their ReplicaSets; the template speaks for one that is not there.

        Argo tells revisions by a hash of 32 bits: a template that was made to have the hash of another says nothing of what
        runs, and what a yes lets go.
        """
        if not live:
            return rollout, ()
        runs = await self._images(rollout, rollout.pod_hash)
        return replace(rollout, images=runs or rollout.images), await self._images(rollout, rollout.stable_hash)

    async def _images(self, rollout: ArgoRollout, pod_hash: str) -> tuple[str, ...]:
        if not pod_hash:
            return ()
        try:
            found = await self._runtime.cluster.get(REPLICA_SETS, rollout.namespace, f"{rollout.name}-{pod_hash}")
        except Absent:
            return ()
        return wire.images_of(found, rollout.uid)

    def _gate(self, namespace: str) -> tuple[str, ArgoGate | None, str]:
        """The Gate that the namespace names, with what it is, or why nobody can be asked by it."""
        item = self._runtime.argo_namespaces.named("", namespace)
        if item is None:
            return "", None, f"namespace {namespace} is behind no Gate of type ArgoRollouts"
        body = self._runtime.gates.get("", item.note)
        if body is None:
            return item.note, None, f"there is no Gate {item.note}, which namespace {namespace} names"
        try:
            gate = gate_wire.parse_argo(body)
            flawed = why_unasked(*known_policy(self._runtime, gate.policy), gate.policy, gate.timeout_seconds)
        except ParseError as error:
            return item.note, None, f"Gate {item.note} or its policy cannot be read: {error}"
        return (item.note, None, f"gate {gate.name} asks nobody: {flawed}") if flawed else (item.note, gate, "")

    def _asked(self, namespace: str, name: str) -> tuple[ArgoAsked, ...]:
        subject = (ARGO_ROLLOUTS.api_version, ARGO_ROLLOUTS.kind, namespace, name)
        records = self._runtime.requests.by_subject(subject)
        bodies = (self._runtime.requests.body(record.uid) for record in records)
        return tuple(_asked(body) for body in bodies if body is not None)


def _asked(body: Body) -> ArgoAsked:
    """What a request asks, and how far it is."""
    meta, status = body["metadata"], body.get("status") or {}
    digest = str(((body.get("spec") or {}).get("subject") or {}).get("digest") or "")
    phase = Phase(str(status.get("phase") or ""))
    return ArgoAsked(str(meta["name"]), str(meta["uid"]), digest, phase, prepared=bool(status.get("requestDigest")))
