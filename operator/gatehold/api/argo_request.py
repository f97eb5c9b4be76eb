"""The ApprovalRequest that the operator opens about a pause of an Argo Rollout: what a yes lets go, and what is shown."""

from typing import Any, Final

from gatehold.api.approval_request import GATE_LABEL
from gatehold.api.argo_rollout import API_VERSION as ARGO
from gatehold.api.argo_rollout import KIND
from gatehold.api.common import API_VERSION, shortened, sparse
from gatehold.api.masking import image, masked
from gatehold.domain.argo.model import ArgoQuestion, ArgoRollout
from gatehold.domain.model import EffectType

MOST_EVIDENCE: Final = 32  # as in the CRD, and so is this
MOST_SUMMARY: Final = 256
_MOST_IMAGES: Final = 8

Json = dict[str, Any]


def request(question: ArgoQuestion, stable_images: tuple[str, ...], requester: str, key: str) -> Json:
    """The whole request; `requester` is the operator's own account, `key` is what values are masked under."""
    rollout = question.rollout
    spec = sparse(
        policyRef={"name": question.gate.policy},
        summary=shortened(_summary(rollout), MOST_SUMMARY),
        description=_description(rollout),
        evidence=_evidence(rollout, stable_images, key)[:MOST_EVIDENCE],
        subject={
            "apiVersion": ARGO,
            "kind": KIND,
            "namespace": rollout.namespace,
            "name": rollout.name,
            "uid": rollout.uid,
            "digest": rollout.asks,
        },
        effect={"type": str(EffectType.PROMOTE)},
        timeoutSeconds=question.gate.timeout_seconds,
        requester={"username": requester},
    )
    metadata = {"name": question.name, "namespace": rollout.namespace, "labels": {GATE_LABEL: question.gate.name}}
    return {"apiVersion": API_VERSION, "kind": "ApprovalRequest", "metadata": metadata, "spec": spec}


def _summary(rollout: ArgoRollout) -> str:
    if rollout.step is None:
        return f"switch {rollout.name} to revision {rollout.pod_hash}"
    return f"let canary {rollout.pod_hash} of {rollout.name} go on from step {rollout.step + 1} of {rollout.steps}"


def _description(rollout: ArgoRollout) -> str:
    goes = "its active Service selects the new revision" if rollout.step is None else "the canary goes on to its next step"
    return (
        f"Approved: {goes}; later pauses are asked about one by one.\n"
        f"Otherwise: the Rollout is aborted and runs {rollout.stable_hash} again; Git holds the rejected revision then."
    )


def _evidence(rollout: ArgoRollout, stable_images: tuple[str, ...], key: str) -> list[Json]:
    """Which revision and how far it is, then what it runs, then what was measured."""
    rows: list[Json] = [
        {"name": "revision", "value": rollout.pod_hash, "baseline": rollout.stable_hash, "source": "pod template hash"}
    ]
    if rollout.step is not None:
        rows += [
            {"name": "step", "value": f"{rollout.step + 1} of {rollout.steps}"},
            {"name": "weight", "value": str(rollout.weight), "unit": "%"},
        ]
    rows += [{"name": "pods available", "value": f"{rollout.available} of {rollout.replicas} wanted"}]
    rows += [{"name": "pods of the new revision", "value": str(rollout.updated)}]
    rows += [sparse(name="template of", value=masked(key, rollout.workload))] if rollout.workload else []
    rows += _images(rollout.images, stable_images, key)
    rows += [{"name": title, "value": masked(key, said)} for title, said in rollout.analyses]
    return [*rows, *({"name": "paused besides", "value": masked(key, reason)} for reason in rollout.other_pauses)]


def _images(now: tuple[str, ...], stable: tuple[str, ...], key: str) -> list[Json]:
    """Image by image, in the order of the containers; what stable runs at that place is beside it."""
    return [
        sparse(
            name="image",
            value=image(key, found) or "no name",
            baseline=image(key, stable[place]) if place < len(stable) else "",
        )
        for place, found in enumerate(now[:_MOST_IMAGES])
    ]
