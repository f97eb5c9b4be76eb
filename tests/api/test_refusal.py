"""What of a refusal may stand in a status: the words that help, and nothing that anybody keeps to himself."""

import pytest

from gatehold.api.refusal import shown

KEY = "AKfycbx0123456789abcdefABCDEF0123456789abcdef/+="
ROWS = {
    "a policy's own words": (
        "jobs.batch \"m\" is forbidden: ValidatingAdmissionPolicy 'limits' with binding 'limits' denied request: too dear",
        "jobs.batch \"m\" is forbidden: ValidatingAdmissionPolicy 'limits' with binding 'limits' denied request: too dear",
    ),
    "a webhook that does not answer": (
        'failed calling webhook "a.b": failed to call webhook: Post "https://u:p@a.b.svc:443/x?timeout=10s": no route',
        'failed calling webhook "a.b": failed to call webhook: Post "https://(not shown)a.b.svc:443/x(not shown)": no route',
    ),
    "a question is not a URL": ("why? ask sre", "why? ask sre"),
    "the value of a field": (
        'Job.batch "m" is invalid: spec.template: Invalid value: core.PodTemplateSpec{Env: "PASS=hunter2"}: immutable',
        'Job.batch "m" is invalid: spec.template: Invalid value (not shown)',
    ),
    "a password": ("denied: DB_PASSWORD=hunter2, and more", "denied: (not shown), and more"),
    "a password in JSON": ('denied: {"db-password": "hunter2"} is plain', 'denied: {"(not shown)"} is plain'),
    "a header": ("Authorization was Bearer abc.def, refused", "Authorization was (not shown), refused"),
    "a token": ("it carries eyJhbGciOi.eyJzdWIi.x-y_z here", "it carries (not shown) here"),
    "a key": (f"the key {KEY} is known", "the key (not shown) is known"),
    "a long name": (
        "policy disallow-privileged-containers-and-host-network-of-tenants says no",
        "policy disallow-privileged-containers-and-host-network-of-tenants says no",
    ),
    "lines, marks and colours": ("a\n\n b\u202ec\x1b[31md\ttail ", "a b c [31md tail"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("message", "expected"), ROWS.values(), ids=ROWS)
def test_a_status_shows(message: str, expected: str) -> None:
    assert shown(message) == expected


def test_it_is_bounded() -> None:
    assert shown("no way. " * 900) == ("no way. " * 900)[:399] + "…"
