"""How to reach a node and who to be there: one frozen value, validated when it is made.

Rules kept here:

* HTTPS and certificate validation unless the caller says otherwise, by name. Over plain HTTP every message is sealed
  with the key that Negotiate, NTLM, Kerberos or CredSSP agreed on; basic authentication over plain HTTP is refused.
* The environment decides nothing: no proxy variable, no ``REQUESTS_CA_BUNDLE``, no ``.netrc``. What counts stands here.
* Secrets are held in a :class:`~cauctl.models.credential.PSCredential` or hidden from ``repr``.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from attrs import Attribute, converters, evolve, field, frozen

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential

__all__ = ["Authentication", "NodeConnection"]

HTTPS_PORT = 5986
HTTP_PORT = 5985
_HOST = re.compile(r"[A-Za-z0-9._\-:%\[\]]+")


class Authentication(Enum):
    """How a node learns who we are; the names of PowerShell's ``-Authentication``, in lower case."""

    NEGOTIATE = "negotiate"
    """Kerberos where it works, else NTLM."""
    KERBEROS = "kerberos"
    """Kerberos only; needs the ``kerberos`` extra, and a ticket when no credential is given."""
    NTLM = "ntlm"
    BASIC = "basic"
    """Local accounts only; over HTTPS only."""
    CERTIFICATE = "certificate"
    """A client certificate that the node maps to a local account; over HTTPS only."""
    CREDSSP = "credssp"
    """Hands the password itself to the node; nothing here needs it. Needs the package ``requests-credssp``."""

    @classmethod
    def _missing_(cls, value: object) -> Authentication | None:
        return next((member for member in cls if isinstance(value, str) and member.value == value.casefold()), None)


def _authentication(value: Authentication | str) -> Authentication:
    try:
        return Authentication(value)
    except ValueError:
        accepted = ", ".join(member.value for member in Authentication)
        raise InputError(f"{value!r} is no way to authenticate", where="authentication", expected=accepted) from None


def _duration(shortest: timedelta, longest: timedelta) -> Any:
    def check(_: object, attribute: Attribute[timedelta], value: timedelta) -> None:
        if not isinstance(value, timedelta) or not shortest <= value <= longest:
            raise InputError(
                f"{value!r} is out of range", where=attribute.name, expected=f"a timedelta from {shortest} to {longest}"
            )

    return check


_optional_path = converters.optional(Path)


@frozen
class NodeConnection:
    """Everything needed to open a session with one node."""

    node: str = field()
    """The node's name; what errors and reports say."""
    address: str = field(default="", kw_only=True)
    """Host name or IP address to connect to; the node's name when not given."""
    port: int = field(default=0, kw_only=True)
    """TCP port; 5986, or 5985 without TLS, when not given."""
    tls: bool = field(default=True, kw_only=True)
    """HTTPS. False: HTTP with message encryption."""
    path: str = field(default="wsman", kw_only=True)
    """Path of the URL."""
    authentication: Authentication = field(default=Authentication.NEGOTIATE, converter=_authentication, kw_only=True)
    """How to authenticate; PowerShell's spelling is accepted."""
    credential: PSCredential | None = field(default=None, kw_only=True)
    """Who to be; None uses the Kerberos ticket of the current user."""
    certificate_validation: bool = field(default=True, kw_only=True)
    """Check the node's certificate. False makes whoever answers the node: for laboratories only."""
    ca_file: Path | None = field(default=None, converter=_optional_path, kw_only=True)
    """PEM file of the authorities (or the node's own certificate) to trust instead of the system's."""
    certificate_name: str | None = field(default=None, kw_only=True)
    """Name that the node's certificate must carry, when it is not the address."""
    client_certificate: Path | None = field(default=None, converter=_optional_path, kw_only=True)
    """PEM file of our own certificate, for ``Authentication.CERTIFICATE``."""
    client_certificate_key: Path | None = field(default=None, converter=_optional_path, kw_only=True)
    """PEM file of its private key."""
    client_certificate_password: str | None = field(default=None, repr=False, kw_only=True)
    """Password of the private key."""
    kerberos_host: str | None = field(default=None, kw_only=True)
    """Host part of the service principal name, when it is not the address."""
    kerberos_service: str = field(default="HTTP", kw_only=True)
    """Service part of the service principal name."""
    proxy: str | None = field(default=None, repr=False, kw_only=True)
    """URL of an HTTP proxy; None connects directly, whatever the environment says. May hold a password."""
    configuration_name: str = field(default="Microsoft.PowerShell", kw_only=True)
    """Session configuration, such as the name of a JEA endpoint."""
    connect_timeout: timedelta = field(default=timedelta(seconds=15), kw_only=True)
    """How long to wait for the TCP connection and the TLS handshake."""
    operation_timeout: timedelta = field(default=timedelta(seconds=20), kw_only=True)
    """How long the node may hold one request before it answers that there is nothing yet; whole seconds."""
    read_timeout: timedelta = field(default=timedelta(seconds=30), kw_only=True)
    """How long one answer may take to arrive completely; longer than ``operation_timeout``."""
    idle_timeout: timedelta | None = field(default=timedelta(hours=2), kw_only=True)
    """After how long without a request the node removes the session; None leaves it to the node."""
    locale: str = field(default="en-US", kw_only=True)
    """Language in which the node should answer."""

    @property
    def url(self) -> str:
        """Where requests go."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}/{self.path}"

    def evolve(self, **changes: Any) -> NodeConnection:
        """Return the same connection with ``changes``."""
        return evolve(self, **changes)
