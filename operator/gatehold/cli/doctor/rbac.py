"""RBAC as data: who is granted which rule where, and whether a rule allows something. Pure but for `read`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from gatehold.cli.session import Session
from gatehold.kube.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES

Json = dict[str, Any]
GROUP = "gatehold.dev"
EVERYBODY = ("system:authenticated", "system:unauthenticated", "system:serviceaccounts")


class Subject(NamedTuple):
    """Whom a binding names."""

    kind: str  # User, Group or ServiceAccount
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        """Render as user:alice, group:sre or sa:ci/runner; --trust takes the same."""
        if self.kind == "ServiceAccount":
            return f"sa:{self.namespace}/{self.name}"
        return f"{self.kind.lower()}:{self.name}"

    @property
    def is_person(self) -> bool:
        """Whether people may stand behind it: a user or a group that is no account of the system."""
        return self.kind in {"User", "Group"} and (
            not self.name.startswith("system:") or self.name == "system:authenticated"
        )


class Rule(NamedTuple):
    """One rule of a role."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    names: tuple[str, ...]
    verbs: tuple[str, ...]

    def allows(self, verb: str, group: str, resource: str, name: str | None = None) -> bool:
        """What the API server's authorizer says; a name of None asks whether it is allowed for any name at all."""
        return (
            self.has_verb(verb) and self.covers(group, resource) and (name is None or not self.names or name in self.names)
        )

    def has_verb(self, verb: str) -> bool:
        """Whether the rule gives the verb."""
        return "*" in self.verbs or verb in self.verbs

    def covers(self, group: str, resource: str) -> bool:
        """Whether the rule is about the resource, `kind` or `kind/subresource`."""
        _, slash, subresource = resource.partition("/")
        wanted = {"*", resource} | ({f"*/{subresource}"} if slash else set())
        return bool({"*", group} & set(self.groups)) and bool(wanted & set(self.resources))

    @property
    def is_wildcard(self) -> bool:
        """Whether it gives roles that nobody has thought of yet."""
        return "*" in self.resources or any(resource.startswith("*/") for resource in self.resources)


class Grant(NamedTuple):
    """A rule that somebody holds; an empty namespace means everywhere."""

    subject: Subject
    namespace: str
    rule: Rule
    binding: str
    role: str

    @property
    def is_built_in(self) -> bool:
        """Whether Kubernetes itself stands behind it. Told by names that only the API server gives, never by labels."""
        subject = self.subject
        if subject.kind == "ServiceAccount":
            own = f"system:controller:{subject.name}"
            return subject.namespace == "kube-system" and self.role == own and self.binding == f"ClusterRoleBinding {own}"
        return subject.name.startswith("system:") and not subject.name.startswith(EVERYBODY)

    @property
    def place(self) -> str:
        """Where it holds, in words."""
        return f"in {self.namespace}" if self.namespace else "everywhere"


async def read(session: Session) -> list[Grant]:
    """Every grant of the cluster. Raises ApiError."""
    cluster = session.cluster
    roles = [*await cluster.list_all(CLUSTER_ROLES), *await cluster.list_all(ROLES)]
    bindings = [*await cluster.list_all(CLUSTER_ROLE_BINDINGS), *await cluster.list_all(ROLE_BINDINGS)]
    return list(grants(roles, bindings))


def grants(roles: Iterable[Json], bindings: Iterable[Json]) -> Iterator[Grant]:
    """Join bindings with the rules of their roles; a role that does not exist gives nothing."""
    rules = {_key(role["kind"], role["metadata"]): [_rule(rule) for rule in role.get("rules") or []] for role in roles}
    for binding in bindings:
        meta, ref = binding["metadata"], binding["roleRef"]
        namespace = meta.get("namespace") or ""
        found = rules.get(_key(ref["kind"], {"name": ref["name"], "namespace": namespace}), [])
        for subject in binding.get("subjects") or []:
            who = _subject(subject, namespace)
            for rule in found:
                yield Grant(who, namespace, rule, f"{binding['kind']} {meta['name']}", ref["name"])


def _key(kind: str, meta: Json) -> tuple[str, str, str]:
    return (kind, meta.get("namespace") or "" if kind == "Role" else "", meta["name"])


def _rule(rule: Json) -> Rule:
    members = ("apiGroups", "resources", "resourceNames", "verbs")
    return Rule(*(tuple(rule.get(member) or ()) for member in members))


def _subject(subject: Json, namespace: str) -> Subject:
    """A user named system:serviceaccount:NS:NAME is that service account, however it is written."""
    kind, name = str(subject["kind"]), str(subject["name"])
    parts = name.split(":")
    if kind == "User" and parts[:2] == ["system", "serviceaccount"] and len(parts) == 4:
        return Subject("ServiceAccount", parts[3], parts[2])
    place = str(subject.get("namespace") or namespace) if kind == "ServiceAccount" else ""
    return Subject(kind, name, place)
