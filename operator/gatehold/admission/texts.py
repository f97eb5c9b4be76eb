"""The texts of the wall as this version ships them, and how a cluster's differ. Pure but for reading package data.

The proof and `gatehold doctor` call it. What counts is each object's whole spec: a binding set to Audit, one with an
exclusion or parameters, a lax text of the same name and a missing object are all differences. Labels and annotations
that others add are none. An installation may leave a type of Gate out: then its files of the wall are not expected, and
in their place a policy is that refuses what would name such a Gate (manifests/left-out).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from gatehold.domain.model import GateType

Body = Mapping[str, Any]
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's takes an eighth of the time at every start

PART_OF: Final = "app.kubernetes.io/part-of=gatehold"
"""Label selector that finds every object of the wall (and a little more, which is ignored)."""

VALIDATING: Final = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
STAMPING: Final = ("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding")
"""Stamping is a convenience of 1.36 and later. It may be absent, since the wall judges what it writes; where it is
present it must be ours: another text could turn one word of a person into another."""

GATE_OF: Final[Mapping[str, GateType]] = {
    "15-rollouts.yaml": GateType.ROLLOUTS,
    "17-nodes.yaml": GateType.DRAINS,
    "19-argo-rollouts.yaml": GateType.ARGO_ROLLOUTS,
    "19-pods-hand.yaml": GateType.PODS,
    "19-pods-jobs.yaml": GateType.PODS,
    "19-pods.yaml": GateType.PODS,
    "21-stamp-authors.yaml": GateType.ROLLOUTS,
    "22-stamp-nodes.yaml": GateType.DRAINS,
    "23-stamp-pods.yaml": GateType.PODS,
}
"""The files of the wall that are there for one type of Gate, and left out with it. All others always stand."""

_IN_PLACE: Final[Mapping[str, GateType]] = {
    "argo-rollouts.yaml": GateType.ARGO_ROLLOUTS,
    "drains.yaml": GateType.DRAINS,
    "pods.yaml": GateType.PODS,
    "rollouts.yaml": GateType.ROLLOUTS,
}
_CONSTRAINTS: Final[Mapping[str, Any]] = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
_MISSING: Final = object()


class Difference(NamedTuple):
    """One place where the cluster's wall is not as shipped; `what` is a path into the object, or `missing`."""

    kind: str
    name: str
    what: str

    def __str__(self) -> str:
        """Render for a person."""
        return f"{self.kind} {self.name}: {self.what}" + ("" if self.what == "missing" else " differs from the shipped text")


def shipped(gates: Collection[str] = tuple(GateType)) -> tuple[Body, ...]:
    """Every policy and binding that this version ships for an installation with these types of Gates, by file and place."""
    texts = (*_files("wall", lambda name: GATE_OF.get(name) in (None, *gates)), *left_out_files(gates))
    bodies = (body for text in texts for body in yaml.load_all(text, Loader=_LOADER))
    return tuple(body for body in bodies if body and body["kind"] in (*VALIDATING, *STAMPING))


def eviction_webhook() -> Body:
    """The webhook configuration for evictions as this version ships it: without a caBundle, which the installation has."""
    found: Body = yaml.safe_load((folder("webhook") / "evictions.yaml").read_text(encoding="utf-8"))
    return found


def pod_webhook() -> Body:
    """The webhook configuration that marks pods as this version ships it, without a caBundle."""
    found: Body = yaml.safe_load((folder("webhook") / "pods.yaml").read_text(encoding="utf-8"))
    return found


def compare(expected: Iterable[Body], live: Iterable[Body]) -> list[Difference]:
    """Say how the live objects differ from the expected ones; other live objects are ignored. Empty means: as shipped."""
    present = {(body.get("kind"), body["metadata"]["name"]): body for body in live}
    found: list[Difference] = []
    for body in expected:
        kind, name = str(body["kind"]), str(body["metadata"]["name"])
        other = present.get((kind, name))
        if other is None:
            found += [] if kind in STAMPING else [Difference(kind, name, "missing")]
            continue
        path = _first_difference(_normal(body), _normal(other), "spec")
        found += [Difference(kind, name, path)] if path else []
    return found


def gates_of(live: Iterable[Body]) -> tuple[str, ...]:
    """The types of Gates that a cluster with these policies has: those in whose place no policy of ours stands."""
    names = {str(body["metadata"]["name"]) for body in live}
    stands = {gate for file, gate in _IN_PLACE.items() if f"gatehold-no-{file.removesuffix('.yaml')}" in names}
    return tuple(gate for gate in GateType if gate not in stands)


def left_out_files(gates: Collection[str]) -> Iterator[str]:
    """The texts that stand in the place of the types of Gates that are not among these."""
    return _files("left-out", lambda name: _IN_PLACE[name] not in gates)


def _files(name: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    for file in sorted(folder(name).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml") and wanted(file.name):
            yield file.read_text(encoding="utf-8")


def folder(name: str) -> Traversable:
    """That folder of manifests/: the wheel carries copies of what is read here, a source checkout has the originals."""
    packed = resources.files(__package__) / name
    return packed if packed.is_dir() else Path(__file__).parents[3] / "manifests" / name


def _normal(body: Body) -> dict[str, Any]:
    """The spec as the API server stores it: with the defaults that it fills in, and without empty members."""
    spec = {key: value for key, value in body["spec"].items() if value not in (None, [])}
    if body["kind"] in ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"):
        spec.setdefault("failurePolicy", "Fail")
    for member in ("matchConstraints", "matchResources"):
        if member in spec:
            spec[member] = _constraints(spec[member])
    return spec


def _constraints(wire: Body) -> dict[str, Any]:
    given = {key: value for key, value in wire.items() if value not in (None, [])}
    rules = {key: [{"scope": "*", **rule} for rule in value] for key, value in given.items() if key.endswith("Rules")}
    return {**_CONSTRAINTS, **given, **rules}


def _first_difference(expected: object, live: object, path: str) -> str:
    """The path of the first difference, or nothing. Types must agree too: true is not 1, and the text 1 is neither."""
    if isinstance(expected, Mapping) and isinstance(live, Mapping):
        keys = (*expected, *(key for key in live if key not in expected))
        pairs = ((f"{path}.{key}", expected.get(key, _MISSING), live.get(key, _MISSING)) for key in keys)
    elif isinstance(expected, list) and isinstance(live, list) and len(expected) == len(live):
        pairs = ((f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(expected, live, strict=True)))
    else:
        return "" if type(expected) is type(live) and expected == live else path
    return next((found for place, a, b in pairs if (found := _first_difference(a, b, place))), "")
