"""Every script of manifests/examples/pipelines, with the rights of its rbac.yaml: approved, denied, cancelled.

What stands in for the CI systems is the order of their steps and what they put into the environment; see `systems`.
"""

from pathlib import Path

import pytest

from controlplane import Cluster, KubectlError, wait_until
from gatehold import __version__
from gatehold.cli.asking import key_name
from playground import OperatorProcess
from tests.e2e.pipelines.systems import GitHub, GitLab, argo, tekton
from tests.e2e.pipelines.workshop import EXAMPLES, PROGRAMS, Workshop, ended, renamed
from tests.e2e.rights import until_allowed
from tests.e2e.stage import Body, Stage, new_stage

ACCOUNTS = ("github:example/shop", "gitlab:example/shop")
UIDS = [f"0f8fad5b-d9cb-469f-a165-70867728950{number}" for number in range(5)]


@pytest.fixture(scope="module")
def shop(gatehold: Cluster, operator: OperatorProcess) -> Stage:
    """One namespace for all pipelines: the policy, the rights of the examples, and a Deployment to change."""
    made = new_stage(gatehold, operator)
    made.policy(policy(made), quorum=[{"role": "sre"}], onUnknownRequester=None)
    made.kubectl("apply", "-f", "-", stdin=renamed((EXAMPLES / "rbac.yaml").read_text(), policy(made), made.namespace))
    for name in ACCOUNTS:
        until_allowed(made.api(), name, verb="create", resource="jobs", group="batch", namespace=made.namespace)
    made.kubectl("create", "deployment", "web", "--image=registry.example.org/shop/web:old", "--replicas=0")
    return made


def policy(shop: Stage) -> str:
    return f"prod-change-{shop.namespace}"


@pytest.fixture
def robot(shop: Stage) -> Path:
    """The kubeconfig of a pod of ServiceAccount pipeline, as Tekton and Argo Workflows run scripts."""
    return shop.cluster.mint_pod_bound_token(shop.namespace, "pipeline").kubeconfig


def user(shop: Stage, name: str) -> str:
    shop.cluster.user(name)
    return name


def answer(shop: Stage, name: str, *people: str, word: str = "approve") -> None:
    """People read the question, and say their word."""
    shop.until_prepared(name)
    for person in people:
        shop.say(person, name, word)


