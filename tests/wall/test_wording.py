"""What a person reads in the terminal: the same refusals through the real kubectl, with its own words around them."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

import subprocess

import pytest

from tests.wall.conftest import ROOT, Stage
from tests.wall.nodes import DENY, NODE, stands
from tests.wall.people import SHOP
from tests.wall.scene import Ask, Scene

PREFIX = "ValidatingAdmissionPolicy '{0}' with binding '{0}' denied request: "
FORBIDDEN = 'Error from server (Forbidden): approvalrequests.gatehold.dev "{name}" is forbidden: '


def kubectl(stage: Stage, who: str, *args: str) -> "subprocess.CompletedProcess[str]":
    return stage.cluster.kubectl(*args, f"--namespace={SHOP}", user=who, check=False)


def annotate(stage: Stage, scene: Scene, who: str, *notes: str) -> "subprocess.CompletedProcess[str]":
    return kubectl(stage, who, "annotate", f"apr/{scene.name}", *notes)


@pytest.mark.since(1, 36)
def test_one_command_approves(stage: Stage) -> None:
    scene = stage.scene().request(Ask())
    done = annotate(stage, scene, "alice", "gatehold.dev/approve=error rate is flat, go")

    assert (done.returncode, done.stdout) == (0, f"approvalrequest.gatehold.dev/{scene.name} annotated\n")
    assert scene.verdicts() == {0: f"approve|{scene.digest()}|sre|alice||error rate is flat, go"}


WORDS = {
    "no role": ("nora", "gatehold.dev/approve=ok", "you hold none of the roles this request needs (sre): ask for verb approve on approvalpolicies/<role> with resourceName solo in namespace shop"),
    "own request": ("ci", "gatehold.dev/approve=ok", 'you opened this request, so somebody else has to decide it (gatehold.dev/withdraw="why" takes it back)'),
    "somebody else's withdrawal": ("alice", "gatehold.dev/withdraw=no", "only ci, who opened this request, may withdraw it; a reviewer stops it with gatehold.dev/deny"),
    "no right to override": ("alice", "gatehold.dev/override=INC-4711: down", "you may not override policy solo: it takes verb override on approvalpolicies with resourceName solo in namespace shop"),
    "a typo": ("alice", "gatehold.dev/aprove=ok", "annotation gatehold.dev/aprove is written by the operator only; people write gatehold.dev/approve, deny, withdraw or override, with option, role and digest"),
}  # fmt: skip


@pytest.mark.since(1, 36)
@pytest.mark.parametrize("says", WORDS)
def test_a_refusal_says_what_to_do(stage: Stage, says: str) -> None:
    who, note, text = WORDS[says]
    scene = stage.scene().request(Ask())
    done = annotate(stage, scene, who, note)

    assert done.returncode == 1
    assert done.stderr == FORBIDDEN.format(name=scene.name) + PREFIX.format("gatehold-requests") + text + "\n"
    assert scene.verdicts() == {}


@pytest.mark.since(1, 36)
def test_what_is_wrong_with_the_words_is_called_invalid(stage: Stage) -> None:
    scene = stage.scene().request(Ask(state="Expired"))
    done = annotate(stage, scene, "alice", "gatehold.dev/approve=ok")

    text = "this request is Expired and no longer takes verdicts; open a new one"
    assert (
        done.stderr
        == f'The approvalrequests "{scene.name}" is invalid: : ' + PREFIX.format("gatehold-requests") + text + "\n"
    )


def test_a_verdict_cannot_be_taken_off(stage: Stage) -> None:
    scene = stage.scene().request(Ask(policy="prod", said=(("alice", "approve", "sre"),)))
    done = annotate(stage, scene, "alice", "verdict.gatehold.dev/0-")

    assert "verdicts are write-once; nobody may edit or remove one" in done.stderr


def test_a_held_job_cannot_be_resumed_and_the_refusal_says_how(stage: Stage) -> None:
    scene = stage.scene().request(Ask(release=True))
    done = kubectl(stage, "ci", "patch", "job", scene.job, '--patch={"spec": {"suspend": false}}')

    assert done.returncode == 1
    assert (
        "the operator lets it run once an ApprovalRequest with effect Release under policy solo is approved" in done.stderr
    )
    assert 'break-glass: in one write set spec.suspend: false and annotation gatehold.dev/override="why"' in done.stderr


def test_status_cannot_be_written(stage: Stage) -> None:
    scene = stage.scene().request(Ask())
    done = kubectl(
        stage,
        "mallory",
        "patch",
        "apr",
        scene.name,
        "--subresource=status",
        "--type=merge",
        '--patch={"status": {"phase": "Denied"}}',
    )

    assert PREFIX.format("gatehold-status") + "status is written by the operator only" in done.stderr


@pytest.mark.parametrize("verb", ["cordon", "drain"])
def test_a_gated_node_is_not_cordoned_and_the_refusal_says_how_to_ask(stage: Stage, verb: str) -> None:
    scene = stage.scene()
    stands(DENY)(scene)
    more = ["--timeout=1s", "--force", "--ignore-daemonsets"] if verb == "drain" else []
    done = stage.cluster.kubectl(verb, f"node-{scene.name}", *more, user="noah", check=False)

    asks = f"ask for its drain with `kubectl gatehold drain node-{scene.name} --reason ...`, or hold verb drain on nodes"
    assert PREFIX.format("gatehold-nodes") + f"gate gpu guards node node-{scene.name}: {asks}" in done.stderr
    node = stage.people["admin"].get(NODE(scene))
    assert node is not None and not node["spec"].get("unschedulable")


def test_exec_in_the_operators_namespace(stage: Stage) -> None:
    done = stage.cluster.kubectl("exec", stage.pod.pod, "--namespace=gatehold-system", "--", "sh", user="adam", check=False)

    assert done.returncode == 1
    assert "pods/exec in gatehold-system: whoever does this could become the operator" in done.stderr


def test_the_operators_name_cannot_be_borrowed(stage: Stage) -> None:
    scene = stage.scene().request(Ask())
    name = "--as=system:serviceaccount:gatehold-system:gatehold"
    done = kubectl(stage, "admin", "annotate", f"apr/{scene.name}", "gatehold.dev/prepared-by=me", "--overwrite", name)

    assert done.returncode == 1
    assert "operator" in done.stderr


def test_the_table_of_requests_says_what_is_held_by_whom_until_when(stage: Stage) -> None:
    scene = stage.scene().request(Ask(release=True))
    head, row = kubectl(stage, "ci", "get", "apr", scene.name).stdout.splitlines()

    assert head.split() == ["NAME", "PHASE", "SUBJECT", "EFFECT", "POLICY", "REQUESTER", "APPROVALS", "DEADLINE", "AGE"]
    assert row.split()[:-1] == [scene.name, "Pending", scene.job, "Release", "solo", "ci", "0/1", "2036-01-01T00:00:00Z"]


@pytest.mark.since(1, 31)
def test_the_fields_that_lists_can_be_asked_for(stage: Stage) -> None:
    scene = stage.scene().request(Ask(release=True))
    for field, value in (
        ("status.phase", "Pending"),
        ("spec.subject.uid", scene.uids[scene.job]),
        ("spec.requester.username", "ci"),
    ):
        found = kubectl(stage, "ci", "get", "apr", f"--field-selector={field}={value}", "-o", "name").stdout
        assert f"approvalrequest.gatehold.dev/{scene.name}" in found.splitlines()


def test_kubectl_explain_reads_like_documentation(stage: Stage) -> None:
    for what, text in (
        ("apr", "one question about one subject"),
        ("apr.spec.effect.release.undo", "It runs once if the first fails"),
        ("apol.spec.tiers", "Requests that need more, or nobody"),
    ):
        found = kubectl(stage, "ci", "explain", what).stdout
        assert text in " ".join(found.split())
        assert "<no description>" not in found.split("FIELDS:")[-1].replace("metadata\t<ObjectMeta>", "")


def test_the_starter_policy_can_be_installed(stage: Stage) -> None:
    """On every version; tests/docs applies the other examples, whose namespaces and kinds are not here."""
    example = ROOT / "manifests/examples/prod.yaml"
    done = stage.cluster.kubectl("apply", "--server-side", "--dry-run=server", "-f", str(example), check=False)

    assert done.returncode == 0, done.stderr
