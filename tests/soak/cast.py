"""The scene of the soak: who there is, which policies, and the objects that people make. Data, no calls."""

from dataclasses import dataclass, field
from typing import Any, Final

Body = dict[str, Any]

GROUP: Final = "gatehold.dev/v1alpha1"
NAMESPACES: Final = ("soak-a", "soak-b")
AUTOMATIC: Final = "soak-a"
"""The one namespace in which the operator holds verb auto-approve."""

PEOPLE: Final = {
    "ci": "pipelines",
    "robot-ci": "pipelines",
    "alice": "sre",
    "bob": "sre",
    "erin": "sre",
    "frank": "sre",
    "carol": "finance",
    "grace": "finance",
    "dana": "duty",
    "mallory": "dev",
}
"""User name -> group. Groups sre, finance and duty are roles; duty may override, pipelines may ask, dev decides nothing."""
ROBOTS: Final = frozenset({"robot-ci"})
FORGED: Final = "forged"
"""Comments of forged verdicts begin with it, and no honest comment does."""

_TIMES: Final = {"timeoutSeconds": {"default": 25, "max": 3600}, "validitySeconds": 30, "retentionSeconds": 20}
_BOTH: Final = {"effects": ["None", "Release"]}


def holders(role: str) -> list[str]:
    """Everybody who holds a role."""
    return [name for name, group in PEOPLE.items() if group == role]


POLICIES: Final[dict[str, Body]] = {
    "two": {"quorum": [{"role": "sre", "count": 2}], **_TIMES, **_BOTH},
    "roles": {"quorum": [{"role": "sre"}, {"role": "finance"}], **_TIMES, **_BOTH},
    "tiers": {
        "quorum": [{"role": "sre"}],
        "onUnknownRequester": "Allow",
        "tiers": [
            {"name": "easy", "when": {"effects": ["None"], "namespaces": [AUTOMATIC]}, "autoApprove": True},
            {"name": "risky", "atLeast": {"risk": 70, "cost": "1000"}, "quorum": [{"role": "finance"}]},
        ],
        **_TIMES,
        **_BOTH,
    },
    "escalates": {
        "quorum": [{"role": "sre", "count": 2, "backups": ["duty"]}],
        "onUnknownRequester": "Allow",
        "escalation": [{"afterSeconds": 4, "roles": ["duty"]}],
        **_TIMES,
        **_BOTH,
    },
    "brief": {"quorum": [{"role": "sre"}], **_TIMES, "validitySeconds": 2, **_BOTH},
    "persons": {"quorum": [{"role": "sre"}], "onUnknownRequester": "Refuse", **_TIMES, **_BOTH},
    "crowded": {"quorum": [{"role": "sre"}], "onUnknownRequester": "Allow", "maxPending": 4, **_TIMES, **_BOTH},
}
NOWHERE: Final = "nowhere"
"""A policy that does not exist: its requests are held until they are withdrawn or expire."""

EDITS: Final[tuple[Body, ...]] = (
    {"validitySeconds": 20},
    {"validitySeconds": 40},
    {"retentionSeconds": 10},
    {"retentionSeconds": 30},
    {"timeoutSeconds": {"default": 15, "max": 3600}},
    {"timeoutSeconds": {"default": 35, "max": 1800}},
    {"quorum": [{"role": "sre", "count": 2}, {"role": "finance"}]},
    {"quorum": [{"role": "sre"}]},
    {"onUnknownRequester": "RequireExtraReviewer"},
    {"maxPending": 50},
    {"effects": ["None"]},
)
"""What an edit changes in a policy; each is put back to the text above some time later."""


@dataclass(frozen=True, slots=True)
class Cast:
    """What the checker may know of the scene: who holds what, as RBAC was set up."""

    people: dict[str, str] = field(default_factory=lambda: dict(PEOPLE))
    robots: frozenset[str] = ROBOTS
    override: str = "duty"
    automatic: frozenset[tuple[str, str]] = frozenset({(AUTOMATIC, "tiers")})
    forged: str = FORGED


def policy(name: str) -> Body:
    """An ApprovalPolicy as it is at the beginning."""
    return {"apiVersion": GROUP, "kind": "ApprovalPolicy", "metadata": {"name": name}, "spec": POLICIES[name]}


def job(name: str, namespace: str, policy_name: str, fake: str) -> Body:
    """A held Job; `fake` says how its pods behave: runs, fails, or complete where empty."""
    containers = [{"name": "main", "image": "example.org/tool:1", "command": [name]}]
    template = {
        "metadata": {"labels": {"example.org/fake": fake} if fake else {}},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": containers},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace, "labels": {"gatehold.dev/hold": policy_name}},
        "spec": {"suspend": True, "backoffLimit": 0, "template": template},
    }


def unheld(name: str, namespace: str, policy_name: str) -> Body:
    """The same Job as nobody may create it: it would run at once."""
    body = job(name, namespace, policy_name, "")
    return {**body, "spec": {**body["spec"], "suspend": False}}


def request(name: str, namespace: str, policy_name: str, spec: Body) -> Body:
    """An ApprovalRequest."""
    full = {"policyRef": {"name": policy_name}, "summary": f"about {name}", **spec}
    full.setdefault("subject", {"apiVersion": "v1", "kind": "ConfigMap", "name": name})
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": GROUP, "kind": "ApprovalRequest", "metadata": meta, "spec": full}


def grant() -> list[Body]:
    """The platform's grant: in one namespace the operator may let tiers decide alone."""
    meta = {"name": "gatehold-auto-approve", "namespace": AUTOMATIC}
    rbac = "rbac.authorization.k8s.io"
    rule = {"apiGroups": ["gatehold.dev"], "resources": ["approvalpolicies"], "verbs": ["auto-approve"]}
    account = {"kind": "ServiceAccount", "name": "gatehold", "namespace": "gatehold-system"}
    return [
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": meta, "rules": [{**rule, "resourceNames": ["tiers"]}]},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": meta["name"]},
            "subjects": [account],
        },
    ]
