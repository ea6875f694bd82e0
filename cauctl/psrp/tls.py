"""Whom to trust as a node: TLS contexts, and what a failed handshake means.

Rules kept here:

* The authorities of the system are trusted, or those of ``ca_file`` alone. A file with the node's own certificate is
  enough: a certificate that is trusted need not be an authority's.
* What the other side says about itself (a certificate, a protocol) is a :class:`~cauctl.errors.TlsError` and final; a
  connection that merely ends during the handshake is not, as a node that starts does that.
"""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import TYPE_CHECKING

import urllib3.exceptions
from urllib3.util.ssl_match_hostname import CertificateError

from cauctl.errors import InputError, TlsError
from cauctl.psrp.display import show_text

if TYPE_CHECKING:
    from pathlib import Path

    from cauctl.psrp.connection import NodeConnection

__all__ = ["tls_context", "tls_failure"]

_ENDED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def tls_context(connection: NodeConnection, *, own: bool = False) -> ssl.SSLContext:
    """Give the context for ``connection``; those without a client certificate are shared: each costs a megabyte.

    urllib3 switches the check of the name off in a shared one and makes it itself; whoever does not connect by urllib3
    asks for one of its ``own``.
    """
    ca_file = connection.ca_file
    stamp = _read_stamp(ca_file) if ca_file else 0
    if connection.client_certificate is None and not own:
        return _shared_context(ca_file, stamp, connection.certificate_validation)
    context = _context(ca_file, validate=connection.certificate_validation)
    if connection.client_certificate is not None:
        _add_client_certificate(context, connection)
    return context


def tls_failure(connection: NodeConnection, error: BaseException) -> TlsError | None:
    """Say what a handshake failed of; None for a failure that is not TLS's."""
    address = f"{connection.address}:{connection.port}"
    if isinstance(error, urllib3.exceptions.SSLError) and error.args and isinstance(error.args[0], BaseException):
        return tls_failure(connection, error.args[0])
    if isinstance(error, ssl.SSLCertVerificationError | CertificateError):
        reason = getattr(error, "verify_message", "") or str(error)
        return TlsError(
            f"the certificate of {address} is not trusted: {show_text(reason)}. Nothing was sent.",
            node=connection.node,
            address=address,
            advice=_advice(getattr(error, "verify_code", None)),
        )
    if isinstance(error, ssl.SSLError) and not isinstance(error, (*_ENDED, TimeoutError)):
        return TlsError(
            f"no TLS could be agreed on with {address}: {show_text(error.reason or str(error))}.",
            node=connection.node,
            address=address,
            advice=_PLAIN_ADVICE if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"} else None,
        )
    return None


_PLAIN_ADVICE = "The port does not speak HTTPS; WinRM's HTTPS port is 5986."
_X509_V_ERR_HOSTNAME_MISMATCH = 62
_X509_V_ERR_IP_ADDRESS_MISMATCH = 64


def _advice(code: int | None) -> str:
    if code in {None, _X509_V_ERR_HOSTNAME_MISMATCH, _X509_V_ERR_IP_ADDRESS_MISMATCH}:
        return "Connect by a name that the certificate carries, or give that name as certificate_name."
    return "Give the authority that issued it, or the certificate itself, as ca_file."


def _read_stamp(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError as error:
        raise _unreadable(file, error, where="ca_file") from error


@lru_cache(maxsize=32)
def _shared_context(ca_file: Path | None, stamp: int, validate: bool) -> ssl.SSLContext:  # noqa: ARG001, FBT001  the stamp makes a changed file another key
    return _context(ca_file, validate=validate)


def _context(ca_file: Path | None, *, validate: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise _unreadable(ca_file, error, where="ca_file") from error
    # The same on every Python: 3.13 began to refuse certificates that Windows' own tools make.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not validate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _add_client_certificate(context: ssl.SSLContext, connection: NodeConnection) -> None:
    secret = connection.client_certificate_password
    try:
        context.load_cert_chain(
            connection.client_certificate or "",
            connection.client_certificate_key,
            # A callable, so that OpenSSL never asks a terminal.
            (lambda: secret.text if secret else ""),
        )
    except (OSError, ValueError) as error:
        raise _unreadable(connection.client_certificate, error, where="client_certificate") from error


def _unreadable(file: Path | None, error: Exception, *, where: str) -> InputError:
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    return InputError(f"{file} cannot be used: {reason}.", where=where, expected="a readable PEM file")
