"""Making and reading the certificates of the webhook: a CA that lives long, leaves that do not. Pure; time is an argument.

`gatehold certs init` makes both, the leader renews the leaf. cert-manager or files may stand in for all of this.
"""

import base64
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY: Final = "gatehold-webhook-ca"
_SKEW: Final = timedelta(minutes=5)
_MOST_NAME: Final = 64


class CertificateError(ValueError):
    """A certificate or key that cannot be used; the text never holds any of it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate (or chain) and its key, both PEM. The key is never shown."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a certificate says; `digest` tells it from every other."""

    not_before: datetime
    not_after: datetime
    hosts: tuple[str, ...]
    digest: str


def make_authority(now: datetime, years: int = 10) -> Pair:
    """Make a CA of EC P-256 that signs leaves and nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(AUTHORITY)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = (
        _builder(name, name, key.public_key())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=365 * years))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def issue(authority: Pair, hosts: Sequence[str], now: datetime, days: float = 90) -> Pair:
    """Make a leaf for a server of these names or addresses, with a key of its own. It never outlives its CA."""
    if not hosts:
        raise CertificateError("a server needs a name")
    ca, signer = _certificate(authority.certificate), _key(authority.key)
    key = ec.generate_private_key(ec.SECP256R1())
    end = min(now + timedelta(days=days), ca.not_valid_after_utc)
    if end <= now:
        raise CertificateError("the CA has expired")
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    builder = (
        _builder(_name(hosts[0]), ca.subject, key.public_key())
        .not_valid_before(max(now - _SKEW, ca.not_valid_before_utc))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    return _pair(builder.sign(signer, hashes.SHA256()), key)


def facts(certificate: bytes) -> Facts:
    """Read the first certificate of a PEM. Raises CertificateError."""
    found = _certificate(certificate)
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        hosts: tuple[str, ...] = ()
    except ValueError as error:
        raise CertificateError("a certificate with extensions that cannot be read") from error
    else:
        addresses = (str(address) for address in names.get_values_for_type(x509.IPAddress))
        hosts = (*names.get_values_for_type(x509.DNSName), *addresses)
    digest = found.fingerprint(hashes.SHA256()).hex()
    return Facts(found.not_valid_before_utc, found.not_valid_after_utc, hosts, digest)


def renew_due(certificate: bytes, now: datetime) -> bool:
    """Whether two thirds of its life are over. Raises CertificateError."""
    found = facts(certificate)
    return now >= found.not_before + (found.not_after - found.not_before) * 2 / 3


def signed_by(certificate: bytes, authority: bytes) -> bool:
    """Whether that CA signed it. Raises CertificateError."""
    leaf, ca = _certificate(certificate), _certificate(authority)
    try:
        leaf.verify_directly_issued_by(ca)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def fits(pair: Pair) -> bool:
    """Whether the key belongs to the certificate. Raises CertificateError."""
    try:
        key = serialization.load_pem_private_key(pair.key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError("a key that cannot be read") from error
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _certificate(pair.certificate).public_key().public_bytes(*form) == key.public_key().public_bytes(*form)


def secret_data(pair: Pair, authority: bytes = b"") -> dict[str, str]:
    """The `data` of a Secret of type kubernetes.io/tls."""
    parts = {"tls.crt": pair.certificate, "tls.key": pair.key} | ({"ca.crt": authority} if authority else {})
    return {name: base64.b64encode(content).decode() for name, content in parts.items()}


def of_secret(data: Mapping[str, str] | None) -> Pair:
    """The pair out of a Secret's `data`. Raises CertificateError."""
    try:
        return Pair(*(base64.b64decode((data or {})[name], validate=True) for name in ("tls.crt", "tls.key")))
    except (KeyError, ValueError, TypeError) as error:
        raise CertificateError("a Secret without a readable tls.crt and tls.key") from error


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    return builder.public_key(key).serial_number(x509.random_serial_number())


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    form = serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), pem)


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CertificateError("a certificate that cannot be read") from error


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError("a key that cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError("the key of the CA is no EC key")
    return key


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:_MOST_NAME])])