def image(shop: Stage) -> str:
    body = shop.get("deploy", "web")
    return str(body["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.fixture
def pipx(tmp_path: Path) -> Path:
    """A pipx that knows one package, ours, and puts its program on PATH: it is in no index yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    text = f'#!/bin/sh\n[ "$*" = "install gatehold=={__version__}" ] && exec ln -sf {PROGRAMS / "gatehold"} {folder}\n'
    (folder / "pipx").write_text(text)
    (folder / "pipx").chmod(0o755)
    return folder


def test_github_actions(shop: Stage, tmp_path: Path, pipx: Path) -> None:
    account = user(shop, "github:example/shop")
    place = Workshop(shop, tmp_path / "checkout", policy(shop), account)
    place.environ["PATH"] = f"{pipx}:{shop.cluster.environment(account)['PATH']}"  # and no gatehold, until it is installed
    config = Path(place.environ.pop("KUBECONFIG")).read_text()
    facts = {
        "github.run_id": "7001",
        "github.sha": "9e347b7" + "0" * 33,
        "github.server_url": "https://github.com",
        "github.repository": "example/shop",
        "github.actor": "alice",
        "secrets.KUBECONFIG": config,
    }
    run = GitHub(place, facts)
    run.run("migrate", "Install gatehold", "Find the cluster", "Make the Job, held", "Make the Job, held", "Ask", "Ask")
    name = run.output("ask", "request")
    assert name == key_name("migrate-7001")
    waiting = place.start(run.step("migrate", "Wait"))
    with pytest.raises(KubectlError, match="behalf"):  # who began the run is named in --on-behalf-of
        answer(shop, name, "alice")
    assert waiting.poll() is None
    answer(shop, name, "bob")
    assert "Released" in ended(waiting)
    assert shop.get("job", "migrate-7001")["status"]["succeeded"] == 1

    run.run("deploy", "Install gatehold", "Find the cluster")
    waiting = place.start(run.step("deploy", "Ask, wait, deploy"))
    wait_until(lambda: shop.find("apr", key_name("deploy-7001")) is not None, "the second question", 120)
    answer(shop, key_name("deploy-7001"), "bob")
    ended(waiting)
    assert image(shop) == f"registry.example.org/shop/web:{facts['github.sha']}"

    facts["github.run_id"] = "7002"
    run.run("migrate", "Make the Job, held", "Ask")
    cancelled = run.output("ask", "request")
    run.run("migrate", "Take the question back where the run is cancelled")
    assert shop.until_done(cancelled)["status"]["phase"] == "Withdrawn"
    assert shop.get("job", "migrate-7002")["spec"]["suspend"] is True
    assert place.ran == run.names()


def test_gitlab(shop: Stage, tmp_path: Path) -> None:
    place = Workshop(shop, tmp_path / "checkout", policy(shop), user(shop, "gitlab:example/shop"))
    predefined = {
        "CI_PIPELINE_ID": "8001",
        "CI_COMMIT_SHA": "5344d99" + "0" * 33,
        "CI_PIPELINE_URL": "https://gitlab.example.org/example/shop/-/pipelines/8001",
        "GITLAB_USER_LOGIN": "mallory",
    }
    pipeline = GitLab(place, predefined)
    before = image(shop)
    waiting = place.start(pipeline.script("migrate"))
    name = key_name("migrate-8001")
    wait_until(lambda: shop.find("apr", name) is not None, "the question", 120)
    answer(shop, name, "alice")
    ended(waiting)
    assert shop.get("job", "migrate-8001")["status"]["succeeded"] == 1
    place.run(pipeline.script("migrate", "after_script", CI_JOB_STATUS="success"))

    denied = place.start(pipeline.script("deploy"))
    wait_until(lambda: shop.find("apr", key_name("deploy-8001")) is not None, "the second question", 120)
    answer(shop, key_name("deploy-8001"), "bob", word="deny")
    ended(denied, code=1)
    assert image(shop) == before

    second = GitLab(place, {**predefined, "CI_PIPELINE_ID": "8002"})
    with place.start(second.script("migrate")) as process:
        wait_until(lambda: shop.find("apr", key_name("migrate-8002")) is not None, "the third question", 120)
        wait_until(lambda: (place.folder / "request").read_text() != "", "its name in the checkout", 120)
        process.kill()
    place.run(second.script("migrate", "after_script", CI_JOB_STATUS="canceled"))
    assert shop.until_done(key_name("migrate-8002"))["status"]["phase"] == "Withdrawn"
    assert place.ran == pipeline.names()


def test_tekton(shop: Stage, tmp_path: Path, robot: Path) -> None:
    place = Workshop(shop, tmp_path / "checkout", policy(shop), robot)
    tasks = place.bodies("tekton")
    facts = {"context.taskRun.namespace": shop.namespace, "params.run": UIDS[0], "params.revision": "v8"}
    make, ask, wait = tekton(tasks["Task/migrate"], facts)
    place.run(make)
    place.run(make)  # as a step that is tried again
    place.run(ask)
    waiting = place.start(wait)
    asked = approve_twice(shop, f"migrate-{UIDS[0]}")
    assert asked["spec"]["requester"]["username"] == f"system:serviceaccount:{shop.namespace}:pipeline"
    ended(waiting)
    (back,) = tekton(tasks["Task/take-back"], facts)
    assert "nothing to take back" in place.run(back)

    make, ask, _ = tekton(tasks["Task/migrate"], {**facts, "params.run": UIDS[1]})
    place.run(make)
    place.run(ask)
    (back,) = tekton(tasks["Task/take-back"], {**facts, "params.run": UIDS[1]})
    place.run(back)
    assert shop.until_done(f"migrate-{UIDS[1]}")["status"]["phase"] == "Withdrawn"
    assert place.ran == {script.name for body in tasks.values() if body["kind"] == "Task" for script in tekton(body, facts)}


def test_argo_workflows(shop: Stage, tmp_path: Path, robot: Path) -> None:
    place = Workshop(shop, tmp_path / "checkout", policy(shop), robot)
    template = place.bodies("argo-workflows")["WorkflowTemplate/release"]
    facts = {"workflow.namespace": shop.namespace, "workflow.uid": UIDS[2], "workflow.parameters.revision": "v9"}
    scripts = argo(template, facts)
    place.run(scripts["make"])
    waiting = place.start(scripts["approve"])
    wait_until(lambda: shop.find("apr", f"migrate-{UIDS[2]}") is not None, "the question", 120)
    approve_twice(shop, f"migrate-{UIDS[2]}")
    ended(waiting)
    assert shop.get("job", f"migrate-{UIDS[2]}")["status"]["succeeded"] == 1

    before_it_asked = argo(template, {**facts, "workflow.uid": UIDS[3]})
    assert "nothing to take back" in place.run(before_it_asked["take-back"])
    assert place.ran == set(scripts)


def test_a_value_that_is_made_for_sed_becomes_no_command(shop: Stage, tmp_path: Path, robot: Path) -> None:
    place = Workshop(shop, tmp_path / "checkout", policy(shop), robot)
    value = "x;touch${IFS}ran/e;#"
    facts = {"context.taskRun.namespace": shop.namespace, "params.run": UIDS[4], "params.revision": value}
    make, *_ = tekton(place.bodies("tekton")["Task/migrate"], facts)
    ended(place.start(make), code=2)
    facts = {"workflow.namespace": shop.namespace, "workflow.uid": UIDS[4], "workflow.parameters.revision": value}
    ended(place.start(argo(place.bodies("argo-workflows")["WorkflowTemplate/release"], facts)["make"]), code=2)
    assert not list(place.folder.rglob("ran*"))
    assert shop.find("job", f"migrate-{UIDS[4]}") is None


def approve_twice(shop: Stage, name: str) -> Body:
    """A service account asks, so one reviewer more than the policy says is needed; the first yes changes nothing."""
    asked = shop.until_prepared(name)
    assert asked["status"]["approvals"] == "0/2"
    answer(shop, name, "alice", "bob")
    return asked


def test_the_account_of_a_pipeline_cannot_let_its_own_job_run(shop: Stage, robot: Path) -> None:
    job = shop.job("by-hand", policy(shop))
    patch = ("patch", "job", job["metadata"]["name"], "--type=merge", '-p={"spec":{"suspend":false}}')
    with pytest.raises(KubectlError, match="this Job is held"):
        shop.cluster.kubectl("-n", shop.namespace, *patch, user=robot)
