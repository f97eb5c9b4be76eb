"""A Rollout of Argo (argoproj.io/v1alpha1) from the wire: where it stands, and the digest of what its pause asks. Pure.

Read as its controller reads it: it goes on when `status.pauseConditions` is gone while `status.controllerPause` is true.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from gatehold.api.common import Body, ParseError, shortened, stamp, time
from gatehold.api.digest import digest, strategy_digest, template_digest
from gatehold.domain.argo.model import STEP_PAUSE, SWITCH_PAUSE, ArgoRollout

API_VERSION: Final = "argoproj.io/v1alpha1"
KIND: Final = "Rollout"
LABEL: Final = "gatehold.dev/argo-rollouts"
SCHEME: Final = "gatehold.dev/argo-pause/v1"
MOST_IMAGES: Final = 16  # as in the CRD of requests
MOST_IMAGE: Final = 1024
_RUNS: Final = (
    ("canary", "currentStepAnalysisRunStatus", "analysis of this step"),
    ("canary", "currentBackgroundAnalysisRunStatus", "analysis in the background"),
    ("blueGreen", "prePromotionAnalysisRunStatus", "analysis before the switch"),
)

Json = dict[str, Any]


def parse(body: Body) -> ArgoRollout:
    """The Rollout as a value. Raises ParseError where its controller could not have written it so."""
    try:
        return _rollout(body)
    except ParseError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ParseError(f"argoproj.io Rollout: {type(error).__name__}") from None


def images(template: Mapping[str, Any]) -> tuple[str, ...]:
    """What the containers of a pod template run, init containers first. Raises TypeError, AttributeError or KeyError."""
    spec = template.get("spec") or {}
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return tuple(shortened(str(container["image"]), MOST_IMAGE) for container in containers[:MOST_IMAGES])


def images_of(replica_set: Body, rollout_uid: str) -> tuple[str, ...]:
    """The same of a ReplicaSet, if that Rollout controls it; else none. Raises ParseError."""
    try:
        owners = replica_set["metadata"].get("ownerReferences") or ()
        if not any(owner.get("controller") and owner.get("uid") == rollout_uid for owner in owners):
            return ()
        return images((replica_set.get("spec") or {}).get("template") or {})
    except (KeyError, TypeError, AttributeError) as error:
        raise ParseError(f"ReplicaSet: {type(error).__name__}") from None


def gate_of(namespace: Body) -> str:
    """The Gate that the label of a namespace names for Argo Rollouts, empty where there is none."""
    return str((namespace["metadata"].get("labels") or {}).get(LABEL) or "")


def _rollout(body: Body) -> ArgoRollout:
    meta, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    strategy = spec.get("strategy") or {}
    canary, blue_green = strategy.get("canary") or {}, strategy.get("blueGreen")
    steps = canary.get("steps") or []
    step = None if blue_green is not None else int(status.get("currentStepIndex") or 0)
    traffic = ((status.get("canary") or {}).get("weights") or {}).get("canary") or {}
    found = ArgoRollout(
        namespace=str(meta["namespace"]),
        name=str(meta["name"]),
        uid=str(meta["uid"]),
        resource_version=str(meta["resourceVersion"]),
        pod_hash=str(status.get("currentPodHash") or ""),
        stable_hash=str(status.get("stableRS") or ""),
        blue_green=blue_green is not None,
        step=step,
        steps=len(steps),
        weight=_weight(steps, step),
        resuming=status.get("controllerPause") is True and not status.get("pauseConditions"),
        stopped=spec.get("paused") is True,
        observed=str(status.get("observedGeneration") or "") == str(meta.get("generation") or ""),
        deleting=bool(meta.get("deletionTimestamp")),
        aborted=status.get("abort") is True,
        abort_seen=status.get("abort") is True and bool(status.get("abortedAt")),
        phase=str(status.get("phase") or ""),
        replicas=1 if spec.get("replicas") is None else int(spec["replicas"]),
        updated=int(status.get("updatedReplicas") or 0),
        available=int(status.get("availableReplicas") or 0),
        routed=canary.get("trafficRouting") is not None,
        routed_weight=int(traffic.get("weight") or 0),
        active_hash=str((status.get("blueGreen") or {}).get("activeSelector") or ""),
        images=images(spec.get("template") or {}),
        analyses=tuple(_analyses(status)),
        workload=_workload(spec.get("workloadRef")),
    )
    return _with_pause(found, spec, status)


def _with_pause(rollout: ArgoRollout, spec: Json, status: Json) -> ArgoRollout:
    """Say for what it waits, if it is for a person: a pause that would not end by itself."""
    mine = SWITCH_PAUSE if rollout.blue_green else STEP_PAUSE
    pauses = status.get("pauseConditions") or []
    since = next((time(str(pause["startTime"])) for pause in pauses if pause["reason"] == mine), None)
    others = tuple(str(pause["reason"])[:64] for pause in pauses if pause["reason"] != mine)
    found = replace(rollout, other_pauses=others)
    waits = since is not None and status.get("controllerPause") is True and _is_endless(rollout, spec)
    if not waits or rollout.aborted or rollout.promoted or not rollout.pod_hash:
        return found
    return replace(found, paused_at=since, asks=_digest(found, spec, since))


def _is_endless(rollout: ArgoRollout, spec: Json) -> bool:
    strategy = spec.get("strategy") or {}
    if rollout.blue_green:
        return strategy["blueGreen"].get("autoPromotionEnabled") is False
    steps, step = (strategy.get("canary") or {}).get("steps") or [], rollout.step or 0
    pause = steps[step].get("pause") if step < len(steps) else None
    return pause is not None and pause.get("duration") is None


def _digest(rollout: ArgoRollout, spec: Json, since: datetime | None) -> str:
    """One pause of one revision, with its template and its whole strategy: another pause there is another question."""
    return digest(
        {
            "scheme": SCHEME,
            "uid": rollout.uid,
            "template": template_digest({"template": spec.get("template"), "workloadRef": spec.get("workloadRef")}),
            "strategy": strategy_digest(spec.get("strategy")),
            "podHash": rollout.pod_hash,
            "stableHash": rollout.stable_hash,
            "step": rollout.step,
            "pausedAt": stamp(since),
            "besides": sorted(rollout.other_pauses),  # a yes takes them away as well
        }
    )


def _weight(steps: list[Json], step: int | None) -> int:
    """The share that the last weight up to this step gives, in percent; none was given: 0."""
    if step is None:
        return 0
    given = [int(one["setWeight"]) for one in steps[: step + 1] if one.get("setWeight") is not None]
    return given[-1] if given else 0


def _analyses(status: Json) -> Iterator[tuple[str, str]]:
    """Which runs there are, and how far: name, phase, and what the run says of itself."""
    for member, field, title in _RUNS:
        run = (status.get(member) or {}).get(field)
        if run:
            said = f": {run['message']}" if run.get("message") else ""
            yield title, f"{run.get('name') or 'unnamed'}: {run.get('status') or 'Unknown'}{said}"


def _workload(ref: Json | None) -> str:
    return f"{ref.get('kind') or ''}/{ref.get('name') or ''}"[:256] if ref else ""
