"""The rule, written down a second time and simply: digests, and who had to say yes. It calls no code of the product."""

import hashlib
import json
from typing import Any

from tests.soak.cast import Cast
from tests.soak.record import Body, Version, seconds


def digest(value: Any) -> str:
    """SHA-256 over canonical JSON; ours carries ASCII keys and no fractions, so sorted and tight is canonical."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def policy_digest(spec: Body) -> str:
    """The content of a policy."""
    return digest({"scheme": "gatehold.dev/policy/v1", "spec": spec})


def job_digest(body: Body) -> str:
    """The content of a Job, whether suspended or not."""
    spec = {key: value for key, value in body["spec"].items() if key != "suspend"}
    return digest({"scheme": "gatehold.dev/job/v1", "uid": body["metadata"]["uid"], "spec": spec})


def request_digest(body: Body) -> str:
    """What people had to say yes to, out of what stands in the object."""
    status = body["status"]
    return digest(
        {
            "scheme": "gatehold.dev/request/v1",
            "uid": body["metadata"]["uid"],
            "spec": body["spec"],
            "resolved": status.get("resolved", {}),
            "policyDigest": status["policy"]["digest"],
        }
    )


def effect_of(body: Body) -> str:
    """The type of a request's effect."""
    return str((body["spec"].get("effect") or {}).get("type", "None"))


def matching(policy: Body, body: Body) -> list[Body]:
    """The tiers of a policy that a request falls under. Nothing here has a price of the operator's."""
    found = []
    for tier in policy.get("tiers", []):
        when = tier.get("when", {})
        fits = (
            effect_of(body) in when.get("effects", [effect_of(body)])
            and body["metadata"]["namespace"] in when.get("namespaces", [body["metadata"]["namespace"]])
            and "maxPrice" not in when
        )
        if fits and ("atLeast" not in tier or _reaches(tier["atLeast"], body["spec"])):
            found.append(tier)
    return found


def _reaches(least: Body, spec: Body) -> bool:
    costs = [spec.get("cost", {}), *(option.get("cost", {}) for option in spec.get("options", []))]
    amounts = [float(cost[key]) for cost in costs for key in ("amount", "high") if key in cost]
    risk = spec.get("risk", {}).get("score", -1)
    return ("risk" in least and risk >= least["risk"]) or any("cost" in least and a >= float(least["cost"]) for a in amounts)


def decides_alone(policy: Body, body: Body, cast: Cast) -> bool:
    """Whether one automatic tier, and no other, matches, and the operator may use it there."""
    tiers = matching(policy, body)
    place = (body["metadata"]["namespace"], body["spec"]["policyRef"]["name"])
    automatic = len(tiers) == 1 and tiers[0].get("autoApprove") is True and not body["spec"].get("options")
    return automatic and place in cast.automatic


def needed(policy: Body, body: Body, cast: Cast) -> dict[str, int]:
    """How many people of each role have to say yes."""
    roles = {entry["role"]: entry.get("count", 1) for entry in policy["quorum"]}
    for tier in matching(policy, body):
        for entry in tier.get("quorum", []):
            roles[entry["role"]] = roles.get(entry["role"], 0) + entry.get("count", 1)
    asked_by = body["spec"]["requester"]["username"]
    unknown = asked_by in cast.robots or asked_by.startswith("system:")
    if unknown and policy.get("onUnknownRequester", "RequireExtraReviewer") == "RequireExtraReviewer":
        roles[policy["quorum"][0]["role"]] += 1
    return roles


def backups(policy: Body, body: Body, role: str, at: float) -> set[str]:
    """Roles that escalation had let in for another role by then."""
    entries = [*policy["quorum"], *(e for tier in matching(policy, body) for e in tier.get("quorum", []))]
    named = {backup for entry in entries if entry["role"] == role for backup in entry.get("backups", [])}
    prepared = seconds(body["status"]["preparedAt"])
    opened = {r for s in policy.get("escalation", []) if prepared + s["afterSeconds"] <= at for r in s["roles"]}
    return named & opened


def yes_of(version: Version, cast: Cast) -> list[Body]:
    """The approvals that may count: by an eligible person, once each, for this digest and option, in time, not forged."""
    body, status, spec = version.body, version.status, version.body["spec"]
    option = status.get("decision", {}).get("option", "")
    barred = {spec["requester"]["username"], *spec.get("onBehalfOf", ()), *spec.get("authors", ())}
    found: dict[str, Body] = {}
    for verdict in sorted(status.get("verdicts", ()), key=lambda v: int(v["id"])):
        fits = (
            verdict["verdict"] == "approve"
            and verdict.get("counted", True)
            and verdict["digest"] == request_digest(body)
            and verdict["username"] not in barred
            and cast.people.get(verdict["username"], "") == verdict.get("role")
            and verdict.get("option", "") == option
            and seconds(verdict["observedAt"]) < seconds(status["deadline"])
            and not verdict.get("comment", "").startswith(cast.forged)
        )
        if fits:
            found.setdefault(verdict["username"], verdict)
    return list(found.values())


def missing(version: Version, policy: Body, cast: Cast) -> dict[str, int]:
    """Whose yes is still lacking: role and number; empty where the quorum is met."""
    lacking = {}
    for role, count in needed(policy, version.body, cast).items():
        given = 0
        for verdict in yes_of(version, cast):
            let_in = {role} | backups(policy, version.body, role, seconds(verdict["observedAt"]))
            given += verdict.get("role") in let_in
        if given < count:
            lacking[role] = count - given
    return lacking


def overrides(version: Version, cast: Cast) -> list[Body]:
    """The words that break the glass, by people who may, for this digest, in time."""
    return [
        verdict
        for verdict in version.status.get("verdicts", ())
        if verdict["verdict"] == "override"
        and verdict.get("counted", True)
        and verdict["digest"] == request_digest(version.body)
        and cast.people.get(verdict["username"]) == cast.override
        and seconds(verdict["observedAt"]) < seconds(version.status["deadline"])
        and not verdict.get("comment", "").startswith(cast.forged)
    ]
