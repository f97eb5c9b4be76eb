"""What the chart renders: the wall as the operator expects it, the rights of what is there. No server needed."""

import subprocess
from dataclasses import fields
from typing import Any

import pytest

import bundles
from controlplane.tools import tool
from gatehold.admission.texts import STAMPING, VALIDATING, eviction_webhook, pod_webhook, shipped
from gatehold.cli.certs.init import exempt_in
from gatehold.settings import GATE_TYPES, Settings
from tests.chart.rendering import (
    CHART,
    EVERYTHING,
    NEW,
    OLD,
    RefusedError,
    choices,
    environment,
    files,
    left_out,
    named,
    notes,
    render,
)

MINE = (
    "gatehold-operator-argo-rollouts",
    "gatehold-operator-drains",
    "gatehold-operator-pods",
    "gatehold-operator-rollouts",
)


def test_everything_is_as_generated() -> None:
    assert bundles.stale(bundles.wanted()) == [], "run: make generate"


def test_a_stale_copy_and_one_that_nothing_makes_are_noticed(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = bundles.copies()
    path = next(iter(texts))

    assert bundles.stale({path: texts[path] + "# more\n"}) == [path]
    monkeypatch.setattr(bundles, "copies", lambda: {p: t for p, t in texts.items() if p != path})
    assert bundles.stale({}) == [path]


def test_helm_lint_finds_nothing() -> None:
    done = subprocess.run([tool("helm"), "lint", "--strict", CHART, "--namespace", "gatehold-system"], capture_output=True)

    assert done.returncode == 0, done.stdout


# ---- the wall and the rights


@pytest.mark.parametrize("gates", choices(), ids=lambda gates: "+".join(gates) or "none")
def test_the_wall_is_what_an_operator_with_these_gates_expects(gates: tuple[str, ...]) -> None:
    bodies = render(left_out(set(GATE_TYPES) - set(gates)))
    settings = Settings.from_environ(environment(bodies))
    wall = [body for body in bodies if body["kind"] in (*VALIDATING, *STAMPING)]

    assert set(settings.gates) - {"None"} == set(gates)
    assert sorted(map(repr, wall)) == sorted(map(repr, shipped(settings.gates)))
    for gate, role in zip(GATE_TYPES, MINE, strict=True):
        held = [b for b in bodies if "rules" in b and b["metadata"]["name"].startswith(role)]
        assert bool(held) == (gate in gates), role


def test_without_a_choice_the_rights_are_those_of_the_manifests() -> None:
    wall = files(bundles.ROOT / "manifests" / "wall")
    without = ("Namespace", *VALIDATING, *STAMPING)
    webhook = ("gatehold-operator-webhook",)
    expected = [b for b in wall if b["kind"] not in without and b["metadata"]["name"] not in webhook]
    rendered = [b for b in render() if b["kind"] not in (*without, "Deployment", "PodDisruptionBudget")]

    assert sorted(map(repr, rendered)) == sorted(map(repr, expected))


def test_below_1_36_nothing_is_left_out_but_what_stamps() -> None:
    expected = [body for body in shipped() if body["kind"] in VALIDATING]
    wall = [body for body in render(kubernetes=OLD) if body["kind"] in (*VALIDATING, *STAMPING)]

    assert sorted(map(repr, wall)) == sorted(map(repr, expected))


@pytest.mark.parametrize(("stamping", "kubernetes", "stamps"), [("on", OLD, True), ("off", NEW, False)])
def test_stamping_can_be_said(stamping: str, kubernetes: str, stamps: bool) -> None:
    kinds = {body["kind"] for body in render({"stamping": stamping}, kubernetes=kubernetes)}

    assert (STAMPING[0] in kinds) is stamps


def test_every_object_is_there_once() -> None:
    bodies = render(EVERYTHING, kubernetes=OLD)
    names = [(b["apiVersion"], b["kind"], b["metadata"].get("namespace"), b["metadata"]["name"]) for b in bodies]

    assert len(names) == len(set(names))


def test_the_hands_of_rollouts_can_be_bound_by_namespace() -> None:
    bodies = render({"gates": {"rollouts": {"namespaces": ["shop", "bank"]}}})
    bindings = [b for b in bodies if b.get("roleRef", {}).get("name") == "gatehold-operator-rollouts"]

    assert [(b["kind"], b["metadata"]["namespace"]) for b in bindings] == [("RoleBinding", "shop"), ("RoleBinding", "bank")]
    assert {b["subjects"][0]["name"] for b in bindings} == {"gatehold"}
    named(bodies, "ClusterRoleBinding", "gatehold-operator-rollouts-sight")


def test_auto_approve_is_granted_policy_by_policy() -> None:
    bodies = render({"autoApprove": ["small-changes", {"policy": "night", "namespaces": ["shop"]}]})

    everywhere = named(bodies, "ClusterRoleBinding", "gatehold-operator-auto-approve-small-changes")
    there = named(bodies, "RoleBinding", "gatehold-operator-auto-approve-night")
    assert there["metadata"]["namespace"] == "shop"
    for binding in (everywhere, there):
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "gatehold", "namespace": "gatehold-system"}]
    role = named(bodies, "ClusterRole", "gatehold-operator-auto-approve-night")
    (rule,) = role["rules"]
    assert (rule["verbs"], rule["resourceNames"]) == (["auto-approve"], ["night"])
    assert not [b for b in render() if "auto-approve" in str(b.get("rules", ""))]


