"""Which pods and Jobs are marked as they are created."""

from dataclasses import replace

import pytest

from gatehold.domain.model import Requester
from gatehold.domain.stamping import NOTHING, Creation, Place, Stamp, StampWord, stamp

DAEMONS, BUILDER = "system:serviceaccount:kube-system:daemon-set-controller", "system:serviceaccount:ci:builder"
POD = Creation("Pod", "shop", Requester("alice"))
PLACE = Place("prices", (BUILDER, "system:serviceaccount:shop:own", "alice"))


def by(name: str, creation: Creation = POD) -> Creation:
    return replace(creation, by=Requester(name))


@pytest.mark.parametrize(
    ("creation", "wanted"),
    [
        (POD, Stamp(hold=True, label=True)),
        (replace(POD, kind="Job"), Stamp(hold=True, label=True)),
        (replace(POD, inert=True), Stamp(hold=False, label=True)),
        (replace(POD, labelled=True), Stamp(hold=True, label=False)),
        (replace(POD, inert=True, labelled=True), NOTHING),
        (replace(POD, placed=True), NOTHING),
        (by(DAEMONS), Stamp(hold=True, label=True)),
        (replace(POD, of_daemon_set=True), Stamp(hold=True, label=True)),
        (by(DAEMONS, replace(POD, of_daemon_set=True)), NOTHING),
        (by("system:kube-controller-manager", replace(POD, of_daemon_set=True)), NOTHING),
        (by(BUILDER), NOTHING),
        (by("system:serviceaccount:shop:own"), Stamp(hold=True, label=True)),
        (by("system:serviceaccount:ci:other"), Stamp(hold=True, label=True)),
    ],
)
def test_what_is_missing_is_added_and_who_is_left_alone(creation: Creation, wanted: Stamp) -> None:
    assert stamp(creation, PLACE) == wanted


def test_a_person_is_never_exempt() -> None:
    assert stamp(POD, PLACE) != NOTHING


def test_its_word_is_the_label_of_the_metric() -> None:
    assert [Stamp(hold=True, label=False).word, Stamp(hold=False, label=True).word] == [StampWord.STAMPED] * 2
    assert NOTHING.word == StampWord.LEFT
