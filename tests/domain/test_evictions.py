"""The webhook's judge: every answer it gives, and that it never lets through what nobody approved."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.domain.eviction_sight import Answer, Eviction, GateSight, HeldDrain, NodeSight, PodSight, Sight, Word
from gatehold.domain.evictions import MOST_OPEN, PROBE_NAMESPACE, PROBE_POD, PROBE_USER, clock, judge, readable
from gatehold.domain.model import Requester
from gatehold.domain.phases import Phase

NOW = datetime(2026, 5, 1, 14, 0, 0, tzinfo=UTC)
SOON, LATER = NOW + timedelta(minutes=5), NOW + timedelta(days=2)
AGO = NOW - timedelta(seconds=1)

ALICE = Requester("alice", "u-1", ("sre",))
EVICTION = Eviction("shop", "web-1", ALICE)
NODE = NodeSight("n1", "node-1", gate="gpu", hold=True, cordoned=True)
GATE = GateSight("gpu", hold=True, namespace="ops", policy="drains")
PENDING = HeldDrain("ops", "n1-x-d0", "r-0", "gpu", "node-1", "alice", Phase.PENDING, "0/2", SOON)
APPROVED = replace(PENDING, phase=Phase.APPROVED, approvals="2/2", valid_until=SOON)
DENIED = replace(PENDING, phase=Phase.DENIED, cooldown_until=SOON, said="was denied by bob: not on a Friday")
SIGHT = Sight(EVICTION, pod=PodSight("n1"), node=NODE, gate=GATE)


def theirs(*requests: HeldDrain) -> Sight:
    return replace(SIGHT, requests=requests)


def on_node(**changes: object) -> Sight:
    return replace(SIGHT, node=replace(NODE, **changes))  # type: ignore[arg-type]


PROBE = Eviction(PROBE_NAMESPACE, PROBE_POD, Requester(PROBE_USER))
DENY = replace(on_node(hold=False), may_drain=False)

ANSWERS: dict[str, tuple[Sight, tuple[bool, int, Word, bool], str]] = {
    "the probe is told one word, whatever is known": (
        Sight(PROBE, trouble="cold"),
        (False, 403, Word.PROBE, False),
        "gatehold-probe",
    ),
    "anybody else's pod of that name is a pod": (
        replace(SIGHT, eviction=replace(EVICTION, namespace=PROBE_NAMESPACE, pod=PROBE_POD)),
        (False, 429, Word.ASKED, True),
        "people are being asked",
    ),
    "the probe's account may evict no other pod": (
        replace(SIGHT, eviction=replace(EVICTION, by=Requester(PROBE_USER))),
        (False, 429, Word.ASKED, True),
        "people are being asked",
    ),
    "trouble": (
        replace(SIGHT, trouble="not all pods are known yet", requests=(APPROVED,)),
        (False, 429, Word.UNSURE, False),
        "held by gatehold, try again: not all pods are known yet",
    ),
    "a pod that is not known": (
        replace(SIGHT, pod=None),
        (False, 429, Word.UNSURE, False),
        "pod shop/web-1 is not known yet",
    ),
    "a pod that is surely not there": (
        replace(SIGHT, pod=PodSight(absent=True)),
        (False, 404, Word.GONE, False),
        'pods "web-1" not found',
    ),
    "a pod without a node": (replace(SIGHT, pod=PodSight()), (True, 200, Word.ALLOWED, False), ""),
    "a node that is not known": (
        replace(SIGHT, node=None),
        (False, 429, Word.UNSURE, False),
        "node n1 is not known yet",
    ),
    "another node than the pod's": (
        on_node(name="n2"),
        (False, 429, Word.UNSURE, False),
        "node n1 is not known yet",
    ),
    "a node without a gate": (
        replace(on_node(gate="", hold=False), gate=None),
        (True, 200, Word.ALLOWED, False),
        "",
    ),
    "a gate that cannot be read": (
        replace(SIGHT, gate=None),
        (False, 429, Word.UNSURE, False),
        "gate gpu, which guards node n1, cannot be read",
    ),
    "another gate than the node's": (
        replace(SIGHT, gate=replace(GATE, name="cpu")),
        (False, 429, Word.UNSURE, False),
        "gate gpu, which guards node n1, cannot be read",
    ),
    "mode Deny": (
        DENY,
        (False, 403, Word.GUARDED, False),
        (
            "gate gpu guards node n1: ask for its drain with `kubectl gatehold drain n1 --reason ...`, "
            "or hold verb drain on nodes"
        ),
    ),
    "mode Deny, not cordoned": (
        replace(DENY, node=replace(NODE, hold=False, cordoned=False, live=True)),
        (False, 403, Word.GUARDED, False),
        "gate gpu guards node n1",
    ),
    "mode Deny, who may drain": (replace(DENY, may_drain=True), (True, 200, Word.ALLOWED, False), ""),
    "mode Deny, rights not known": (
        replace(DENY, may_drain=None),
        (False, 429, Word.UNSURE, False),
        "whether alice may drain nodes could not be found out",
    ),
    "a gate of mode Deny on a node that still says Hold": (
        replace(SIGHT, gate=replace(GATE, hold=False), may_drain=False, requests=(APPROVED,)),
        (False, 403, Word.GUARDED, False),
        "gate gpu guards node n1",
    ),
    "not cordoned, as read just now": (on_node(cordoned=False, live=True), (True, 200, Word.ALLOWED, False), ""),
    "not cordoned, as far as the watch has told": (
        on_node(cordoned=False),
        (False, 429, Word.UNSURE, False),
        "whether node n1 is cordoned is not known",
    ),
    "denied, and uncordoned for that": (
        replace(on_node(cordoned=False, live=True), requests=(DENIED,)),
        (False, 403, Word.REFUSED, False),
        "was denied by bob",
    ),
    "asked about, and uncordoned by somebody": (
        replace(on_node(cordoned=False, live=True), requests=(PENDING,)),
        (False, 429, Word.HELD, False),
        "is pending",
    ),
    "asked about, ended by an uncordon, and still waiting": (
        replace(
            on_node(cordoned=False, live=True), requests=(replace(DENIED, phase=Phase.SUPERSEDED, said="was uncordoned"),)
        ),
        (False, 403, Word.REFUSED, False),
        "was uncordoned",
    ),
    "superseded, with nothing that an uncordon had done": (
        replace(
            on_node(cordoned=False, live=True), requests=(replace(DENIED, phase=Phase.SUPERSEDED, cooldown_until=None),)
        ),
        (True, 200, Word.ALLOWED, False),
        "",
    ),
    "approved for another gate, which the node was behind before": (
        theirs(replace(APPROVED, gate="lab")),
        (False, 429, Word.HELD, False),
        "gate gpu holds the drain of n1: approval ops/n1-x-d0 was valid until",
    ),
    "denied to somebody else, and uncordoned": (
        replace(on_node(cordoned=False, live=True), requests=(replace(DENIED, username="bob"),)),
        (True, 200, Word.ALLOWED, False),
        "",
    ),
    "nobody was asked": (
        SIGHT,
        (False, 429, Word.ASKED, True),
        "gate gpu holds the drain of n1: people are being asked in namespace ops",
    ),
    "nobody could be asked": (
        replace(SIGHT, unasked='namespaces "ops" not found'),
        (False, 429, Word.ASKED, True),
        'people could not be asked in namespace ops, it is tried again: namespaces "ops" not found',
    ),
    "too many wait": (
        replace(SIGHT, waiting=MOST_OPEN),
        (False, 429, Word.HELD, False),
        "20 questions of gate gpu wait already",
    ),
    "not looked at yet": (
        theirs(replace(PENDING, phase=Phase.UNSET, approvals="")),
        (False, 429, Word.HELD, False),
        "approval ops/n1-x-d0 is not ready for people yet",
    ),
    "held itself": (
        theirs(replace(PENDING, approvals="", said="the wall is not proven")),
        (False, 429, Word.HELD, False),
        "approval ops/n1-x-d0 is not ready for people yet: the wall is not proven",
    ),
    "pending": (
        theirs(PENDING),
        (False, 429, Word.HELD, False),
        (
            "gate gpu holds the drain of n1: approval ops/n1-x-d0 is pending (0 of 2), until 14:05:00Z; "
            'approve with: kubectl -n ops annotate apr/n1-x-d0 gatehold.dev/approve="why"'
        ),
    ),
    "pending, another day": (
        theirs(replace(PENDING, deadline=LATER)),
        (False, 429, Word.HELD, False),
        "until 2026-05-03T14:00:00Z;",
    ),
    "approved": (theirs(APPROVED), (True, 200, Word.ALLOWED, False), ""),
    "approved, but too long ago": (
        theirs(replace(APPROVED, valid_until=NOW)),
        (False, 429, Word.HELD, False),
        "approval ops/n1-x-d0 was valid until 14:00:00Z",
    ),
    "approved, nobody knows until when": (
        theirs(replace(APPROVED, valid_until=None)),
        (False, 429, Word.HELD, False),
        "was valid until a time that is not known",
    ),
    "approved for somebody else": (
        theirs(replace(APPROVED, username="bob")),
        (False, 429, Word.ASKED, True),
        "people are being asked",
    ),
    "approved for an earlier node of that name": (
        theirs(replace(APPROVED, node_uid="node-0")),
        (False, 429, Word.ASKED, True),
        "people are being asked",
    ),
    "denied": (
        theirs(DENIED),
        (False, 403, Word.REFUSED, False),
        (
            "gate gpu refuses the drain of n1: approval ops/n1-x-d0 was denied by bob: not on a Friday; "
            "it can be asked again not before 14:05:00Z"
        ),
    ),
    "denied, and being undone": (
        theirs(replace(DENIED, cooldown_until=None)),
        (False, 403, Word.REFUSED, False),
        "it can be asked again later",
    ),
    "expired, without a word": (
        theirs(replace(DENIED, phase=Phase.EXPIRED, said="")),
        (False, 403, Word.REFUSED, False),
        "ended as Expired",
    ),
    "denied a while ago": (
        theirs(replace(DENIED, cooldown_until=NOW)),
        (False, 429, Word.ASKED, True),
        "people are being asked",
    ),
    "denied a while ago, and asked again": (
        theirs(replace(DENIED, cooldown_until=AGO), PENDING),
        (False, 429, Word.HELD, False),
        "is pending",
    ),
    "a no beats a yes": (theirs(APPROVED, DENIED), (False, 403, Word.REFUSED, False), "was denied by bob"),
    "released": (theirs(replace(APPROVED, phase=Phase.RELEASED)), (False, 429, Word.ASKED, True), "being asked"),
    "superseded": (theirs(replace(APPROVED, phase=Phase.SUPERSEDED)), (False, 429, Word.ASKED, True), "being asked"),
}


@pytest.mark.parametrize(("sight", "wanted", "text"), ANSWERS.values(), ids=ANSWERS)
def test_each_answer(sight: Sight, wanted: tuple[bool, int, Word, bool], text: str) -> None:
    found = judge(sight, NOW)
    assert (found.allowed, found.code, found.word, found.ask) == wanted
    assert text in found.message
    assert (found.message == "") == found.allowed


def test_without_the_time_nothing_passes_that_needs_it() -> None:
    assert judge(theirs(APPROVED), None).code == 429
    assert judge(theirs(APPROVED), None).word is Word.UNSURE
    assert judge(replace(on_node(gate=""), gate=None), None).allowed


def test_every_refusal_that_stands_is_told() -> None:
    for phase in (Phase.DENIED, Phase.EXPIRED, Phase.LAPSED, Phase.WITHDRAWN, Phase.FAILED):
        assert judge(theirs(replace(DENIED, phase=phase)), NOW).code == 403


def test_what_others_wrote_stays_one_line() -> None:
    assert readable("a\nb\x1b[31m\u202ec") == "a b [31m c"
    assert readable("x" * 300) == "x" * 199 + "…"


def test_an_instant_of_today_is_told_by_its_time() -> None:
    assert clock(SOON, NOW) == "14:05:00Z"
    assert clock(LATER, NOW) == "2026-05-03T14:00:00Z"


# ---- whatever is known

words = st.sampled_from(["", "n1", "n2", "node-1", "node-2", "alice", "bob", "gpu", "cpu"])
instants = st.none() | st.integers(-5, 5).map(lambda s: NOW + timedelta(seconds=s))
requests = st.builds(
    HeldDrain,
    words,
    words,
    words,
    words,
    words,
    words,
    phase=st.sampled_from(Phase),
    approvals=st.sampled_from(["", "0/2", "2/2"]),
    deadline=instants,
    valid_until=instants,
    cooldown_until=instants,
    said=st.text(max_size=5),
)
sights = st.builds(
    Sight,
    st.builds(Eviction, words, words, st.builds(Requester, words), words, st.booleans()),
    st.sampled_from(["", "", "", "cold"]),
    st.none() | st.builds(PodSight, words, st.booleans()),
    st.none() | st.builds(NodeSight, words, words, words, st.booleans(), st.booleans(), st.booleans()),
    st.none() | st.builds(GateSight, words, st.booleans(), words, words),
    st.none() | st.booleans(),
    st.lists(requests, max_size=4).map(tuple),
    st.integers(0, 2 * MOST_OPEN),
)
likely = st.builds(
    lambda held, user, node, waiting: replace(
        SIGHT,
        eviction=replace(EVICTION, by=Requester(user)),
        node=replace(NODE, uid=node),
        requests=held,
        waiting=waiting,
    ),
    st.lists(
        st.builds(
            replace,
            st.just(APPROVED),
            username=st.sampled_from(["alice", "bob"]),
            node_uid=st.sampled_from(["node-1", "node-2"]),
            phase=st.sampled_from(Phase),
            valid_until=instants,
            cooldown_until=instants,
        ),
        max_size=4,
    ).map(tuple),
    st.sampled_from(["alice", "bob", "carol"]),
    st.sampled_from(["node-1", "node-2"]),
    st.integers(0, 2 * MOST_OPEN),
)
nows = st.none() | st.integers(-5, 5).map(lambda s: NOW + timedelta(seconds=s))


def is_approved(request: HeldDrain, sight: Sight, now: datetime | None) -> bool:
    """Told anew, so that the judge does not answer for itself."""
    assert sight.node is not None
    in_time = now is not None and request.valid_until is not None and now < request.valid_until
    exactly = request.username == sight.eviction.by.username and request.node_uid == sight.node.uid
    return request.phase is Phase.APPROVED and in_time and exactly


@given(sights | likely, nows)
def test_nobody_empties_a_cordoned_node_without_an_approval_of_exactly_that(sight: Sight, now: datetime | None) -> None:
    answer = judge(sight, now)
    node, gate = sight.node, sight.gate
    if answer.allowed and sight.pod is not None and sight.pod.node:
        assert node is not None and node.name == sight.pod.node
        guarded = gate is not None and not (node.hold and gate.hold) and sight.may_drain is True
        asked = any(is_approved(request, sight, now) for request in sight.requests)
        theirs = [r for r in sight.requests if (r.username, r.node_uid) == (sight.eviction.by.username, node.uid)]
        idle = now is not None and not any(request.live(now) for request in theirs)
        apart = node.hold and not node.cordoned and node.live and idle
        assert not node.gate or guarded or apart or asked


@given(sights | likely, nows)
def test_every_answer_is_one_that_clients_understand(sight: Sight, now: datetime | None) -> None:
    answer = judge(sight, now)
    assert isinstance(answer, Answer)
    assert answer.allowed == (answer.code == 200) == (answer.word is Word.ALLOWED) == (not answer.message)
    assert answer.code in (200, 403, 404, 429)
    assert not answer.ask or (answer.code == 429 and sight.waiting < MOST_OPEN)
    assert answer == judge(sight, now)


@given(sights | likely, nows)
def test_what_is_not_known_is_never_a_yes_or_a_last_no(sight: Sight, now: datetime | None) -> None:
    doubts = (
        replace(sight, trouble="cold"),
        replace(sight, pod=None),
        replace(sight, node=None, pod=PodSight("n1")),
    )
    for doubt in doubts:
        assert judge(doubt, now).code == 429 or judge(doubt, now).word is Word.PROBE


@given(likely, nows)
def test_another_request_of_somebody_else_changes_nothing(sight: Sight, now: datetime | None) -> None:
    strange = replace(APPROVED, username="mallory", valid_until=LATER)
    assert judge(replace(sight, requests=(strange, *sight.requests)), now) == judge(sight, now)


@pytest.mark.parametrize(
    ("sight", "denies"),
    [
        (SIGHT, False),
        (on_node(hold=False), True),
        (replace(SIGHT, gate=replace(GATE, hold=False)), True),
        (replace(SIGHT, gate=None), False),
        (replace(SIGHT, node=None), False),
        (on_node(gate=""), False),
    ],
)
def test_rights_count_where_a_gate_that_can_be_read_denies(sight: Sight, denies: bool) -> None:
    assert sight.denies is denies
