"""The table of the stories of provisions. See `tests.faults.provision_story`."""

from collections.abc import Callable
from typing import Final

from tests.e2e.provisioning.depot import Depot
from tests.e2e.stage import Body
from tests.faults.provision_story import ProvisionLife, ProvisionStory, all_wait, behind
from tests.faults.stories import DONE
from tests.faults.story import Step

OPTIONS: Final = '[{"name":"fast","pods":4},{"name":"cheap","pods":2}]'


def four_pods(depot: Depot, name: str) -> Body:
    """Four dear pods, of which two may be chosen."""
    return depot.stateful_set(name, 4, notes={"gatehold.dev/options": OPTIONS}, user="admin")


def two_pods(depot: Depot, name: str) -> Body:
    """Two dear pods."""
    return depot.stateful_set(name, 2, user="admin")


def a_run(depot: Depot, name: str) -> None:
    """A dear CronJob and its first run."""
    depot.cron_job(name, user="admin")
    depot.run_now(name, f"{name}-run")


def says(word: str, **more: str) -> Callable[[ProvisionLife], bool]:
    """Alice's word on the question. It counts as said once it stands there."""

    def act(life: ProvisionLife) -> bool:
        if life.has_said("alice", word):
            return True
        let_in, life.refusal = life.stage.word("alice", life.seen["metadata"]["name"], word, "so be it", **more)
        return let_in

    return act


CHEAP: Final = Step("alice takes the cheap option", all_wait, says("approve", option="cheap"))
DENY: Final = Step("alice denies", all_wait, says("deny"))

ASKED: Final = (
    "request: approvalrequests post",
    "request: approvalrequests/status Pending",
)
ASKED_TOLD: Final = ("Waiting",)
DENIED: Final = ("request: approvalrequests/status Denied",)
UNDONE: Final = ("request: approvalrequests/status effect Undone",)
DENIED_TOLD: Final = (*ASKED_TOLD, "VerdictRecorded", "Denied")
UNDONE_TOLD: Final = (*DENIED_TOLD, "RolledBack")
KNOWN: Final = (*ASKED, *(f"request: events {reason}" for reason in ASKED_TOLD))
KNOWN_DENIED: Final = (*KNOWN, *DENIED, *(f"request: events {reason}" for reason in DENIED_TOLD[1:]))

ACCEPTED: Final = ProvisionStory(
    "provision",
    behind("Keep", four_pods),
    (CHEAP,),
    "Released",
    told=(*ASKED_TOLD, "VerdictRecorded", "Approved", "EffectStarted", "Released"),
    jobs={},
    writes=(
        *ASKED,
        "request: approvalrequests/status Approved",
        "0: pods",
        "1: pods",
        "request: approvalrequests/status Released",
    ),
    most=2,
    pods=4,
    left=4,
)
KEPT: Final = ProvisionStory(
    "provision-kept",
    behind("Keep", two_pods),
    (DENY,),
    "Denied",
    told=DENIED_TOLD,
    jobs={},
    writes=(*ASKED, *DENIED),
    known=KNOWN,
    pods=2,
    left=2,
)
SCALED_BACK: Final = ProvisionStory(
    "provision-scaled",
    behind("ScaleBack", two_pods),
    (DENY,),
    "Denied",
    told=UNDONE_TOLD,
    jobs={},
    writes=(*ASKED, *DENIED, "owner: statefulsets/scale", *UNDONE),
    known=KNOWN_DENIED,
    pods=2,
)
SUSPENDED: Final = ProvisionStory(
    "provision-suspended",
    behind("Suspend", a_run),
    (DENY,),
    "Denied",
    told=UNDONE_TOLD,
    jobs={},
    writes=(*ASKED, *DENIED, "owner: cronjobs", *UNDONE),
    known=(*KNOWN_DENIED, "request: events RolledBack"),
    kind="CronJob",
)
DELETED: Final = ProvisionStory(
    "provision-deleted",
    behind("Delete", two_pods),
    (DENY,),
    "Denied",
    told=UNDONE_TOLD,
    jobs={},
    writes=(*ASKED, *DENIED, "owner: statefulsets delete", *UNDONE, *DONE),
    known=(*KNOWN_DENIED, "request: events RolledBack"),
    pods=2,
)
STORIES: Final = (ACCEPTED, KEPT, SCALED_BACK, SUSPENDED, DELETED)
