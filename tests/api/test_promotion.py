"""The question that the operator asks about a Rollout, and what it shows without being asked."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from gatehold.api import approval_request, promotion
from gatehold.api.common import ParseError
from gatehold.api.masking import tag
from gatehold.domain.model import Effect, EffectType
from gatehold.domain.rollout.model import Child
from gatehold.domain.rollout.plan import Ask
from gatehold.domain.rollout.record import Question, Weight
from tests.api.rollouts import TEMPLATE, UID, body

OPERATOR = "system:serviceaccount:gatehold-system:gatehold"
DIGEST = "sha256:" + "d" * 64
QUESTION = Question("prod", "web-dddddddd-0001", DIGEST, 1, "rollouts", ("web=web@sha256:2",))
ASK = Ask(QUESTION, 90, (("board", "https://x.example/y"), ("", "https://x.example/z")))
STABLE = Child("web-stable", "s", "1", 1, replicas=5, available=4, images=("web=web@sha256:1",), restarts=2)
CANARY = Child("web-canary", "c", "1", 1, replicas=1, available=1, images=("web=web@sha256:2",))


def former(image: str = "web:0") -> dict[str, Any]:
    """What stable runs."""
    found = copy.deepcopy(TEMPLATE)
    found["spec"]["containers"][0] |= {"image": image}
    return found


KEY = "a secret of the process"
SEEN = promotion.Seen(former(), ("web=web@sha256:1",), STABLE, CANARY, Weight(20, 16), KEY)


def ask(seen: promotion.Seen = SEEN, question: Question = QUESTION, **changes: Any) -> dict[str, Any]:
    return promotion.request(body(**changes), replace(ASK, question=question), seen, OPERATOR)


def test_the_whole_question() -> None:
    assert ask(metadata={"annotations": {"gatehold.dev/authors": "ann,*"}}) == {
        "apiVersion": "gatehold.dev/v1alpha1",
        "kind": "ApprovalRequest",
        "metadata": {
            "name": "web-dddddddd-0001",
            "namespace": "shop",
            "labels": {"gatehold.dev/gate": "rollouts", "gatehold.dev/rollout": "web"},
        },
        "spec": {
            "policyRef": {"name": "prod"},
            "summary": "promote web from web:0 to web:1",
            "description": (
                "Approved: the canary goes on, and after its last step web-stable takes its template by a rolling update"
                " that keeps capacity.\nOtherwise: the canary goes, and web-stable stays as it is."
            ),
            "links": [{"title": "board", "url": "https://x.example/y"}, {"url": "https://x.example/z"}],
            "evidence": [
                {"name": "spec.containers[web].image", "value": "web:1", "source": "spec.template", "baseline": "web:0"},
                {
                    "name": "image id of web",
                    "value": "web@sha256:2",
                    "baseline": "web@sha256:1",
                    "source": "ready pods of the canary",
                },
                {"name": "replicas", "value": "5"},
                {"name": "pods available", "value": "1 of 1", "baseline": "4 of 5"},
                {"name": "restarts", "value": "0", "baseline": "2"},
                {"name": "share of the pods", "value": "16", "unit": "%", "source": "20 % are asked for"},
            ],
            "subject": {
                "apiVersion": "gatehold.dev/v1alpha1",
                "kind": "Rollout",
                "namespace": "shop",
                "name": "web",
                "uid": UID,
                "digest": DIGEST,
            },
            "effect": {"type": "Promote"},
            "timeoutSeconds": 90,
            "requester": {"username": OPERATOR},
            "authors": ["ann", "*"],
        },
    }


def test_it_reads_back_as_a_request() -> None:
    wire = ask()
    wire["metadata"] |= {"uid": "r", "creationTimestamp": "2026-03-01T12:00:00Z"}
    found = approval_request.parse(wire)

    assert (found.gate, found.policy, found.effect, found.timeout_seconds) == (
        "rollouts",
        "prod",
        Effect(EffectType.PROMOTE),
        90,
    )
    assert found.subject is not None
    assert (found.subject.name, found.subject.uid, found.subject.digest) == ("web", UID, DIGEST)


def evidence(**changes: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(**changes)["spec"]["evidence"]
    return found


def names(**changes: Any) -> list[str]:
    return [row["name"] for row in evidence(**changes)]


def test_a_first_deployment_is_asked_about_with_the_whole_template_and_no_figures() -> None:
    found = promotion.request(body(), Ask(replace(QUESTION, images=())), promotion.Seen(key=KEY), OPERATOR)["spec"]

    assert found["summary"] == "deploy web with web:1"
    assert found["description"] == "Approved: web is deployed for the first time.\nOtherwise: nothing of it runs."
    assert found["evidence"] == [
        {"name": "spec.containers[web].image", "value": "web:1", "source": "spec.template"},
        {"name": "replicas", "value": "5"},
        {"name": "metadata.labels.app", "value": "web", "source": "spec.template"},
        {"name": "spec.containers[web].name", "value": "web", "source": "spec.template"},
        {"name": "spec.containers[web].env[LEVEL].name", "value": "LEVEL", "source": "spec.template"},
        {"name": "spec.containers[web].env[LEVEL].value", "value": tag(KEY, "info"), "source": "spec.template"},
    ]
    assert not {"links", "timeoutSeconds", "authors"} & found.keys()


def test_where_only_other_fields_change_the_summary_says_so() -> None:
    labels = {"metadata": {"labels": {"app": "web", "v": "2"}}}
    found = ask(replace(SEEN, former=former("web:1")), spec={"template": TEMPLATE | labels})["spec"]

    assert found["summary"] == "promote web: other fields of the template change, not the images web:1"
    assert found["evidence"][-1] == {
        "name": "metadata.labels.v",
        "value": "2",
        "source": "spec.template",
        "baseline": "(absent)",
    }


def test_a_summary_is_one_line_of_at_most_256_characters() -> None:
    many = [{"name": f"c{n}", "image": f"registry.example/{n}"} for n in range(64)]
    found = ask(spec={"template": TEMPLATE | {"spec": {"containers": many}}})["spec"]["summary"]

    assert len(found) == 256
    assert found.endswith("…")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (replace(SEEN, canary=None), []),
        (replace(SEEN, canary=replace(CANARY, replicas=0)), []),
        (replace(SEEN, stable=None), [{"name": "pods available", "value": "1 of 1"}, {"name": "restarts", "value": "0"}]),
        (
            replace(SEEN, stable=replace(STABLE, images=None)),
            [{"name": "pods available", "value": "1 of 1", "baseline": "4 of 5"}, {"name": "restarts", "value": "0"}],
        ),
    ],
    ids=["no canary", "a canary of no pods", "no stable", "stable pods that were not read"],
)
def test_figures_of(seen: promotion.Seen, expected: list[dict[str, str]]) -> None:
    rows = evidence(seen=seen)

    assert [row for row in rows if row["name"] in ("pods available", "restarts")] == expected


def test_what_is_wrong_with_the_canary_is_shown_masked() -> None:
    rows = evidence(seen=replace(SEEN, canary=replace(CANARY, trouble="FailedCreate: token=abc")))

    assert rows[-1] == {"name": "trouble", "value": f"FailedCreate: token={tag(KEY, 'abc')}"}


def test_image_ids_of_several_pods_stand_one_by_one_beside_all_that_ran_before() -> None:
    images = ("init=i", "web=a", "web=b")
    rows = evidence(seen=replace(SEEN, images=("web=x", "web=y")), question=replace(QUESTION, images=images))

    assert [(r["name"], r["value"], r.get("baseline")) for r in rows if r["name"].startswith("image id")] == [
        ("image id of init", "i", None),
        ("image id of web", "a", "x, y"),
        ("image id of web", "b", "x, y"),
    ]


def test_there_is_room_for_32_rows_and_what_is_left_out_is_counted() -> None:
    many = [{"name": f"c{n}", "image": f"new:{n}", "args": [f"{n}"]} for n in range(20)]
    template = TEMPLATE | {"spec": {"containers": many}}
    images = tuple(f"c{n}=id{n}" for n in range(20))
    rows = evidence(spec={"template": template}, question=replace(QUESTION, images=images))
    shown = [row["name"] for row in rows]

    assert len(rows) == 32
    assert sum(name.endswith(".image") for name in shown[:8]) == 8
    assert sum(name.startswith("image id") for name in shown) == 8
    # 20 containers of three fields, and the four of the one that goes; eight images and eleven others have room
    assert rows[-1] == {"name": "more differences", "value": f"{20 * 3 + 4 - 8 - 11} fields are not shown here"}


def test_a_long_path_is_cut() -> None:
    template = TEMPLATE | {"metadata": {"labels": {"app": "web"}, "annotations": {"x" * 300: "y"}}}

    assert names(spec={"template": template})[-1] == "metadata.annotations." + "x" * 106 + "…"


def test_a_field_without_a_name_is_the_template() -> None:
    assert names(spec={"template": TEMPLATE | {"": "x"}})[-1] == "template"


def test_what_is_no_rollout_is_asked_about_by_nobody() -> None:
    with pytest.raises(ParseError, match="spec: model_type"):
        promotion.request(body() | {"spec": None}, ASK, SEEN, OPERATOR)
