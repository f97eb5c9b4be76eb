"""What the operator's account was granted by RBAC, and what it asked for, as the API server's audit log has it."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from controlplane import ControlPlane
from tests.install.chart import NAMESPACE

Body = dict[str, Any]
OPERATOR: Final = "gatehold"
PROBE: Final = "gatehold-probe"
EVERYBODYS: Final = frozenset({"system:basic-user", "system:discovery", "system:public-info-viewer"})
"""Roles that every account has: asking what is served, and what it may itself."""
_BY_ROLE: Final = re.compile(r'of (?:Cluster)?Role "([^"]+)" to ServiceAccount|of (?:Cluster)?Role "([^"]+)" to Group')


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one resource: what a rule grants, taken apart. Empty `namespace` is everywhere, empty `name` any name."""

    role: str
    namespace: str
    group: str
    resource: str
    verb: str
    name: str = ""

    def __str__(self) -> str:
        """As a person would say it."""
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.role}: {self.verb} {what}{' ' + self.name if self.name else ''}"

    def covers(self, use: "Use") -> bool:
        """Whether this right lets that happen."""
        named = self.name in ("", use.name)
        where = self.namespace in ("", use.namespace)
        return named and where and (self.group, self.resource, self.verb) == (use.group, use.resource, use.verb)


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """One thing that was asked of the API server; `allowed` is what RBAC said, not what became of it."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    uri: str
    allowed: bool
    roles: tuple[str, ...]
    """The role that the authorizer found first; empty where none lets it."""


def rights(plane: ControlPlane, account: str) -> list[Right]:
    """Everything that RBAC grants to this account by name."""
    listed = plane.kubectl("get", "clusterrolebindings,rolebindings", "--all-namespaces", "-o", "json").stdout
    found: set[Right] = set()
    for binding in json.loads(listed)["items"]:
        subjects = binding.get("subjects", [])
        if any(s["kind"] == "ServiceAccount" and (s.get("namespace"), s["name"]) == (NAMESPACE, account) for s in subjects):
            found |= set(_granted(plane, binding))
    return sorted(found)


def uses(plane: ControlPlane, account: str, pod: str = "") -> list[Use]:
    """Everything that this account asked for, each thing once; with the token of that pod, where one is named."""
    user = f"system:serviceaccount:{NAMESPACE}:{account}"
    theirs = (event for event in _events(plane) if event["user"].get("username") == user)  # none where it is refused
    return sorted({_use(event) for event in theirs if pod in ("", _pod(event))})


def unused(granted: Iterable[Right], asked: Iterable[Use]) -> list[str]:
    """The rights that nothing took."""
    seen = list(asked)
    return sorted(str(right) for right in granted if not any(right.covers(use) for use in seen))


def uncovered(granted: Iterable[Right], asked: Iterable[Use]) -> list[str]:
    """What was asked beyond these rights: refused by RBAC, or let by a role that is not ours."""
    mine = list(granted)
    return [
        f"{use.verb} {use.uri}: {'by ' + ', '.join(use.roles) if use.allowed else 'forbidden'}"
        for use in asked
        if not use.allowed or not (any(right.covers(use) for right in mine) or EVERYBODYS.intersection(use.roles))
    ]


def _granted(plane: ControlPlane, binding: Body) -> Iterator[Right]:
    reference, namespace = binding["roleRef"], binding["metadata"].get("namespace", "")
    where = ["--namespace", namespace] if reference["kind"] == "Role" else []
    role = json.loads(plane.kubectl("get", reference["kind"].lower(), reference["name"], *where, "-o", "json").stdout)
    title = f"{reference['kind']} {reference['name']}"
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    for name in rule.get("resourceNames", [""]):
                        yield Right(title, namespace, group, resource, verb, name)


def _events(plane: ControlPlane) -> Iterator[Body]:
    with plane.installation.audit_log.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):  # the API server is at this one: the rest of it would come as the next
                return
            yield json.loads(line)


def _pod(event: Body) -> str:
    return str(event["user"].get("extra", {}).get("authentication.kubernetes.io/pod-name", [""])[0])


def _use(event: Body) -> Use:
    about, notes = event.get("objectRef", {}), event.get("annotations", {})
    resource = "/".join(part for part in (about.get("resource"), about.get("subresource")) if part)
    found = [first or second for first, second in _BY_ROLE.findall(notes.get("authorization.k8s.io/reason", ""))]
    return Use(
        verb=event["verb"],
        group=about.get("apiGroup", ""),
        resource=resource,
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        uri=event["requestURI"].partition("?")[0],
        allowed=notes.get("authorization.k8s.io/decision") == "allow",
        roles=tuple(found),
    )
