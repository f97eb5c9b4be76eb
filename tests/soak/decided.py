"""Invariants of the decision: who said yes or no, in what time, and that no request is lost."""

from collections.abc import Iterator

from tests.soak import rule
from tests.soak.record import Facts, Story, seconds

GRACE = 10.0  # seconds after an instant within which a loaded machine has to act on it
RECOVERY = 15.0  # seconds after a fault, with somebody acting again, in which what has piled up is worked off


def the_quorum_is_the_policys(story: Story, facts: Facts) -> Iterator[str]:
    """The snapshot asks for what the policy of that digest says, tiers and robots included."""
    prepared = next((v for v in story.versions if v.status.get("requestDigest")), None)
    if prepared is None:
        return
    policy = facts.policies.get(prepared.status["policy"]["digest"])
    if policy is None:
        yield f"nobody ever saw a policy of digest {prepared.status['policy']['digest']}"
        return
    alone = rule.decides_alone(policy, prepared.body, facts.cast)
    wanted = {} if alone else rule.needed(policy, prepared.body, facts.cast)
    found = {entry["role"]: entry["count"] for entry in prepared.status.get("quorum", [])}
    if found != wanted:
        yield f"the quorum is {found}, the policy asks for {wanted}"


def approved_means_that_somebody_may_and_did(story: Story, facts: Facts) -> Iterator[str]:
    """People: the quorum counted anew. Override: one who may. Policy: an automatic tier with its grant."""
    version = next((v for v in story.versions if v.phase == "Approved"), None)
    if version is None:
        if story.last.phase in ("Released", "Lapsed"):
            yield f"is {story.last.phase} and was never Approved"
        return
    policy = facts.policies.get(version.status.get("policy", {}).get("digest", ""))
    by = version.status.get("decision", {}).get("by")
    if policy is None:
        yield "was Approved under a policy that nobody ever saw"
    elif by == "People":
        lacking = rule.missing(version, policy, facts.cast)
        if lacking or not version.status.get("quorum"):
            yield f"was Approved by People and lacks {lacking or 'a quorum'}"
    elif by == "Override":
        if not rule.overrides(version, facts.cast):
            yield "was Approved by Override, and nobody who may has overridden"
    elif by != "Policy" or not rule.decides_alone(policy, version.body, facts.cast):
        yield f"was Approved by {by}, and no automatic tier with a grant fits"
    if any(v["verdict"] == "deny" for v in version.status.get("verdicts", [])):
        yield "was Approved with a deny in its ledger"


def a_no_was_said_by_somebody(story: Story, facts: Facts) -> Iterator[str]:
    status = story.last.status
    words = {(v["verdict"], v["username"]) for v in status.get("verdicts", [])}
    if story.last.phase == "Denied" and not any(word == "deny" for word, _ in words):
        yield "is Denied, and nobody denied"
    if story.last.phase == "Withdrawn" and ("withdraw", story.last.body["spec"]["requester"]["username"]) not in words:
        yield "is Withdrawn, and its requester did not"
    if story.last.phase == "Expired" and seconds(status["decision"]["at"]) < seconds(status["deadline"]):
        yield "expired before its deadline"


def looked_at_in_time(story: Story, facts: Facts) -> Iterator[str]:
    """Somebody has said where it stands, soon after it was asked."""
    asked = story.versions[0].at
    seen = next((v.at for v in story.versions if v.phase), story.last.at if story.last.gone else facts.now)
    if seen - asked > GRACE and not facts.disturbed(asked, seen, RECOVERY):
        yield f"nobody looked at it for {seen - asked:.1f} s, and no fault stood in the way"


def decided_in_time(story: Story, facts: Facts) -> Iterator[str]:
    """No later than the deadline and a little, unless a fault stood in the way."""
    last = story.last
    waiting = [v for v in story.versions if v.phase in ("", "Pending") and v.status.get("deadline")]
    if not waiting:
        return
    deadline = seconds(waiting[-1].status["deadline"])
    decided = next((v for v in story.versions if v.phase not in ("", "Pending")), None)
    until = seconds(decided.status["decision"]["at"]) if decided else last.at if last.gone else facts.now
    late = until - deadline
    if late > GRACE and not facts.disturbed(deadline, until, RECOVERY):
        yield f"was undecided {late:.1f} s past its deadline, and no fault stood in the way"


def it_came_to_rest(story: Story, facts: Facts) -> Iterator[str]:
    """At the end of the run: done, or waiting with its deadline ahead and its quorum not met."""
    last = story.last
    if last.gone or last.done:
        return
    if last.phase != "Pending":
        yield f"is left {last.phase or 'without a phase'}, not done, {facts.now - last.at:.0f} s after its last change"
        return
    ahead = seconds(last.status["deadline"]) - facts.now
    if ahead < 0:
        yield f"is left Pending {-ahead:.1f} s past its deadline"
    policy = facts.policies.get(last.status.get("policy", {}).get("digest", ""))
    if policy is not None and last.status.get("quorum") and not rule.missing(last, policy, facts.cast):
        yield "is left Pending, and everybody whose yes it needs has said it"


def it_is_not_lost(story: Story, facts: Facts) -> Iterator[str]:
    """Gone only by its requester's hand while nobody had decided, or by retention once it was done and old enough."""
    last = story.last
    if not last.gone or story.uid in facts.deleted:
        return
    if not last.done:
        yield f"vanished while {last.phase or 'nobody had looked at it'}"
    elif "policy" in last.status:
        kept = last.at - seconds(last.status["decision"]["at"])
        if kept < last.status["policy"]["retentionSeconds"] - 1:
            yield f"was removed after {kept:.1f} s, its retention is {last.status['policy']['retentionSeconds']} s"
