"""The question that the operator asks about the pods of an owner."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api import provision_request
from gatehold.api.approval_request import parse
from gatehold.domain.model import Effect, EffectType, Subject
from gatehold.domain.pricing.pod import PodShape
from gatehold.domain.provision.decide import decide
from gatehold.domain.provision.model import OnDenied, OptionSeen, Question, Sight
from tests.api.schema import misfits, schema
from tests.builders import DIGEST, NOW
from tests.provisions import GATE, NEW, ODD, asked, owner, pod, pods, sight

SPEC = schema("approvalrequests", "spec")
CLASSED = {"priorityClassName": "urgent"}
ME = "system:serviceaccount:gatehold-system:gatehold"


def question(seen: Sight) -> Question:
    """What is asked of that."""
    (found,) = decide(seen, NOW).ask
    return found


def spec(seen: Sight) -> dict[str, object]:
    """The spec of the request about it."""
    found: dict[str, object] = provision_request.request(question(seen), seen, ME)["spec"]
    return found


def rows(seen: Sight) -> dict[str, str]:
    """The evidence by name; of several lines of a name the last."""
    return {row["name"]: row["value"] for row in spec(seen)["evidence"]}  # type: ignore[attr-defined]


def test_the_question() -> None:
    seen = sight(*pods(3))
    found = provision_request.request(question(seen), seen, ME, [{}, {}, {}])

    assert found["metadata"]["labels"] == {"gatehold.dev/gate": "gpu"}
    assert found["metadata"]["namespace"] == "shop"
    assert found["spec"]["summary"] == "run 4 pods of Deployment web: 0.80 to 0.80 USD an hour"
    assert found["spec"]["subject"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "uid": "web-uid",
        "digest": DIGEST,
    }
    assert found["spec"]["evidence"][0] == {
        "name": "pods",
        "value": "4",
        "baseline": "0",
        "source": "3 wanted, 1 more while it is updated",
    }
    assert {"name": "waiting now", "value": "3 pods or Jobs"} in found["spec"]["evidence"]
    assert list(misfits(found["spec"], SPEC, "spec")) == []


@pytest.mark.parametrize("body", [{"spec": CLASSED}, {"spec": {"template": {"spec": CLASSED}}}], ids=["pods", "Jobs"])
def test_it_says_of_which_priority_class_they_are(body: dict[str, object]) -> None:
    seen = sight(*pods(3))
    found = provision_request.request(question(seen), seen, ME, [body, body])

    assert [row["value"] for row in found["spec"]["evidence"] if row["name"] == "priority class"] == ["urgent"]
    assert "priority class" not in rows(seen)


def test_the_operator_reads_it_back() -> None:
    seen = sight(*pods(3), owner=owner(authors=("dora",)))
    body = provision_request.request(question(seen), seen, ME)
    stored = {"uid": "u", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
    found = parse({**body, "metadata": {**body["metadata"], **stored}})

    assert (found.gate, found.effect, found.authors) == ("gpu", Effect(EffectType.RELEASE), ("dora",))
    assert found.subject == Subject("apps/v1", "Deployment", "shop", "web", "web-uid", DIGEST)


@pytest.mark.parametrize("word", list(OnDenied))
def test_what_happens_otherwise_is_said(word: OnDenied) -> None:
    said = str(spec(sight(*pods(3), gate=replace(GATE, on_denied=word)))["description"])

    assert said.partition("\nOtherwise: ")[2]


def test_what_is_approved_already_is_compared() -> None:
    more = spec(sight(*pods(3), asked=(asked(size=2),)))

    assert more["evidence"][1]["baseline"] == "0.40 to 0.40 USD an hour"  # type: ignore[index]


def test_one_pod_is_no_pods() -> None:
    one = sight(pod(), owner=owner(replicas=1, surge=0), gate=replace(GATE, threshold=GATE.threshold.__class__()))

    assert str(spec(one)["summary"]).startswith("run 1 pod of Deployment web: ")
    assert rows(one)["pods"] == "1"


def test_a_stated_duration_is_shown_and_binds_nobody() -> None:
    assert rows(sight(*pods(3), owner=owner(stated="2h")))["stated duration"] == "2h: 1.60 USD then; nobody ends it"


def test_odd_pods_say_so() -> None:
    odd = sight(pod(digest=NEW, shape=ODD))

    assert rows(odd)["not as the template"]
    assert spec(odd)["evidence"][0]["source"] == "as many as there are"  # type: ignore[index]


def test_what_has_no_price_is_said() -> None:
    strange = sight(pod(shape=replace(ODD, claims=("gpu",))))

    assert rows(strange)["has no price"] == "device claim gpu"
    assert rows(strange)["in all"].startswith("at least ")


def test_options_have_prices() -> None:
    offered = sight(*pods(3), owner=owner(options=(OptionSeen("cheap", 2), OptionSeen("fast", 4, "all of them"))))

    assert [(o["name"], o["summary"], o["cost"]["amount"]) for o in spec(offered)["options"]] == [  # type: ignore[attr-defined]
        ("cheap", "2 pods", "0.4"),
        ("fast", "all of them", "0.8"),
    ]


def test_without_a_table_there_is_none_to_name() -> None:
    seen = sight(*pods(3))

    assert "price table" not in {
        row["name"] for row in provision_request.request(question(seen), replace(seen, table=None), ME)["spec"]["evidence"]
    }


@given(
    st.text(st.characters(codec="utf-8"), max_size=400),
    st.lists(st.text(st.characters(codec="utf-8"), max_size=400), max_size=40),
)
def test_whatever_it_is_called_it_fits(name: str, texts: list[str]) -> None:
    shape = PodShape(ODD.containers, claims=tuple(texts))
    seen = sight(pod(shape=shape, images=tuple(texts)), owner=owner(name=name or "x", shape=shape))

    wrong = [text for text in misfits(spec(seen), SPEC, "spec") if not text.startswith("spec.subject")]
    assert wrong == []  # a name is the API server's, which takes none that does not fit
