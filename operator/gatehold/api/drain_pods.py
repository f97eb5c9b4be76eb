"""The pods of a node from the wire, as far as a drain looks at them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gatehold.api.budgets import Budget, covering
from gatehold.api.common import Body, Wire, read, shortened
from gatehold.api.masking import plain
from gatehold.domain.nodes import Blocked, PodToEvict

MIRROR: Final = "kubernetes.io/config.mirror"
_HASH: Final = "pod-template-hash"
_DAEMON_SET: Final = ("apps/v1", "DaemonSet")
_ENDED: Final = frozenset({"Succeeded", "Failed"})
_MOST_KIND: Final = 63
_MOST_NAME: Final = 253


class _Owner(Wire):
    api_version: str
    kind: str
    name: str
    controller: bool | None = None


class _Metadata(Wire):
    name: str
    namespace: str
    uid: str
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[_Owner] | None = None
    deletion_timestamp: str | None = None


class _Volume(Wire):
    empty_dir: dict[str, Any] | None = None


class _Spec(Wire):
    node_name: str = ""
    volumes: list[_Volume] | None = None


class _Status(Wire):
    phase: str = ""


class _Pod(Wire):
    metadata: _Metadata
    spec: _Spec
    status: _Status = _Status()


def facts(
    bodies: Iterable[Body], budgets: Iterable[Budget] = (), blocked: Mapping[str, Blocked] | None = None
) -> tuple[PodToEvict, ...]:
    """The pods, by address. `blocked` is how evictions tried were answered, by the pod's uid. Raises ParseError."""
    known, waits = tuple(budgets), blocked or {}
    found = [_facts(read(_Pod, body, "pod"), known, waits) for body in bodies]
    return tuple(sorted(found, key=lambda pod: (pod.namespace, pod.name)))


def _facts(pod: _Pod, budgets: tuple[Budget, ...], blocked: Mapping[str, Blocked]) -> PodToEvict:
    meta = pod.metadata
    owner = next((ref for ref in meta.owner_references or [] if ref.controller), None)
    return PodToEvict(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        node=pod.spec.node_name,
        owner=_owner(owner, meta) if owner is not None else "",
        mirror=MIRROR in (meta.annotations or {}),
        daemon_set=owner is not None and (owner.api_version, owner.kind) == _DAEMON_SET,
        ended=pod.status.phase in _ENDED,
        terminating=meta.deletion_timestamp is not None,
        empty_dir=any(volume.empty_dir is not None for volume in pod.spec.volumes or []),
        budgets=covering(budgets, meta.namespace, meta.labels or {}),
        blocked=blocked.get(meta.uid),
    )


def _owner(owner: _Owner, meta: _Metadata) -> str:
    """Whose pod it is, for people: the Deployment rather than its ReplicaSet. The API server takes any text here."""
    kind, name = owner.kind, owner.name
    mark = (meta.labels or {}).get(_HASH, "")
    if kind == "ReplicaSet" and mark and name.endswith(f"-{mark}"):
        kind, name = "Deployment", name.removesuffix(f"-{mark}")
    return f"{shortened(plain(kind), _MOST_KIND)} {meta.namespace}/{shortened(plain(name), _MOST_NAME)}"
