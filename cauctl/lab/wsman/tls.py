"""Certificates of a lab: a certificate authority made on the spot and one server certificate a node.

Keys live as long as the authority; only the authority's certificate is meant to leave the process, for clients that
are to trust the lab.
"""

from __future__ import annotations

import asyncio.sslproto
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LabAuthority", "ServerTls"]

_VALIDITY: Final = timedelta(days=825)
_BACKDATED: Final = timedelta(days=1)
"""Certificates begin a day ago, so that a client whose clock is behind takes them."""


class ServerTls(asyncio.sslproto.SSLProtocol):
    """TLS of a connection, between its socket and its protocol.

    asyncio keeps a buffer of 256 KiB for each connection, filled or not: with 64 nodes a fifth of all memory of a lab.
    This is one record of TLS, and more than most requests need.
    """

    max_size = 16 << 10


@frozen
class LabAuthority:
    """A certificate authority of one lab."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def create(cls, name: str = "cauctl lab") -> Self:
        """Make an authority with a fresh key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(f"{name} CA")
        usage = _key_usage(sign_certificates=True)
        builder = _builder(subject, subject, key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        return cls(_sign(builder, key), key)

    @property
    def pem(self) -> bytes:
        """The authority's certificate, for clients."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, *, alternatives: Iterable[str] = (), client: bool = False) -> tuple[bytes, bytes]:
        """Make a certificate for ``name`` and ``alternatives`` (host names or addresses).

        Args:
            name: common name and first alternative name.
            alternatives: further names the certificate is valid for.
            client: for a user who signs in by certificate; else for a server.

        Returns:
            Certificate and private key, both PEM.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        names = [_general_name(text) for text in dict.fromkeys((name, *alternatives))]
        builder = _builder(_name(name), self.certificate.subject, key)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(sign_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = _sign(builder.add_extension(issuer, critical=False), self.key)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return certificate.public_bytes(serialization.Encoding.PEM), secret

    def server_context(
        self, name: str, *, alternatives: Iterable[str] = ("localhost", "127.0.0.1", "::1")
    ) -> ssl.SSLContext:
        """Make the TLS context of node ``name``; a client certificate of this authority is asked for, not required."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=self.pem.decode())
        certificate, key = self.issue(name, alternatives=alternatives)
        with tempfile.TemporaryDirectory(prefix="cauctl-lab-") as folder:  # ssl reads keys from files only
            path = Path(folder) / "node.pem"
            path.touch(mode=0o600)
            path.write_bytes(certificate + key)
            context.load_cert_chain(path)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _BACKDATED,
        not_valid_after=now + _VALIDITY,
    )


def _sign(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return builder.sign(key, hashes.SHA256())


def _key_usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )
