"""Words and verdicts: who may say what, when, and in which form. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from tests.wall.attempt import SCHEMA, Attempt, leaves
from tests.wall.scene import VERDICT, Ask, notes
from tests.wall.writes import annotate, patch, stored, word

PROD, CHOICE = Ask(policy="prod"), Ask(policy="choice", options=("cheap", "fast"))
RELEASE = Ask(release=True)
RUNNING = Ask(state="running", release=True)
ALICE_SAID = Ask(policy="prod", said=(("alice", "approve", "sre"),))
UNRECORDED = Ask(policy="prod", said=(("alice", "approve", "sre"),), recorded=False)
ASKED_FOR_OTHERS = Ask(on_behalf_of=("frank", "someone-else"))
WITH_AUTHORS = Ask(authors=("grace",))
FIRST_CHEAP = Ask(policy="choice", options=("cheap", "fast"), said=(("alice", "approve", "sre", "cheap"),))

CLOSED = ("Denied", "Expired", "Withdrawn", "Superseded", "Failed", "Released", "Lapsed")


def by(who: str, say: str, comment: str = "error rate is flat", **more: str) -> dict[str, object]:
    """The person and their word, for Attempt(**by(...))."""
    return {"by": who, "do": word(say, comment, by=who, **more)}


ALLOWED = [
    Attempt("a reviewer approves with one word", ask=PROD, **by("alice", "approve"), leaves=leaves(v0="approve|{digest}|sre|alice||error rate is flat")),
    Attempt("a second reviewer approves", ask=ALICE_SAID, **by("bob", "approve"), leaves=leaves(v1="approve|{digest}|sre|bob||error rate is flat")),
    Attempt("a reviewer approves after another whose word is not recorded yet", ask=UNRECORDED, **by("bob", "approve"), leaves=leaves(v1="approve|{digest}|sre|bob||error rate is flat")),
    Attempt("a reviewer of the other role approves", ask=PROD, **by("carol", "approve", holds="finance"), leaves=leaves(v0="approve|{digest}|finance|carol||error rate is flat")),
    Attempt("who holds two roles serves the first entry that lacks approvals", ask=PROD, **by("erin", "approve"), leaves=leaves(v0="approve|{digest}|sre|erin||error rate is flat")),
    Attempt(
        "who holds two roles serves the entry that still lacks approvals", only="stamped",
        ask=Ask(policy="prod", said=(("alice", "approve", "sre"), ("bob", "approve", "sre"))),
        **by("erin", "approve"), leaves=leaves(v2="approve|{digest}|finance|erin||error rate is flat"),
    ),
    Attempt("who holds two roles names one", ask=PROD, **by("erin", "approve", role="finance"), leaves=leaves(v0="approve|{digest}|finance|erin||error rate is flat")),
    Attempt("a reviewer denies with one word", ask=PROD, **by("alice", "deny", "p99 doubled"), leaves=leaves(v0="deny|{digest}|sre|alice||p99 doubled")),
    Attempt("a reviewer denies after the own approve", ask=ALICE_SAID, **by("alice", "deny", "changed my mind"), leaves=leaves(v1="deny|{digest}|sre|alice||changed my mind")),
    Attempt("a veto role outside the quorum denies", ask=PROD, **by("vic", "deny", "no", role="security"), leaves=leaves(v0="deny|{digest}|security|vic||no")),
    Attempt("a reviewer denies while the effect runs", ask=RUNNING, **by("bob", "deny", "stop it"), leaves=leaves(v1="deny|{digest}|sre|bob||stop it")),
    Attempt("the approver himself denies while the effect runs", ask=RUNNING, **by("alice", "deny", "stop it"), leaves=leaves(v1="deny|{digest}|sre|alice||stop it")),
    Attempt("a reviewer denies what is approved and not begun", ask=Ask(state="Approved", release=True), **by("bob", "deny", "stop it"), leaves=leaves(v1="deny|{digest}|sre|bob||stop it")),
    Attempt("whom it was asked for denies", ask=ASKED_FOR_OTHERS, **by("frank", "deny", "not mine"), leaves=leaves(v0="deny|{digest}|sre|frank||not mine")),
    Attempt("an author denies", ask=WITH_AUTHORS, **by("grace", "deny", "not ready"), leaves=leaves(v0="deny|{digest}|sre|grace||not ready")),
    Attempt("the requester withdraws", **by("ci", "withdraw", "wrong branch"), leaves=leaves(v0="withdraw|{digest}||ci||wrong branch")),
    Attempt("the requester withdraws before there is a digest", ask=Ask(state="unprepared"), **by("ci", "withdraw", "no such policy"), leaves=leaves(v0="withdraw|||ci||no such policy")),
    Attempt("the requester withdraws while the effect runs", ask=RUNNING, **by("ci", "withdraw", "wrong branch"), leaves=leaves(v1="withdraw|{digest}||ci||wrong branch")),
    Attempt(
        "a service account withdraws its own request", ask=Ask(requester="robot"), **by("robot", "withdraw", "superseded by a newer build"),
        leaves=leaves(v0="withdraw|{digest}||system:serviceaccount:shop:robot||superseded by a newer build"),
    ),
    Attempt("a holder of override overrides", **by("oz", "override", "INC-4711: site down"), leaves=leaves(v0="override|{digest}||oz||INC-4711: site down")),
    Attempt("the requester overrides where he holds the verb", **by("ci", "override", "INC-4711: site down"), leaves=leaves(v0="override|{digest}||ci||INC-4711: site down")),
    Attempt("whom it was asked for overrides where he holds the verb", ask=ASKED_FOR_OTHERS, **by("frank", "override", "INC-4711: site down"), leaves=leaves(v0="override|{digest}||frank||INC-4711: site down")),
    Attempt("an override picks an option of its own", ask=FIRST_CHEAP, **by("oz", "override", "INC-4711: site down", option="fast"), leaves=leaves(v1="override|{digest}||oz|fast|INC-4711: site down")),
    Attempt("a reviewer names eight characters of the digest", only="stamped", **by("alice", "approve", digest="{short}"), leaves=leaves(v0="approve|{digest}|sre|alice||error rate is flat")),
    Attempt("a reviewer names the whole digest", **by("alice", "approve", digest="{digest}"), leaves=leaves(v0="approve|{digest}|sre|alice||error rate is flat")),
    Attempt("a user name with the separator in it", **by("auth0|123", "approve"), leaves=leaves(v0="approve|{digest}|sre|auth0%7C123||error rate is flat")),
    Attempt("a user name with the escape character in it", **by("100%", "approve"), leaves=leaves(v0="approve|{digest}|sre|100%25||error rate is flat")),
    Attempt("a comment with the separator in it", **by("alice", "approve", "a|b|c"), leaves=leaves(v0="approve|{digest}|sre|alice||a|b|c")),
    Attempt("a comment with joined emoji and Persian", **by("alice", "approve", "👩‍🚀 می‌خواهم"), leaves=leaves(v0="approve|{digest}|sre|alice||👩‍🚀 می‌خواهم")),
    Attempt("a comment of 1024 characters", **by("alice", "approve", "x" * 1024), leaves=leaves(v0="approve|{digest}|sre|alice||" + "x" * 1024)),
    Attempt("a comment of several lines becomes one", only="stamped", **by("alice", "approve", "one\ntwo\tthree"), leaves=leaves(v0="approve|{digest}|sre|alice||one two three")),
    Attempt("an approval names its option", ask=CHOICE, **by("alice", "approve", option="fast"), leaves=leaves(v0="approve|{digest}|sre|alice|fast|error rate is flat")),
    Attempt("a second approval names the same option", ask=FIRST_CHEAP, **by("bob", "approve", option="cheap"), leaves=leaves(v1="approve|{digest}|sre|bob|cheap|error rate is flat")),
    Attempt("one word by JSON patch", by="alice", do=patch([{"op": "add", "path": "/metadata/annotations/gatehold.dev~1approve", "value": "ok"}], "json"), only="stamped", leaves=leaves(v0="approve|{digest}|sre|alice||ok")),
    Attempt("one word by server-side apply", by="alice", do=patch(notes({"gatehold.dev/approve": "ok"}), "apply"), only="stamped", leaves=leaves(v0="approve|{digest}|sre|alice||ok")),
    Attempt("one word by PUT", by="alice", do=patch(notes({"gatehold.dev/approve": "ok"}), "put"), only="stamped", leaves=leaves(v0="approve|{digest}|sre|alice||ok")),
    Attempt("one word by PUT without spec.requester", by="alice", do=patch({**notes({"gatehold.dev/approve": "ok"}), "spec": {"requester": None}}, "put"), only="stamped", leaves=leaves(v0="approve|{digest}|sre|alice||ok")),
    Attempt("the stored form by hand", by="alice", do=stored("approve|{digest}|sre|alice||by hand"), leaves=leaves(v0="approve|{digest}|sre|alice||by hand")),
    Attempt("a cluster admin, who holds every verb, under the own name", **by("admin", "approve"), leaves=leaves(v0="approve|{digest}|sre|admin||error rate is flat")),
    Attempt("a holder of */* in the namespace, under the own name", **by("wild", "approve"), leaves=leaves(v0="approve|{digest}|sre|wild||error rate is flat")),
]  # fmt: skip

WHO = [
    Attempt("nobody's role", ask=PROD, **by("nora", "approve"), refused="you hold none of the roles this request needs (sre, finance): ask for verb approve on approvalpolicies/<role> with resourceName prod in namespace shop", unstamped="you do not hold role sre: it takes verb approve on approvalpolicies/sre with resourceName prod in namespace shop"),
    Attempt("nobody's role denies", ask=PROD, **by("nora", "deny"), refused="you hold none of the roles", unstamped="you do not hold role sre: it takes verb deny"),
    Attempt("the requester approves, though he holds the role", **by("ci", "approve"), refused='you opened this request, so somebody else has to decide it (gatehold.dev/withdraw="why" takes it back)'),
    Attempt("the requester denies", **by("ci", "deny"), refused="you opened this request, so somebody else has to decide it"),
    Attempt("whom it was asked for approves", ask=ASKED_FOR_OTHERS, **by("frank", "approve"), refused="this request was opened on your behalf, so somebody else has to approve it"),
    Attempt("an author approves", ask=WITH_AUTHORS, **by("grace", "approve"), refused="you changed what this request is about, so somebody else has to approve or override it"),
    Attempt("an author overrides, though he holds the verb", ask=WITH_AUTHORS, **by("grace", "override", "INC-4711: site down"), refused="you changed what this request is about"),
    Attempt("a service account with the role approves", **by("gitops", "approve"), refused="system accounts and service accounts cannot decide; log in as a person"),
    Attempt("a service account with the role denies", **by("gitops", "deny"), refused="system accounts and service accounts cannot decide"),
    Attempt("a service account with the verb overrides", **by("gitops", "override", "INC-4711: site down"), refused="system accounts and service accounts cannot decide"),
    Attempt("a user whose name begins with system: approves", **by("system:admin-like", "approve"), refused="system accounts and service accounts cannot decide"),
    Attempt("the operator approves", **by("operator", "approve"), refused="system accounts and service accounts cannot decide", unstamped="a verdict must carry your own user name"),
    Attempt("the probe approves", by="gatehold-probe", do=word("approve", "ok", by="gatehold-probe"), refused="cannot patch resource", policy="rbac"),
    Attempt("a veto role approves", ask=PROD, **by("vic", "approve", role="security"), refused="role security is not asked for here; it takes sre, finance"),
    Attempt("a reviewer names a role that he does not hold", ask=PROD, **by("alice", "approve", role="finance"), refused="you do not hold role finance: it takes verb approve on approvalpolicies/finance"),
    Attempt("a reviewer of a role that is not asked for", **by("carol", "approve", role="finance"), refused="role finance is not asked for here; it takes sre"),
    Attempt("a backup approves before the escalation", ask=PROD, **by("dave", "approve", role="duty"), refused="role duty is not asked for here; it takes sre, finance"),
    Attempt("a reviewer withdraws", **by("alice", "withdraw", "no"), refused="only ci, who opened this request, may withdraw it; a reviewer stops it with gatehold.dev/deny"),
    Attempt("a cluster admin withdraws", **by("admin", "withdraw", "no"), refused="only ci, who opened this request, may withdraw it"),
    Attempt("another service account withdraws", ask=Ask(requester="robot"), **by("gitops", "withdraw", "no"), refused="only system:serviceaccount:shop:robot, who opened this request, may withdraw it"),
    Attempt("another requester withdraws before there is a digest", ask=Ask(state="unprepared"), **by("mallory", "withdraw", "no"), refused="only ci, who opened this request, may withdraw it"),
    Attempt("a reviewer without the verb overrides", **by("alice", "override", "INC-4711: site down"), refused="you may not override policy solo: it takes verb override on approvalpolicies with resourceName solo in namespace shop"),
    Attempt("a policy that decides alone is approved by somebody", only="stopped", ask=Ask(policy="auto"), **by("alice", "approve", role="sre"), refused="this request has no quorum: its policy decides, nobody approves it"),
]  # fmt: skip

WHEN = [
    Attempt("the same person approves twice", ask=ALICE_SAID, **by("alice", "approve"), refused="you have already decided this request (approve); a veto is still possible with gatehold.dev/deny"),
    Attempt("the same person approves twice, the first not recorded yet", ask=UNRECORDED, **by("alice", "approve"), refused="you have already decided this request (approve)"),
    Attempt("one person in two roles", ask=Ask(policy="prod", said=(("erin", "approve", "sre"),)), **by("erin", "approve", role="finance", holds="finance"), refused="you have already decided this request (approve)"),
    Attempt("approve after the own deny", ask=Ask(policy="prod", said=(("alice", "deny", "sre"),)), **by("alice", "approve"), refused="you have already decided this request (deny)"),
    Attempt("approve after the own deny that is not recorded yet", ask=Ask(policy="prod", said=(("alice", "deny", "sre"),), recorded=False), **by("alice", "approve"), refused="you have already decided this request (deny)"),
    Attempt("a second deny", ask=Ask(policy="prod", said=(("alice", "deny", "sre"),)), **by("alice", "deny"), refused="you have already decided this request (deny)"),
    Attempt("a second withdrawal", ask=Ask(said=(("ci", "withdraw"),)), **by("ci", "withdraw"), refused="you have already decided this request (withdraw)"),
    Attempt("a second override", ask=Ask(said=(("oz", "override"),)), **by("oz", "override", "INC-4711: site down"), refused="you have already decided this request (override)"),
    Attempt("override after a deny", ask=Ask(policy="prod", said=(("alice", "deny", "sre"),)), **by("oz", "override", "INC-4711: site down"), refused="somebody has denied this request, and an override does not undo a veto; open a new request, or act on the object itself"),
    Attempt("override after a deny that is not recorded yet", ask=Ask(policy="prod", said=(("alice", "deny", "sre"),), recorded=False), **by("oz", "override", "INC-4711: site down"), refused="somebody has denied this request"),
    Attempt("approve before the operator has looked", ask=Ask(state="new"), **by("alice", "approve", role="sre"), refused="the operator has not prepared this request yet (no status.requestDigest); try again in a few seconds"),
    Attempt("deny before the operator has looked", ask=Ask(state="new"), **by("alice", "deny", role="sre"), refused="the operator has not prepared this request yet"),
    Attempt("withdraw before the operator has looked", ask=Ask(state="new"), **by("ci", "withdraw"), refused="the operator has not prepared this request yet"),
    Attempt("approve while there is no digest", ask=Ask(state="unprepared"), **by("alice", "approve", role="sre"), refused="kubectl describe says what it waits for"),
    Attempt("override while there is no digest", ask=Ask(state="unprepared"), **by("oz", "override", "INC-4711: site down"), refused="the operator has not prepared this request yet"),
    *(
        Attempt(f"{say} a request that is {state}", ask=Ask(state=state, release=state in ("Released", "Lapsed")), **by(who, say, "INC-4711: site down"), refused=f"this request is {state} and no longer takes verdicts; open a new one")
        for state in CLOSED
        for who, say in (("bob", "approve"), ("bob", "deny"), ("oz", "override"))
    ),
    Attempt("withdraw what is released", ask=Ask(state="Released", release=True), **by("ci", "withdraw"), refused="this request is Released and no longer takes verdicts"),
    Attempt("approve what is approved, with an effect", ask=Ask(state="Approved", release=True), **by("bob", "approve"), refused="this request is Approved already; until its effect is complete it can still be denied, or withdrawn by its requester"),
    Attempt("override what is approved", ask=Ask(state="Approved", release=True), **by("oz", "override", "INC-4711: site down"), refused="this request is Approved already"),
    Attempt("approve what runs", ask=RUNNING, **by("bob", "approve"), refused="this request is Approved already"),
    Attempt("deny what is approved, without an effect", ask=Ask(state="Approved"), **by("bob", "deny"), refused="this request is Approved; it has no effect that could still be stopped"),
    Attempt("withdraw what is approved, without an effect", ask=Ask(state="Approved"), **by("ci", "withdraw"), refused="this request is Approved; it has no effect"),
]  # fmt: skip

INVISIBLE = {
    "zero-width space": "\u200b", "right-to-left override": "\u202e", "word joiner": "\u2060", "soft hyphen": "\u00ad", "tag letter": "\U000e0041",
    "line separator": "\u2028", "Hangul filler": "\u3164", "Braille blank": "\u2800", "byte order mark": "\ufeff", "escape": "\u001b[2K",
}  # fmt: skip

FORM = [
    Attempt("two words at once", by="alice", do=annotate()({"gatehold.dev/approve": "a", "gatehold.dev/deny": "b"}), refused="write one word: gatehold.dev/approve, deny, withdraw or override, not both of two"),
    Attempt("a word and a verdict at once: the word counts", by="alice", do=annotate()({"gatehold.dev/approve": "a", VERDICT + "{next}": "approve|{digest}|sre|alice||b"}), only="stamped", leaves=leaves(v0="approve|{digest}|sre|alice||a", v1=None)),
    Attempt("two verdicts at once", by="alice", do=annotate()({VERDICT + "0": "approve|{digest}|sre|alice||b", VERDICT + "1": "deny|{digest}|sre|alice||b"}), refused="one verdict per write"),
    Attempt("an option without a word", by="alice", do=annotate()({"gatehold.dev/option": "fast"}), refused="gatehold.dev/option, role and digest only go together with"),
    Attempt("a role without a word", by="alice", do=annotate()({"gatehold.dev/role": "sre"}), refused="only go together with"),
    Attempt("a misspelt word", by="alice", do=annotate()({"gatehold.dev/aprove": "ok"}), refused="annotation gatehold.dev/aprove is written by the operator only; people write gatehold.dev/approve"),
    Attempt("a word in capitals", by="alice", do=annotate()({"gatehold.dev/Approve": "ok"}), refused="annotation gatehold.dev/Approve is written by the operator only"),
    Attempt("a word in the domain in capitals", by="alice", do=annotate()({"GateHold.dev/approve": "ok"}), refused="annotation GateHold.dev/approve is written by the operator only"),
    Attempt("an unknown verdict", by="alice", do=stored("maybe|{digest}|sre|alice||ok"), refused="a verdict is WORD|DIGEST|ROLE|USERNAME|OPTION|COMMENT with WORD one of"),
    Attempt("a verdict of five fields", by="alice", do=stored("approve|{digest}|sre|alice|ok"), refused="a verdict is WORD|DIGEST|ROLE|USERNAME|OPTION|COMMENT"),
    Attempt("an empty verdict", by="alice", do=stored(""), refused="a verdict is WORD|DIGEST|ROLE|USERNAME|OPTION|COMMENT"),
    Attempt("a verdict in capitals", by="alice", do=stored("APPROVE|{digest}|sre|alice||ok"), refused="a verdict is WORD|DIGEST"),
    Attempt("an empty comment", by="alice", do=stored("approve|{digest}|sre|alice||"), refused="a verdict needs a readable comment of 1 to 1024 characters"),
    Attempt("a comment of spaces", **by("alice", "approve", "   "), refused="a verdict needs a readable comment"),
    Attempt("a comment of 1025 characters", **by("alice", "approve", "x" * 1025), refused="a verdict needs a readable comment of 1 to 1024 characters"),
    Attempt("a comment with a line break, by hand", by="alice", do=stored("approve|{digest}|sre|alice||one\ntwo"), refused="a verdict may not contain line breaks, control characters, invisible characters or direction marks"),
    *(Attempt(f"a comment with a {name}", **by("alice", "approve", f"fine {char}indeed"), refused="a verdict may not contain line breaks, control") for name, char in INVISIBLE.items()),
    Attempt("an override that says hardly anything", **by("oz", "override", "no"), refused="an override needs a comment that says why: at least 8 letters or digits"),
    Attempt("an override of punctuation", **by("oz", "override", "............"), refused="an override needs a comment that says why"),
    Attempt("a withdrawal with a role", **by("ci", "withdraw", role="sre"), refused="withdraw and override carry no role; leave gatehold.dev/role out"),
    Attempt("an override with a role", **by("oz", "override", "INC-4711: site down", role="sre"), refused="withdraw and override carry no role"),
    Attempt("a role with the name of a real subresource", by="alice", do=stored("approve|{digest}|status|alice||ok"), refused="role status is not asked for here"),
    Attempt("a role that is no name", by="alice", do=stored("approve|{digest}|sre/../x|alice||ok"), refused="is not asked for here"),
    Attempt("no option where one has to be picked", ask=CHOICE, **by("alice", "approve"), refused="pick one of the options with gatehold.dev/option=NAME: cheap, fast"),
    Attempt("an unknown option", ask=CHOICE, **by("alice", "approve", option="dear"), refused="pick one of the options with gatehold.dev/option=NAME: cheap, fast"),
    Attempt("another option than the first approval", ask=FIRST_CHEAP, **by("bob", "approve", option="fast"), refused='the first approval fixed option cheap: approve that one with gatehold.dev/option=cheap, or stop it with gatehold.dev/deny="why"'),
    Attempt("another option than the first approval, which is not recorded yet", ask=Ask(policy="choice", options=("cheap", "fast"), said=(("alice", "approve", "sre", "cheap"),), recorded=False), **by("bob", "approve", option="fast"), refused="the first approval fixed option cheap"),
    Attempt("no option after the first approval", ask=FIRST_CHEAP, **by("bob", "approve"), refused="pick one of the options with gatehold.dev/option=NAME: cheap, as the first approval did"),
    Attempt("an option where there are none", **by("alice", "approve", option="fast"), refused="this request offers no options; leave gatehold.dev/option out"),
    Attempt("a deny with an option", ask=CHOICE, **by("alice", "deny", option="fast"), refused="a deny or withdrawal names no option; leave gatehold.dev/option out"),
    Attempt("another digest", by="alice", do=stored("approve|{other}|sre|alice||ok"), refused="this verdict is for another digest; what is waiting here is sha256:"),
    Attempt("another digest by word", only="stamped", **by("alice", "approve", digest="bbbbbbbb"), refused="this verdict is for another digest"),
    Attempt("too few characters of the digest", only="stamped", by="alice", do=annotate()({"gatehold.dev/approve": "ok", "gatehold.dev/digest": "sha256"}), refused="this verdict is for another digest"),
    Attempt("no digest", by="alice", do=stored("approve||sre|alice||ok"), refused="this verdict is for another digest"),
    Attempt("a withdrawal with a digest before there is one", ask=Ask(state="unprepared"), by="ci", do=stored("withdraw|{other}||ci||ok"), refused="this request has no digest yet; a withdrawal leaves that field empty"),
    Attempt("a word where stamping is not installed", only="unstamped", by="alice", do=annotate()({"gatehold.dev/approve": "ok"}), refused='the stamping policy is not active here; write the stored form: verdict.gatehold.dev/0="approve|sha256:'),
    Attempt("a withdrawal by word where stamping is not installed", only="unstamped", by="ci", do=annotate()({"gatehold.dev/withdraw": "ok"}), refused="the stamping policy is not active here; write the stored form"),
]  # fmt: skip


NAME = "a verdict must carry your own user name, "
FORGE = [
    Attempt("a verdict in another's name", by="nora", do=stored("approve|{digest}|sre|alice||ok"), refused=NAME + "nora"),
    Attempt("a reviewer in another reviewer's name", by="alice", do=stored("approve|{digest}|sre|bob||ok"), refused=NAME + "alice"),
    Attempt("a withdrawal in the requester's name", by="nora", do=stored("withdraw|{digest}||ci||ok"), refused=NAME + "nora"),
    Attempt("an override in another's name", by="nora", do=stored("override|{digest}||oz||INC-4711: site down"), refused=NAME + "nora"),
    Attempt("another's name in other letters", by="nora", do=stored("approve|{digest}|sre|Nora||ok"), refused=NAME + "nora"),
    Attempt("a name with a space behind it", by="alice", do=stored("approve|{digest}|sre|alice ||ok"), refused=NAME + "alice"),
    Attempt("an empty name", by="alice", do=stored("approve|{digest}|sre|||ok"), refused=NAME + "alice"),
    Attempt("fields shifted so that the role swallows the name", by="bob", do=stored("approve|{digest}|sre|alice|fast|bob|x"), refused=NAME + "bob"),
    Attempt("a separator smuggled in unescaped", by="auth0|123", do=stored("approve|{digest}|sre|auth0|123||ok"), refused=NAME + "auth0%7C123"),
    Attempt("an escape that stands for another name", by="100%", do=stored("approve|{digest}|sre|100%||ok"), refused=NAME + "100%25"),
    Attempt("another's name by server-side apply with force", by="nora", do=stored("approve|{digest}|sre|alice||ok", how="apply"), refused=NAME + "nora"),
    Attempt("another's name by PUT", by="nora", do=stored("approve|{digest}|sre|alice||ok", how="put"), refused=NAME + "nora"),
    Attempt("another's name by JSON patch", by="nora", do=patch([{"op": "add", "path": "/metadata/annotations/verdict.gatehold.dev~10", "value": "approve|{digest}|sre|alice||ok"}], "json"), refused=NAME + "nora"),
    Attempt("another's name by strategic merge patch", by="nora", do=stored("approve|{digest}|sre|alice||ok", how="strategic"), refused="accepted media types include", policy=SCHEMA),
    Attempt("another's name by the operator", by="operator", do=stored("approve|{digest}|sre|alice||ok"), refused=NAME + "system:serviceaccount:gatehold-system:gatehold"),
    Attempt("another's name by a cluster admin", by="admin", do=stored("approve|{digest}|sre|alice||ok"), refused=NAME + "admin"),
    Attempt("a number is skipped", by="alice", do=stored("approve|{digest}|sre|alice||ok", "5"), refused="a verdict goes under the next free number: verdict.gatehold.dev/0"),
    Attempt("a number with a leading zero", by="alice", do=stored("approve|{digest}|sre|alice||ok", "00"), refused="a verdict goes under the next free number: verdict.gatehold.dev/0"),
    Attempt("a negative number", by="alice", do=stored("approve|{digest}|sre|alice||ok", "-1"), refused="metadata.annotations", policy=SCHEMA),
    Attempt("a number that is a word", by="alice", do=stored("approve|{digest}|sre|alice||ok", "first"), refused="a verdict goes under the next free number"),
    Attempt("the key in capitals", by="alice", do=annotate()({"VERDICT.gatehold.dev/0": "approve|{digest}|sre|alice||ok"}), refused="annotation VERDICT.gatehold.dev/0 is written by the operator only"),
    Attempt("the key with a Turkish letter", by="alice", do=annotate()({"verd\u0130ct.gatehold.dev/0": "approve|{digest}|sre|alice||ok"}), refused="0"),
    Attempt("the key with a Kelvin sign", by="alice", do=annotate()({"gatehold.dev/\u212aey": "x"}), refused="is written by the operator only"),
    Attempt("a key below our domain", by="alice", do=annotate()({"x.gatehold.dev/0": "approve|{digest}|sre|alice||ok"}), refused="annotation x.gatehold.dev/0 is written by the operator only"),
    Attempt("a key that only contains our domain", by="alice", do=annotate()({"gatehold.dev.example.com/approve": "ok"}), refused="annotation gatehold.dev.example.com/approve is written by the operator only"),
    Attempt("the bookkeeping annotation by a user", by="ci", do=annotate()({"gatehold.dev/prepared-by": "1.0"}), refused="annotation gatehold.dev/prepared-by is written by the operator only"),
    Attempt("somebody edits the own verdict", ask=ALICE_SAID, by="alice", do=annotate()({VERDICT + "0": "approve|{digest}|sre|alice||better words"}), refused="verdicts are write-once; nobody may edit or remove one"),
    Attempt("somebody edits another's verdict", ask=ALICE_SAID, by="bob", do=annotate()({VERDICT + "0": "deny|{digest}|sre|alice||no"}), refused="verdicts are write-once"),
    Attempt("somebody takes the own approve back", ask=ALICE_SAID, by="alice", do=annotate()({VERDICT + "0": None}), refused="verdicts are write-once; nobody may edit or remove one (a reviewer who changed their mind denies; the requester withdraws)"),
    Attempt("the requester removes a deny", ask=Ask(policy="prod", said=(("alice", "deny", "sre"),)), by="ci", do=annotate()({VERDICT + "0": None}), refused="verdicts are write-once"),
    Attempt("a cluster admin removes a deny", ask=Ask(policy="prod", said=(("alice", "deny", "sre"),), recorded=False), by="admin", do=annotate()({VERDICT + "0": None}), refused="verdicts are write-once"),
    Attempt("the operator removes a deny", ask=Ask(policy="prod", said=(("alice", "deny", "sre"),), recorded=False), by="operator", do=annotate()({VERDICT + "0": None}), refused="verdicts are write-once"),
    Attempt("the operator edits an approve", ask=ALICE_SAID, by="operator", do=annotate()({VERDICT + "0": "approve|{digest}|sre|alice||x"}), refused="verdicts are write-once"),
    Attempt("all annotations removed by JSON patch", ask=ALICE_SAID, by="ci", do=patch([{"op": "remove", "path": "/metadata/annotations"}], "json"), refused="verdicts are write-once"),
    Attempt("all annotations removed by merge patch", ask=ALICE_SAID, by="ci", do=patch({"metadata": {"annotations": None}}), refused="verdicts are write-once"),
    Attempt("a verdict moved to another number", ask=ALICE_SAID, by="alice", do=patch([{"op": "move", "from": "/metadata/annotations/verdict.gatehold.dev~10", "path": "/metadata/annotations/verdict.gatehold.dev~11"}], "json"), refused="verdicts are write-once"),
    Attempt("a verdict copied to the next number", ask=ALICE_SAID, by="bob", do=patch([{"op": "copy", "from": "/metadata/annotations/verdict.gatehold.dev~10", "path": "/metadata/annotations/verdict.gatehold.dev~11"}], "json"), refused=NAME + "bob"),
    Attempt("an own verdict copied to the next number", ask=ALICE_SAID, by="alice", do=patch([{"op": "copy", "from": "/metadata/annotations/verdict.gatehold.dev~10", "path": "/metadata/annotations/verdict.gatehold.dev~11"}], "json"), refused="you have already decided this request (approve)"),
    Attempt("verdicts dropped by PUT of the manifest", ask=ALICE_SAID, by="ci", do=patch({"metadata": {"annotations": None}}, "put"), refused="verdicts are write-once"),
]  # fmt: skip

VERDICTS = [*ALLOWED, *WHO, *WHEN, *FORM, *FORGE]
