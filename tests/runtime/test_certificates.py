"""CA and leaves: what is made can be used, what cannot be used is said so, and no key is ever shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gatehold.admission.certificates import (
    CertificateError,
    Pair,
    facts,
    fits,
    issue,
    make_authority,
    of_secret,
    renew_due,
    secret_data,
    signed_by,
)

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
CA = make_authority(NOW)
LEAF = issue(CA, ["gatehold.gatehold-system.svc", "10.0.0.7"], NOW)


def test_a_leaf_is_for_its_names_signed_by_its_ca_and_lives_ninety_days() -> None:
    found = facts(LEAF.certificate)
    assert found.hosts == ("gatehold.gatehold-system.svc", "10.0.0.7")
    assert found.not_after - NOW == timedelta(days=90)
    assert found.not_before <= NOW
    assert signed_by(LEAF.certificate, CA.certificate)
    assert not signed_by(LEAF.certificate, make_authority(NOW).certificate)
    assert not signed_by(CA.certificate, LEAF.certificate)
    assert fits(LEAF) and fits(CA)
    assert not fits(Pair(LEAF.certificate, CA.key))


def test_a_ca_lives_ten_years_and_no_leaf_outlives_it() -> None:
    assert facts(CA.certificate).not_after - NOW == timedelta(days=3650)
    late = NOW + timedelta(days=3640)
    assert facts(issue(CA, ["x"], late).certificate).not_after == facts(CA.certificate).not_after
    with pytest.raises(CertificateError, match="the CA has expired"):
        issue(CA, ["x"], NOW + timedelta(days=3651))


def test_it_is_renewed_after_two_thirds_of_its_life() -> None:
    assert not renew_due(LEAF.certificate, NOW)
    assert not renew_due(LEAF.certificate, NOW + timedelta(days=59))
    assert renew_due(LEAF.certificate, NOW + timedelta(days=60))
    assert renew_due(LEAF.certificate, NOW + timedelta(days=400))


def test_no_two_keys_are_the_same_and_none_is_shown() -> None:
    other = issue(CA, ["x"], NOW)
    assert other.key != issue(CA, ["x"], NOW).key
    assert "PRIVATE" not in repr(other)
    with pytest.raises(CertificateError) as caught:
        fits(Pair(other.certificate, other.key[:100]))
    assert "PRIVATE" not in str(caught.value)


def test_a_secret_holds_it_and_gives_it_back() -> None:
    data = secret_data(LEAF, CA.certificate)
    assert set(data) == {"tls.crt", "tls.key", "ca.crt"}
    assert of_secret(data) == LEAF
    assert set(secret_data(CA)) == {"tls.crt", "tls.key"}


@pytest.mark.parametrize("data", [None, {}, {"tls.crt": "eA=="}, {"tls.crt": "!", "tls.key": "!"}, {"tls.crt": None}])
def test_a_secret_without_a_pair_is_said_so(data: dict[str, str] | None) -> None:
    with pytest.raises(CertificateError):
        of_secret(data)


@pytest.mark.parametrize("junk", [b"", b"junk", CA.key, CA.certificate[:200]], ids=["nothing", "junk", "a key", "a part"])
def test_what_cannot_be_read_is_said_so(junk: bytes) -> None:
    for look in (facts, lambda pem: signed_by(pem, CA.certificate), lambda pem: fits(Pair(pem, CA.key))):
        with pytest.raises(CertificateError):
            look(junk)
    with pytest.raises(CertificateError):
        issue(Pair(junk, CA.key), ["x"], NOW)
    with pytest.raises(CertificateError):
        issue(Pair(CA.certificate, CA.certificate), ["x"], NOW)
    with pytest.raises(CertificateError, match="needs a name"):
        issue(CA, [], NOW)
