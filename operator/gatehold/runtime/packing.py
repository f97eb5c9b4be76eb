"""Bodies as few bytes: the caches keep a hundred thousand of them; only `cache` and `objects` call it.

A parsed body of 0.8 KB costs about 5.4 KB of dicts; as JSON, deflated against a dictionary of the words that every such body
has, a few hundred bytes. managedFields are left out: nobody decides by them and they are half of a body.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

_WINDOW = -13
_MEMORY = 6
_WORDS = (
    b'"state":"Waiting","state":"Running","prior":{"suspend":true},"decision":{"outcome":"by":"People","at":"tier":"reason":"'
    b'"verdicts":[{"id":1,"verdict":"approve","digest":"sha256:"role":"username":"option":"comment":"observedAt":"counted":'
    b'"parallelism":1,"completions":1,"backoffLimit":6,"template":{"metadata":{"labels":{"containers":[{"name":"image":"'
    b'"command":["sh","-c","resources":{"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File",'
    b'"imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Never","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst"'
    b'"securityContext":{},"schedulerName":"default-scheduler"}},"completionMode":"NonIndexed","suspend":true,'
    b'"podReplacementPolicy":"TerminatingOrFailed","manualSelector":"selector":{"matchLabels":{"batch.kubernetes.io/'
    b'controller-uid":"batch.kubernetes.io/job-name":"apiVersion":"batch/v1","kind":"Job","gatehold.dev/hold":"'
    b'"description":"links":[{"title":"url":"https://"evidence":[{"name":"value":"baseline":"unit":"source":"risk":{"score":'
    b'"cost":{"amount":"currency":"period":"low":"high":"onBehalfOf":["traceID":"options":[{"name":"summary":"timeoutSeconds":'
    b'"quorum":[{"role":"count":1,"backups":["acceptedRoles":["policy":{"name":"uid":"generation":1,"digest":"sha256:'
    b'"validitySeconds":3600,"retentionSeconds":2592000},"resolved":{"job":{"images":["commands":["serviceAccountName":"default"'
    b'"escalations":[{"afterSeconds":"roles":["approvals":"0/1","preparedAt":"deadline":"validUntil":"requestDigest":"sha256:'
    b'"conditions":[{"type":"Ready","status":"False","reason":"message":"lastTransitionTime":"2026-01-01T00:00:00.000000Z",'
    b'"observedGeneration":1},{"type":"Reconciling","status":"True"},{"type":"Stalled"},{"type":"Held","status":"True",'
    b'"reason":"WaitingForReviewers"},{"type":"Approved","status":"False"}],"phase":"Pending","observedGeneration":-1}}'
    b'{"apiVersion":"gatehold.dev/v1alpha1","kind":"ApprovalRequest","metadata":{"annotations":{"gatehold.dev/prepared-by":"'
    b'"kubectl.kubernetes.io/last-applied-configuration":"verdict.gatehold.dev/1":"labels":{"creationTimestamp":'
    b'"2026-01-01T00:00:00Z","generation":1,"name":"namespace":"default","resourceVersion":"uid":"},"spec":{"policyRef":{"name":'
    b'"subject":{"effect":{"type":"Release","release":{"undo":{"requester":{"username":"system:serviceaccount:","uid":"groups":'
    b'["system:serviceaccounts","system:authenticated"]}}'
)


def pack(body: Mapping[str, Any]) -> bytes:
    """Serialise without managedFields and deflate."""
    meta = body.get("metadata") or {}
    if "managedFields" in meta:
        body = {**body, "metadata": {key: value for key, value in meta.items() if key != "managedFields"}}
    raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    squeeze = zlib.compressobj(1, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    return squeeze.compress(raw) + squeeze.flush()


def unpack(packed: bytes) -> dict[str, Any]:
    """Give back a body that the caller owns and may change."""
    expand = zlib.decompressobj(_WINDOW, _WORDS)
    raw = expand.decompress(packed) + expand.flush()
    body: dict[str, Any] = json.loads(raw.decode("utf-8", "surrogatepass"))
    return body
