"""Every object in the docs and the examples is applied, as a strict dry run, to an API server with Gatehold and its wall.

What belongs to other projects is held against their own CRDs. An unknown field, a wrong type, a value that a CRD or the wall
refuses: the page is wrong.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
import yaml

import foreign
from controlplane import API_ONLY, ControlPlane, kubernetes, wait_until
from playground import install
from tests.docs.written import EXAMPLES, PAGES, ROOT, Written, blocks, everything, texts
from tests.wall.api import Answer, Api, Call, path

HOME: Final = "shop"
"""The namespace of what names none."""
FOREIGN: Final = {
    "argoproj.io": ("argo-cd", "argo-rollouts", "argo-workflows"),
    "cert-manager.io": ("cert-manager",),
    "kustomize.toolkit.fluxcd.io": ("flux-kustomize",),
    "source.toolkit.fluxcd.io": ("flux-source",),
    "monitoring.coreos.com": ("prometheus-operator",),
    "tekton.dev": ("tekton",),
}
"""API group to the modules that hold its CRDs."""
FOR_CLIENTS: Final = {
    "krew.googlecontainertools.github.com/v1alpha2": "read by krew",
    "kustomize.config.k8s.io/v1beta1": "read by kustomize",
}
"""What looks like an object and never reaches an API server."""
SINCE: Final = {"MutatingAdmissionPolicy": (1, 36), "MutatingAdmissionPolicyBinding": (1, 36)}
ALL: Final = [
    written
    for written in everything()
    if written.body["apiVersion"] not in FOR_CLIENTS and SINCE.get(written.body["kind"], (1, 30)) <= kubernetes()
]


@dataclass
class Desk:
    """The API server, what it serves, and one connection to it."""

    api: Api
    served: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)

    def apply(self, body: dict[str, Any], **query: str) -> Answer:
        """kubectl apply --server-side --validate=strict."""
        meta, version, kind = body["metadata"], body["apiVersion"], body["kind"]
        plural, namespaced = self.served.get((version, kind), ("", False))
        assert plural, f"no API server serves {version} {kind}: is it misspelt? else add its CRD to hack/foreign/modules.py"
        where = path(version, plural, meta.get("namespace", HOME) if namespaced else None, meta.get("name"))
        if "name" not in meta:  # generateName: kubectl create
            return self.api.send(Call(where, body, "post"), fieldManager="docs", fieldValidation="Strict", **query)
        return self.api.send(
            Call(where, body, "apply"), fieldManager="docs", force="true", fieldValidation="Strict", **query
        )

    def lists(self, kind: tuple[str, str]) -> bool:
        """Whether there are answers about a kind, and not only about its name."""
        return self.api.send(Call(path(kind[0], self.served[kind][0]), how="get")).ok

    def learn(self, *versions: str) -> None:
        """Ask what is served in these versions of groups."""
        for version in versions:
            root = self.api.get(f"/{'apis' if '/' in version else 'api'}/{version}") or {}
            for kind in root.get("resources", []):
                if "/" not in kind["name"]:
                    self.served[version, kind["kind"]] = (kind["name"], kind["namespaced"])


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """An API server with Gatehold, the CRDs of others that our pages use, and every namespace that they name."""
    with ControlPlane.start(components=API_ONLY, nodes=0) as plane:
        install(plane)
        made = Desk(Api.of(plane.admin_kubeconfig))
        made.learn("apiextensions.k8s.io/v1", "v1")
        wanted = {(written.body["apiVersion"], written.body["kind"]) for written in ALL}
        for definition in _definitions(wanted):
            answer = made.apply(definition)
            assert answer.ok, answer.message
        for name in sorted({HOME, *(w.body["metadata"].get("namespace", HOME) for w in ALL)}):
            answer = made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            assert answer.ok, answer.message

        def known() -> bool:
            made.learn(*sorted({version for version, _ in wanted}))
            return {found for found in wanted if _is_foreign(found[0])} <= set(made.served)

        wait_until(known, "the CRDs of others are told of", 120)
        foreign_kinds = sorted(found for found in wanted if _is_foreign(found[0]))
        wait_until(lambda: all(map(made.lists, foreign_kinds)), "the CRDs of others are served", 120)  # a moment after that
        yield made


def _definitions(wanted: set[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """The CRDs of the kinds that are used, without descriptions, which make some too large to be stored."""
    groups = {version.partition("/")[0] for version, _ in wanted}
    for name in sorted({name for group in groups for name in FOREIGN.get(group, ())}):
        for file in foreign.crds(name):
            text = file.read_text()
            if not any(re.search(rf"^ +kind: {kind}$", text, re.MULTILINE) for _, kind in wanted):
                continue  # megabytes, some of them
            body = yaml.load(text, Loader=yaml.CSafeLoader)
            spec = body["spec"]
            if any(
                f"{spec['group']}/{v['name']}" == version and spec["names"]["kind"] == kind
                for v in spec["versions"]
                for version, kind in wanted
            ):
                spec.pop("conversion", None)  # by a webhook that is not here
                yield {**body, "metadata": _kept(body["metadata"]), "spec": _bare(spec)}


def _kept(meta: dict[str, Any]) -> dict[str, Any]:
    """The name, and the consent without which a CRD of *.k8s.io is refused."""
    return {"name": meta["name"], "annotations": meta.get("annotations", {})}


def _bare(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _bare(value) for key, value in node.items() if key != "description" or not isinstance(value, str)}
    return [_bare(item) for item in node] if isinstance(node, list) else node


def _is_foreign(version: str) -> bool:
    return version.partition("/")[0] in FOREIGN


@pytest.mark.parametrize("written", ALL, ids=[written.title for written in ALL])
def test_it_can_be_applied(desk: Desk, written: Written) -> None:
    answer = desk.apply(written.body, dryRun="All")

    assert answer.ok, f"{written.title}: {answer.code} {answer.message}"


def test_a_slip_is_noticed(desk: Desk) -> None:
    gate = next(written.body for written in ALL if written.body["kind"] == "Gate")
    slip = {**gate, "spec": {**gate["spec"], "polcyRef": {"name": "x"}}}

    answer = desk.apply(slip, dryRun="All")

    assert not answer.ok
    assert "polcyRef" in answer.message


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_object_escapes(page: Any) -> None:
    """Each line that begins an object is inside what `written` finds, or excused with a reason."""
    text = page.read_text()
    begins = re.compile(r"^ *apiVersion: ", re.MULTILINE)
    shown = [block.text for block in blocks(text) if begins.search(block.text)]

    assert len(begins.findall(text)) == sum(len(begins.findall(block)) for block in shown)
    assert all(texts(block) for block in shown)


def test_each_example_is_an_object_or_is_run_elsewhere() -> None:
    """manifests/examples holds nothing that no test looks at."""
    elsewhere = {"github-actions.yaml", "gitlab-ci.yaml"}  # run by tests/e2e/pipelines
    objects = {written.where for written in everything()}

    left = [path.name for path in EXAMPLES if str(path.relative_to(ROOT)) not in objects and path.name not in elsewhere]
    assert left == []
