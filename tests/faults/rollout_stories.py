"""The table of stories of Rollouts: a promotion, a superseding, and each way in which a canary is undone.

What is the same in two stories is swept in one of them: the first deployment and the held canary in `promotion`.
"""

from typing import Final

from tests.faults.rollout_moves import (
    answered,
    at_once,
    crashes,
    deploys,
    first_version,
    has_patience,
    held,
    is_undone,
    promoting,
    rests,
    runs,
    says,
    told,
)
from tests.faults.rollout_story import Made, RolloutStory, events
from tests.faults.story import Step

TOLD: Final = ("rollout: Started", "rollout: Promoting", "rollout: Promoted", "rollout: Started")
TOLD_HELD: Final = (*TOLD, "rollout: Held", "request: Waiting")
TOLD_USED: Final = (
    *("request: VerdictRecorded", "request: Approved", "request: EffectStarted"),
    *("rollout: Passed", "rollout: Promoting"),
)
TOLD_PROMOTING: Final = (*TOLD_HELD, *TOLD_USED)
TOLD_BACK: Final = ("rollout: Undoing", "rollout: RunEnded", "rollout: RolledBack")
TOLD_NEXT: Final = (*TOLD_HELD, *TOLD_BACK, "rollout: Started", "request: Superseded", "request: RolledBack")
TOLD_HELD_AGAIN: Final = (*TOLD_NEXT, "rollout: Held", "request: Waiting")
TOLD_SECOND: Final = (*TOLD_HELD_AGAIN, *TOLD_USED)

FIRST: Final = Step("the first pods run", told(answered("stable", 1), *TOLD[:2]), runs("stable"))
SECOND: Final = Step("ci sends version 2", told(rests, *TOLD[:3]), deploys(2))
CANARY: Final = Step("the canary runs", told(answered("canary", 2), *TOLD), runs("canary"))
APPROVE: Final = Step("alice approves", told(held, *TOLD_HELD), says("alice", "approve", "p99 is flat"))
DENY: Final = Step("alice denies", told(held, *TOLD_HELD), says("alice", "deny", "p99 doubled"))
STABLE: Final = Step("stable's new pods run", told(promoting(2), *TOLD_PROMOTING), runs("stable"))
THIRD: Final = Step("ci sends version 3 meanwhile", told(held, *TOLD_HELD), deploys(3))
CANARY_3: Final = Step("the next canary runs", told(answered("canary", 3), *TOLD_NEXT), runs("canary"))
APPROVE_3: Final = Step("alice approves that", told(held, *TOLD_HELD_AGAIN), says("alice", "approve", "better"))
STABLE_3: Final = Step("stable's new pods run", told(promoting(3), *TOLD_SECOND), runs("stable"))
CRASH: Final = Step("the canary crashes", told(answered("canary", 2), *TOLD), crashes("canary"))
STABLE_CRASH: Final = Step("stable's new pod crashes", told(promoting(2), *TOLD_PROMOTING), crashes("stable"))
IMPATIENT: Final = Step("ci gives it ten seconds, and as many to itself to take that back", at_once, has_patience(10))
PATIENT: Final = Step("ci gives the way back all the time", is_undone, has_patience(600))
FORMER: Final = Step("stable's former pods run", answered("stable", 1), runs("stable"))

MADE: Final = (
    "rollout: rollouts finalizers",
    "rollout: rollouts/status begun stable wanted",
    "template: controllerrevisions post",
    "stable: deployments post",
    "rollout: rollouts/status stable answered",
    "rollout: rollouts/status ended",
    "rollout: rollouts annotations",
)
BEGUN: Final = (
    "rollout: rollouts/status begun canary wanted",
    "template: controllerrevisions post",
    "canary: deployments post",
    "rollout: rollouts/status canary answered",
)
ASKED: Final = (
    "rollout: rollouts/status asks",
    "request: approvalrequests post",
    "rollout: rollouts/status seen",
    "request: approvalrequests/status Pending",
)
PROMOTING: Final = (
    "request: approvalrequests/status Approved",
    "rollout: rollouts/status Promoting passed stable wanted",
    "stable: deployments put",
    "rollout: rollouts/status stable answered",
    "request: approvalrequests/status effect Running",
)
PROMOTED: Final = (
    "rollout: rollouts/status ended canary wanted",
    "canary: deployments put",
    "rollout: rollouts annotations",
    "rollout: rollouts/status canary answered",
    "request: approvalrequests/status Released",
    "request: approvalrequests labels",
)
UNDONE: Final = (
    "rollout: rollouts/status Undoing canary wanted",
    "canary: deployments put",
    "rollout: rollouts/status canary answered",
)
GONE: Final = (
    "rollout: rollouts/status canary answered",
    "rollout: rollouts/status stable answered canary answered",
)
"""Nothing of the story's own stands between these and the end of an undo: no pod has to come up for it."""
CLOSED: Final = ("request: approvalrequests/status conditions", "request: approvalrequests labels")

