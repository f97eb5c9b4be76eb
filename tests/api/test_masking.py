"""What a reviewer may see: listed fields without secrets, and tags that tell values apart without giving them away."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api.masking import LONGEST, image, is_shown, masked, plain, tag

KEY = "rollout-uid"
TAG = re.compile(r"sha256:[0-9a-f]{8}")
HEX = "4f3e2d1c0b9a8f7e6d5c4b3a29181716"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc def\n-----END RSA PRIVATE KEY-----"

HIDDEN: dict[str, tuple[str, str, str]] = {
    "the password of a URL": ("postgres://shop:hunter2@db/shop", "hunter2", "postgres://{}@db/shop"),
    "the query of a URL": ("GET https://h/x?key=hunter2&a=b", "hunter2", "GET https://h/x?{}"),
    "a signed token": (f"use {JWT} now", JWT, "use {} now"),
    "a bearer token": ("H: bearer hunter2", "hunter2", "H: bearer {}"),
    "a key of AWS": ("id AKIAIOSFODNN7EXAMPLE x", "AKIAIOSFODNN7EXAMPLE", "id {} x"),
    "a token of GitHub": ("ghp_0123456789abcdefghij", "ghp_0123456789abcdefghij", "{}"),
    "a private key": (PEM, "MIIEow", "-----BEGIN RSA PRIVATE KEY-----{}-----END RSA PRIVATE KEY-----"),
    "a private key that is cut": (PEM[:45], "MIIEow", "-----BEGIN RSA PRIVATE KEY-----{}"),
    "an assigned password": ("run DB_PASSWORD=hunter2 now", "hunter2", "run DB_PASSWORD={} now"),
    "a password by its short name": ("run DB_PASS=hunter2 now", "hunter2", "run DB_PASS={} now"),
    "a password in JSON": ('{"password": "hunter2", "x": 1}', "hunter2", '{{"password": {}, "x": 1}}'),
    "a password in JSON in a string": (r"{\"password\": \"hunter2\"}", "hunter2", r"{{\"password\": \{}"),
    "a key in a header": ("X-Api-Key: hunter2", "hunter2", "X-Api-Key: {}"),
    "the word after a flag": ("--db-password hunter2 --port 80", "hunter2", "--db-password {} --port 80"),
    "quoted words after a flag": ("--token 'hunter 2' --port 80", "hunter", "--token {} --port 80"),
    "quotes in a shell's way": ("--token 'a'\"'\"'hunter 2' x", "hunter", "--token {} x"),
    "a property": ("-Dspring.datasource.password=hunter2", "hunter2", "-Dspring.datasource.password={}"),
    "a long hexadecimal number": (f"x {HEX} y", HEX, "x {} y"),
    "random letters": ("x QmFzZTkFhbGxQrStUvWxYz y", "QmFzZ", "x {} y"),
}


@pytest.mark.parametrize(("text", "secret", "expected"), HIDDEN.values(), ids=HIDDEN)
def test_it_hides(text: str, secret: str, expected: str) -> None:
    seen = masked(KEY, text)

    assert secret not in seen
    assert TAG.sub("{}", seen) == expected.format("{}")


SHOWN = {
    "a path": "/usr/local/share/shop/config.yaml",
    "a long name": "registry.example/payments-service-canary-deployment-of-the-shop:v1.2.3-rc.4",
    "a long word": "internationalizationandlocalization",
    "a class": "com.example.shop.PaymentsServiceApplicationMain",
    "flags": "--to 42 --log-level=debug --replicas 3",
    "a question": "why? ask sre",
    "a digest": "sha256:" + "4f" * 32,
    "umlauts": "größer als zuvor",
    "nothing": "",
}


@pytest.mark.parametrize("text", SHOWN.values(), ids=SHOWN)
def test_it_leaves(text: str) -> None:
    assert masked(KEY, text) == text


def test_equal_values_have_equal_tags_within_a_subject_only() -> None:
    assert tag(KEY, "a") == tag(KEY, "a")
    assert len({tag(KEY, "a"), tag(KEY, "b"), tag("other", "a")}) == 3
    assert TAG.fullmatch(tag(KEY, "\ud800"))


def test_lines_and_invisible_characters_become_blanks() -> None:
    assert plain("a\n\n b\u202ec\x1b[31md\ttail\u3164\U000e0041 ") == "a b c [31md tail"


def test_what_is_cut_is_told_apart_by_the_tag_of_the_whole() -> None:
    one, two = masked(KEY, "word " * 60 + "a"), masked(KEY, "word " * 60 + "b")

    assert one[:-8] == two[:-8]
    assert one != two
    assert len(one) <= LONGEST
    assert re.search(r"… sha256:[0-9a-f]{8}$", one)


def test_a_very_long_text_is_cut_where_no_secret_is_cut_in_two() -> None:
    words = "word " * 10

    assert masked(KEY, f"{words}'" + "hunter2 " * 900 + "'").startswith(words.strip() + " sha256:")
    assert "hunter2" not in masked(KEY, f"{words}--token '" + "hunter2 " * 900 + "'")
    assert TAG.fullmatch(masked(KEY, "x" * 5000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx:1.27", "nginx:1.27"),
        ("r/web@sha256:" + "a" * 64, "r/web@sha256:" + "a" * 64),
        (f"r/{HEX}/web@sha256:" + "a" * 64, f"r/{tag(KEY, HEX)}/web@sha256:" + "a" * 64),
        ("r" * 184 + "@sha256:" + "a" * 64, "r" * 184 + "@sha256:" + "a" * 64),
    ],
    ids=["a tag", "a digest", "something odd before the digest", "as long as it may be"],
)
def test_an_image_is_shown_with_its_digest(text: str, expected: str) -> None:
    assert image(KEY, text) == expected


def test_a_long_image_is_cut() -> None:
    seen = image(KEY, "word " * 60 + "@sha256:" + "a" * 64)

    assert len(seen) <= LONGEST
    assert re.search(r"… sha256:[0-9a-f]{8}$", seen)


FIELDS = {
    "spec containers [] image": True,
    "spec containers [] args": True,
    "spec initContainers [] command": True,
    "spec containers [] env [] name": True,
    "spec containers [] env [] value": False,
    "spec containers [] env [] valueFrom secretKeyRef name": True,
    "spec containers [] resources limits cpu": True,
    "spec containers [] livenessProbe httpGet path": True,
    "spec containers [] livenessProbe httpGet httpHeaders [] value": False,
    "spec containers [] lifecycle preStop exec command": True,
    "spec volumes [] secret secretName": True,
    "spec volumes [] csi volumeAttributes token": False,
    "spec volumes [] flexVolume options password": False,
    "spec nodeSelector zone": True,
    "spec nodeSelector []": False,
    "metadata labels app": True,
    "metadata annotations note": False,
    "metadata labels": False,
    "spec": False,
}


@pytest.mark.parametrize(("steps", "shown"), FIELDS.items(), ids=FIELDS)
def test_only_listed_fields_are_shown(steps: str, shown: bool) -> None:
    assert is_shown(tuple(steps.split())) is shown


@given(st.text(max_size=3000))
def test_whatever_it_is_it_fits_and_has_no_marks(text: str) -> None:
    for seen in (masked(KEY, text), image(KEY, text)):
        assert len(seen) <= LONGEST
        assert plain(seen) == seen


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=40).map("zq9".__add__)
AROUND = st.text("ab -=:'{}/?@.\n\"", max_size=20)


@given(WORDS, AROUND, st.sampled_from(["--password={}", "token: {}", "--api-key {}", "x_secret = '{}'", "https://u:{}@h/"]))
def test_a_secret_that_is_named_is_never_seen(secret: str, around: str, form: str) -> None:
    assert secret not in masked(KEY, f"{around} {form.format(secret)} {around}")