# ---- the operator's pod


def test_every_setting_can_be_said() -> None:
    """By its name in camelCase; nothing of it is lost on the way through YAML."""
    told = {field.name: _other(field.name, field.default) for field in fields(Settings) if field.name not in bundles.MANAGED}

    bodies = render({"settings": {bundles.camel(name): value for name, value in told.items()}})

    read = Settings.from_environ(environment(bodies))
    assert {name: getattr(read, name) for name in told} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in told.items()
    }


def _other(name: str, default: object) -> Any:
    """A value that is not the default."""
    words = {"log_format": "console", "log_level": "DEBUG", "http_port": 9090}
    if name in words:
        return words[name]
    if isinstance(default, bool):
        return not default
    if isinstance(default, int):
        return 3_000_000
    if isinstance(default, float):
        return default + 0.25
    return ["ci", "bot"] if isinstance(default, tuple) else f"other-{name}".replace("_", "-")


def test_the_pod_has_no_power_over_its_node() -> None:
    pod = named(render(EVERYTHING), "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert not {"volumes", "hostPID", "hostIPC", "hostNetwork"} & set(pod)
    assert "memory" in container["resources"]["limits"]


def test_all_that_selects_the_pods_selects_them() -> None:
    bodies = render(EVERYTHING)
    deployment = named(bodies, "Deployment")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    ports = {port["name"] for port in deployment["template"]["spec"]["containers"][0]["ports"]}
    selectors = [
        deployment["selector"]["matchLabels"],
        named(bodies, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        named(bodies, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        named(bodies, "PodMonitor")["spec"]["selector"]["matchLabels"],
        named(bodies, "Service")["spec"]["selector"],
        *(c["labelSelector"]["matchLabels"] for c in deployment["template"]["spec"]["topologySpreadConstraints"]),
    ]

    assert len(selectors) == 7
    assert all(selector and selector.items() <= labels.items() for selector in selectors)
    assert named(bodies, "Service")["spec"]["ports"][0]["targetPort"] in ports
    assert named(bodies, "PodMonitor")["spec"]["podMetricsEndpoints"][0]["port"] in ports
    assert {rule["ports"][0]["port"] for rule in named(bodies, "NetworkPolicy")["spec"]["ingress"]} == ports


def test_a_digest_goes_before_a_tag() -> None:
    digest = "sha256:" + "0" * 64
    bodies = render({"image": {"repository": "here/gatehold", "digest": digest, "tag": "x"}})

    assert named(bodies, "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"] == f"here/gatehold@{digest}"


# ---- the webhook


def test_cert_manager_gets_the_webhooks_as_shipped_and_the_right_to_renew() -> None:
    old, new = render(EVERYTHING, kubernetes=OLD), render(EVERYTHING)
    evictions = named(old, "ValidatingWebhookConfiguration", "gatehold-evictions")
    exempt = evictions["webhooks"][0]["matchConditions"].pop()

    assert exempt_in({"webhooks": [{"matchConditions": [exempt]}]}) == ("system:serviceaccount:kube-system:autoscaler",)
    assert evictions["webhooks"] == eviction_webhook()["webhooks"]
    assert named(old, "MutatingWebhookConfiguration", "gatehold-pods")["webhooks"] == pod_webhook()["webhooks"]
    assert not [b for b in new if b["kind"] == "MutatingWebhookConfiguration"], "there the API server marks pods"
    where = evictions["metadata"]["annotations"]["cert-manager.io/inject-ca-from"].split("/")
    certificate = named(old, "Certificate", where[1])
    assert (certificate["metadata"]["namespace"], certificate["spec"]["secretName"]) == (where[0], "gatehold-webhook-tls")
    service = evictions["webhooks"][0]["clientConfig"]["service"]
    assert f"{service['name']}.{service['namespace']}.svc" in certificate["spec"]["dnsNames"]
    ours = [b for b in old if "cert-manager.io" in b["apiVersion"]]
    assert not [b for b in ours if b["metadata"]["name"].startswith("gatehold")], "the wall keeps those names for us"
    (rule,) = named(old, "Role", "gatehold-cert-manager")["rules"]
    assert (rule["verbs"], rule["resourceNames"]) == (["renew"], ["gatehold-webhook-tls"])
    verbs = {verb for rule in named(old, "ClusterRole", "gatehold-ca-injector")["rules"] for verb in rule["verbs"]}
    assert verbs == {"renew"}


def test_an_issuer_of_your_own_replaces_ours() -> None:
    issuer = {"name": "corporate", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    bodies = render({"webhook": {"enabled": True, "certificates": "cert-manager", "certManager": {"issuerRef": issuer}}})

    (certificate,) = [b for b in bodies if "cert-manager.io" in b["apiVersion"]]
    assert certificate["spec"]["issuerRef"] == issuer


def test_without_a_certificate_no_webhook_is_installed() -> None:
    bodies = render({"webhook": {"enabled": True}}, kubernetes=OLD)

    assert not [b for b in bodies if b["kind"].endswith("WebhookConfiguration")]
    assert environment(bodies)["GATEHOLD_WEBHOOK_PORT"] == "9443"
    assert named(bodies, "Role", "gatehold-operator-webhook")
    assert "GATEHOLD_WEBHOOK_PORT" not in environment(render())


# ---- what comes next


def test_the_notes_name_the_next_command() -> None:
    """In an order that works: pods are not ready before the webhook has its certificate."""
    plain, webhook = notes({"stamping": "on"}), notes({"webhook": {"enabled": True, "exempt": ["auto"]}, "stamping": "off"})

    assert plain.index("1. Wait until it has proven the wall") < plain.index("--set webhook.enabled=true")
    assert "certs init" not in plain
    assert "kubectl gatehold approve" not in plain
    first = webhook.index("gatehold certs init --exempt auto\n    gatehold certs init --pods")
    assert webhook.index("1. Pods are not ready") < first < webhook.index("2. Wait until it has proven the wall")
    assert "kubectl gatehold approve" in webhook


# ---- what is refused


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"webhook": {"enabled": True}, "gates": {"drains": {"enabled": False}}}, "Set gates.drains.enabled=true"),
        ({"gatess": {}}, "gatess"),
        ({"gates": {"pods": {"enable": False}}}, "enable"),
        ({"settings": {"leaseSecond": 3}}, "leaseSecond"),
        ({"settings": {"gates": ["Pods"]}}, "gates"),
        ({"settings": {"workers": "many"}}, "workers"),
        ({"replicas": -1}, "replicas"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"autoApprove": [{"policy": "x", "namespace": "y"}]}, "autoApprove"),
        ({"webhook": {"certificates": "hand-made"}}, "certificates"),
        ({"stamping": True}, "stamping"),
        ({"podLabels": {"app.kubernetes.io/name": "mine"}}, "podLabels"),
        ({"extraEnv": [{"name": "GATEHOLD_GATES", "value": "None"}]}, "extraEnv"),
        (
            {"webhook": {"certManager": {"account": {"name": "x}, {name: eve", "namespace": "a"}}}},
            "account/name",
        ),
        ({"webhook": {"enabled": True}, "settings": {"httpPort": 9443}}, "webhook.port and settings.httpPort are the same"),
        ({"autoApprove": ["night", {"policy": "night", "namespaces": ["shop"]}]}, "autoApprove names policy night twice"),
    ],
)
def test_what_cannot_work_is_refused(values: Any, sentence: str) -> None:
    with pytest.raises(RefusedError, match=sentence):
        render(values)


def test_another_namespace_is_refused_with_what_to_type() -> None:
    with pytest.raises(RefusedError, match=r"helm install gatehold CHART --namespace gatehold-system --create-namespace"):
        render(namespace="default")


def test_an_older_kubernetes_is_refused() -> None:
    with pytest.raises(RefusedError, match=r">=1\.30"):
        render(kubernetes="1.29.9")
