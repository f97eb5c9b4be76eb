"""Which pods and Jobs of a gated namespace get the marks of the hold as they are created. Pure.

The same answer as the policies of 23-stamp-pods.yaml give from Kubernetes 1.36 on. It is never trusted: the wall judges what
comes out, so whoever is left alone here is let in by the wall or by nobody.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gatehold.domain.model import Requester

APPROVAL: Final = "gatehold.dev/approval"
PODS_LABEL: Final = "gatehold.dev/pods"
_DAEMONS: Final = ("system:serviceaccount:kube-system:daemon-set-controller", "system:kube-controller-manager")
_ACCOUNT: Final = "system:serviceaccount:"


class StampWord(StrEnum):
    """What an answer comes to; the label of the metric."""

    STAMPED = "stamped"
    LEFT = "left"  # marked already, or none that is held
    UNSURE = "unsure"  # something is not known: refused until it is
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Creation:
    """A pod or a Job that somebody creates. `inert`: it carries the scheduling gate, or is suspended."""

    kind: str
    namespace: str
    by: Requester
    inert: bool = False
    labelled: bool = False
    placed: bool = False  # a pod with spec.nodeName: a mirror pod, a DaemonSet's, or one that the wall refuses
    of_daemon_set: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """The namespace as it was read: whose Gate holds it, and which accounts it leaves alone."""

    gate: str
    exempt: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is to be added: the hold itself, and the label by which the operator finds it."""

    hold: bool
    label: bool

    @property
    def word(self) -> StampWord:
        """What this comes to."""
        return StampWord.STAMPED if self.hold or self.label else StampWord.LEFT


NOTHING: Final = Stamp(hold=False, label=False)


def stamp(creation: Creation, place: Place) -> Stamp:
    """Say what is missing; a label that names another gate stays, for the wall to refuse it by name."""
    if creation.placed or _is_daemon(creation) or _is_exempt(creation, place):
        return NOTHING
    return Stamp(hold=not creation.inert, label=not creation.labelled)


def _is_daemon(creation: Creation) -> bool:
    return creation.of_daemon_set and creation.by.username in _DAEMONS


def _is_exempt(creation: Creation, place: Place) -> bool:
    """Never an account of the namespace itself: whoever creates pods there can run as it."""
    name = creation.by.username
    foreign = name.startswith(_ACCOUNT) and not name.startswith(f"{_ACCOUNT}{creation.namespace}:")
    return foreign and name in place.exempt
