"""What an API server writes into a pod spec where nothing is given: a template without it means the same.

A Deployment's template is filled in when it is stored, a Rollout's is not, and some fields are filled in for pods only.
"""

from collections.abc import Mapping
from typing import Any, Final

from gatehold.domain.pricing.quantity import QuantityError, parse

Steps = tuple[str, ...]
Json = Mapping[str, Any]


def _paths(*texts: str) -> tuple[Steps, ...]:
    return tuple(tuple(step for step in text.split(".") if step) for text in texts)


_CONTAINERS: Final = ("containers", "initContainers")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS: Final = (*_PROBES, "lifecycle.postStart", "lifecycle.preStop")
_FIELDS: Final = ("volumes.[].downwardAPI", "volumes.[].projected.sources.[].downwardAPI")

_OF_POD: Final[Mapping[str, Any]] = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "enableServiceLinks": True,
    "serviceAccountName": "default",
    "securityContext": {},
    "hostNetwork": False,
    "hostPID": False,
    "hostIPC": False,
    "volumes.[].emptyDir.medium": "",
    "volumes.[].hostPath.type": "",
    "volumes.[].persistentVolumeClaim.readOnly": False,
    "volumes.[].nfs.readOnly": False,
    "volumes.[].secret.defaultMode": 420,
    "volumes.[].configMap.defaultMode": 420,
    "volumes.[].downwardAPI.defaultMode": 420,
    "volumes.[].projected.defaultMode": 420,
    "volumes.[].projected.sources.[].serviceAccountToken.expirationSeconds": 3600,
    "volumes.[].ephemeral.volumeClaimTemplate.spec.volumeMode": "Filesystem",
    "volumes.[].ephemeral.volumeClaimTemplate.metadata": {},
    **{f"{where}.items.[].fieldRef.apiVersion": "v1" for where in _FIELDS},
    **{f"{where}.items.[].resourceFieldRef.divisor": "0" for where in _FIELDS},
}
_OF_CONTAINER: Final[Mapping[str, Any]] = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "resources": {},
    "securityContext": {},
    "securityContext.procMount": "Default",
    "stdin": False,
    "stdinOnce": False,
    "tty": False,
    "ports.[].protocol": "TCP",
    "ports.[].hostPort": 0,
    "env.[].value": "",
    "env.[].valueFrom.fieldRef.apiVersion": "v1",
    "env.[].valueFrom.resourceFieldRef.divisor": "0",
    "volumeMounts.[].readOnly": False,
    **{f"{handler}.httpGet.scheme": "HTTP" for handler in _HANDLERS},
    **{f"{handler}.httpGet.path": "/" for handler in _HANDLERS},
    **{f"{probe}.initialDelaySeconds": 0 for probe in _PROBES},
    **{f"{probe}.timeoutSeconds": 1 for probe in _PROBES},
    **{f"{probe}.periodSeconds": 10 for probe in _PROBES},
    **{f"{probe}.successThreshold": 1 for probe in _PROBES},
    **{f"{probe}.failureThreshold": 3 for probe in _PROBES},
    **{f"{probe}.grpc.service": "" for probe in _PROBES},
}
_DEFAULTS: Final[Mapping[Steps, Any]] = {
    **dict(zip(_paths(*_OF_POD), _OF_POD.values(), strict=True)),
    **{
        (part, "[]", *path): value
        for part in _CONTAINERS
        for path, value in zip(_paths(*_OF_CONTAINER), _OF_CONTAINER.values(), strict=True)
    },
}
_QUANTITIES: Final = frozenset(
    (
        ("overhead",),
        *_paths(
            "resources.requests", "resources.limits", "volumes.[].ephemeral.volumeClaimTemplate.spec.resources.requests"
        ),
        *((part, "[]", "resources", which) for part in _CONTAINERS for which in ("requests", "limits")),
    )
)
_LIMIT: Final = _paths("volumes.[].emptyDir.sizeLimit")[0]


def bare(spec: Json) -> dict[str, Any]:
    """The spec without what an API server would fill in, and each quantity in one form of the many that it may have."""
    found: dict[str, Any] = _bare(spec, ())
    return found


def _bare(value: Any, steps: Steps) -> Any:  # noqa: ANN401 (whatever JSON carries)
    if isinstance(value, list):
        return [_bare(item, (*steps, "[]")) for item in value]
    if steps == _LIMIT:
        return _quantity(value)
    if not isinstance(value, Mapping):
        return value
    if steps in _QUANTITIES:
        return {name: _quantity(amount) for name, amount in value.items()}
    members = {name: _bare(member, (*steps, str(name))) for name, member in value.items()}
    return {name: member for name, member in members.items() if not _is_default((*steps, str(name)), member)}


def _is_default(steps: Steps, value: object) -> bool:
    """Whether it says what holds without it. `1` and `true` are two."""
    if value is None or value == []:
        return True
    return steps in _DEFAULTS and type(value) is type(_DEFAULTS[steps]) and value == _DEFAULTS[steps]


def _quantity(amount: object) -> object:
    """`500m` and `0.5` are one; what is no quantity stays as it is."""
    if isinstance(amount, bool) or not isinstance(amount, str | int):
        return amount
    try:
        return f"{parse(str(amount)).normalize():f}"
    except QuantityError:
        return amount
