"""Certificates of one control plane: made at its start, gone with it, trusted by nobody else."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME: Final = datetime.timedelta(days=30)
SKEW: Final = datetime.timedelta(minutes=5)
CLIENT: Final = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER: Final = ExtendedKeyUsageOID.SERVER_AUTH


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, both PEM."""

    certificate: bytes
    key: bytes

    def write(self, stem: Path) -> None:
        """Write STEM.crt and STEM.key, readable by their owner only."""
        for suffix, content in ((".crt", self.certificate), (".key", self.key)):
            path = stem.with_name(stem.name + suffix)
            path.touch(mode=0o600)
            path.write_bytes(content)


class Authority:
    """Signs for one purpose: whoever trusts its certificate trusts each pair it issues."""

    def __init__(self, name: str) -> None:
        """Make a new authority; nothing signed by an earlier one of that name counts."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name, ())
        basic = x509.BasicConstraints(ca=True, path_length=0)
        builder = _builder(self._name, self._name, self._key.public_key()).add_extension(basic, critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())

    @property
    def pair(self) -> Pair:
        """The authority's own certificate and key."""
        return Pair(_pem(self._certificate), private_pem(self._key))

    def server(self, name: str, *hosts: str) -> Pair:
        """Issue a pair for a server on loopback, reachable by these names too."""
        addresses = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        alternatives = x509.SubjectAlternativeName([addresses, *(x509.DNSName(host) for host in ("localhost", *hosts))])
        return self._issue(_name(name, ()), [SERVER, CLIENT], alternatives)

    def client(self, name: str, groups: Sequence[str] = ()) -> Pair:
        """Issue a pair for a person or component: the API server reads CN as user name and each O as a group."""
        return self._issue(_name(name, groups), [CLIENT], None)

    def _issue(
        self,
        subject: x509.Name,
        usages: list[x509.ObjectIdentifier],
        alternatives: x509.SubjectAlternativeName | None,
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, self._name, key.public_key())
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if alternatives:
            builder = builder.add_extension(alternatives, critical=False)
        return Pair(_pem(builder.sign(self._key, hashes.SHA256())), private_pem(key))


def signing_request(name: str, groups: Sequence[str]) -> tuple[bytes, bytes]:
    """Return (request, key), both PEM, for a cluster whose authority we do not hold."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(name, groups)).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM), private_pem(key)


def write_signing_keys(stem: Path) -> None:
    """Write STEM.key and STEM.pub, with which the API server signs and checks service account tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    stem.with_suffix(".key").touch(mode=0o600)
    stem.with_suffix(".key").write_bytes(private_pem(key))
    stem.with_suffix(".pub").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the key in the traditional form, which all components read."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + LIFETIME)
    )


def _name(common: str, organisations: Sequence[str]) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in organisations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