PROMOTION: Final = RolloutStory(
    "promotion",
    first_version(),
    (FIRST, SECOND, CANARY, APPROVE, STABLE),
    "Healthy",
    told=(*TOLD_PROMOTING, "rollout: Promoted", "request: Released"),
    jobs={},
    writes=(*MADE, *BEGUN, *ASKED, *PROMOTING, *PROMOTED),
    children={"stable": Made(2, 4), "canary": Made(2, 1)},
    requests=("Released",),
    outcome="Promoted",
)
SUPERSEDING: Final = RolloutStory(
    "superseding",
    first_version(),
    (FIRST, SECOND, CANARY, THIRD, CANARY_3, APPROVE_3, STABLE_3),
    "Healthy",
    told=(*TOLD_SECOND, "rollout: Promoted", "request: Released"),
    jobs={},
    writes=(
        *(*MADE, *BEGUN, *ASKED, *UNDONE),
        "rollout: rollouts/status ended begun canary wanted",
        "template: controllerrevisions post",
        "canary: deployments put",
        "rollout: rollouts/status canary answered",
        "request: approvalrequests/status Superseded",
        *(*CLOSED, *ASKED, *PROMOTING, *PROMOTED),
    ),
    children={"stable": Made(2, 4), "canary": Made(4, 2)},
    requests=("Released", "Superseded"),
    outcome="Promoted",
    known=(*MADE, *BEGUN, *ASKED, *events(*TOLD_HELD, *TOLD_BACK)),
    known_in_the_end=(
        *(*PROMOTING, *PROMOTED),
        *events(
            "rollout: Started", "rollout: Held", "request: Waiting", *TOLD_USED, "rollout: Promoted", "request: Released"
        ),
    ),
    merged=GONE,
)
DENIAL: Final = RolloutStory(
    "denied",
    first_version(),
    (FIRST, SECOND, CANARY, DENY),
    "Degraded",
    told=(
        *(*TOLD_HELD, *TOLD_BACK),
        *("request: VerdictRecorded", "request: Denied", "request: RolledBack"),
        "rollout: Stalled",
    ),
    jobs={},
    writes=(
        *(*MADE, *BEGUN, *ASKED),
        "request: approvalrequests/status Denied",
        *UNDONE,
        "rollout: rollouts/status ended",
        *CLOSED,
    ),
    children={"stable": Made(1, 2), "canary": Made(2, 1)},
    requests=("Denied",),
    outcome="Denied",
    known=(*MADE, *BEGUN, *ASKED, *events(*TOLD_HELD)),
    merged=GONE,
)
EXPIRY: Final = RolloutStory(
    "expired",
    first_version(timeoutSeconds=3),
    (FIRST, SECOND, CANARY),
    "Degraded",
    told=(*TOLD_HELD, *TOLD_BACK, "request: Expired", "request: RolledBack", "rollout: Stalled"),
    jobs={},
    writes=(
        *(*MADE, *BEGUN, *ASKED),
        "request: approvalrequests/status Expired",
        *UNDONE,
        "rollout: rollouts/status ended",
        *CLOSED,
    ),
    children={"stable": Made(1, 2), "canary": Made(2, 1)},
    requests=("Expired",),
    outcome="Expired",
    known=(*MADE, *BEGUN, *ASKED, *events(*TOLD_HELD, *TOLD_BACK, "rollout: Stalled")),
    merged=GONE,
)
CRASH_LOOP: Final = RolloutStory(
    "crash-loop",
    first_version(),
    (FIRST, SECOND, CRASH, IMPATIENT, PATIENT),
    "Degraded",
    told=(*TOLD, *TOLD_BACK, "rollout: Stalled"),
    jobs={},
    writes=(*MADE, *BEGUN, *UNDONE, "rollout: rollouts/status ended"),
    children={"stable": Made(1, 2), "canary": Made(2, 1)},
    outcome="Failed",
    known=(*MADE, *BEGUN, *events(*TOLD, *TOLD_BACK, "rollout: Stalled")),
    merged=GONE,
)
RESTORING: Final = RolloutStory(
    "restored",
    first_version(),
    (FIRST, SECOND, CANARY, APPROVE, STABLE_CRASH, IMPATIENT, PATIENT, FORMER),
    "Degraded",
    told=(*TOLD_PROMOTING, *TOLD_BACK, "rollout: Stalled", "request: Failed", "request: RolledBack"),
    jobs={},
    writes=(
        *(*MADE, *BEGUN, *ASKED, *PROMOTING),
        "rollout: rollouts/status Undoing stable wanted canary wanted",
        "stable: deployments put",
        "canary: deployments put",
        "rollout: rollouts/status stable answered canary answered",
        "rollout: rollouts/status ended",
        "request: approvalrequests/status Failed",
        "request: approvalrequests/status effect Undone",
        "request: approvalrequests labels",
    ),
    children={"stable": Made(3, 3), "canary": Made(2, 1)},
    requests=("Failed",),
    outcome="Failed",
    known=(*MADE, *BEGUN, *ASKED, *PROMOTING, *events(*TOLD_PROMOTING, *TOLD_BACK, "rollout: Stalled")),
    merged=GONE,
)

STORIES: Final = (PROMOTION, SUPERSEDING, DENIAL, EXPIRY, CRASH_LOOP, RESTORING)
"""Every one of them is swept: see `tests.faults.test_rollout_crash_sweep`."""
