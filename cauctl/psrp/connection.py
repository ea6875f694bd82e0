"""How to reach a node and who to be there: one frozen value, validated when it is made.

Rules kept here:

* HTTPS and certificate validation unless the caller says otherwise, by name. Over plain HTTP every message is sealed
  with the key that Negotiate, NTLM, Kerberos or CredSSP agreed on; basic authentication over plain HTTP is refused.
* The environment decides nothing: no proxy variable, no ``REQUESTS_CA_BUNDLE``, no ``.netrc``. What counts stands here.
* Secrets are held in a :class:`~cauctl.models.credential.PSCredential` or :class:`~cauctl.models.credential.Secret` and
  show in no ``repr`` and no error.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential, Secret
from cauctl.models.validation import Between, Name, check, raise_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HTTPS_PORT", "HTTP_PORT", "Authentication", "NodeConnection", "is_proxy"]

HTTPS_PORT: Final = 5986
HTTP_PORT: Final = 5985
_SHORTEST_IDLE: Final = timedelta(minutes=1)
_HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?")
_PATH: Final = re.compile(r"[A-Za-z0-9._~/-]+")
_CONFIGURATIONS: Final = {False: "Microsoft.PowerShell", True: "cauctl"}
_CONFIGURATION: Final = re.compile(r"[\w.-]+")
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_PROXY: Final = re.compile(r"https?://[^\s/]+/?")
Port = Annotated[int, Between(1, 65535)]


class Authentication(Enum):
    """How a node learns who we are; the names of PowerShell's ``-Authentication``, in lower case."""

    NEGOTIATE = "negotiate"
    """Kerberos where it works, else NTLM."""
    KERBEROS = "kerberos"
    """Kerberos only; needs the ``kerberos`` extra, and a ticket when no credential is given."""
    NTLM = "ntlm"
    """NTLM only."""
    BASIC = "basic"
    """Local accounts of the node; over HTTPS only."""
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


def _credential(value: Any) -> PSCredential | None:
    """Refuse anything else by its type: its value may be a password."""
    if value is None or isinstance(value, PSCredential):
        return value
    raise InputError(f"is a {type(value).__name__}", where="credential", expected="a PSCredential")


def _secret(value: Any) -> Secret | None:
    return value if value is None or isinstance(value, Secret) else Secret(value)


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


@frozen
class NodeConnection:
    """Everything needed to open a session with one node."""

    node: Name
    """The node's name; what errors and reports say."""
    address: str = field(default="", kw_only=True)
    """Host name or IP address to connect to; the node's name when not given."""
    port: Port = field(default=0, kw_only=True)
    """TCP port; 5986, or 5985 without TLS, when not given."""
    tls: bool = field(default=True, kw_only=True)
    """HTTPS. False: HTTP with message encryption."""
    path: str = field(default="wsman", kw_only=True)
    """Path of the URL."""
    authentication: Authentication = field(default=Authentication.NEGOTIATE, converter=_authentication, kw_only=True)
    """How to authenticate; PowerShell's spelling is accepted."""
    credential: PSCredential | None = field(default=None, converter=_credential, kw_only=True)
    """Who to be; None uses the Kerberos ticket of the current user."""
    certificate_validation: bool = field(default=True, kw_only=True)
    """Check the node's certificate. False makes whoever answers the node: for laboratories only."""
    ca_file: Path | None = field(default=None, converter=_path, kw_only=True)
    """PEM file of the authorities (or the node's own certificate) to trust instead of the system's."""
    certificate_name: Name | None = field(default=None, kw_only=True)
    """Name that the node's certificate must carry, when it is not the address."""
    client_certificate: Path | None = field(default=None, converter=_path, kw_only=True)
    """PEM file of our own certificate, for ``Authentication.CERTIFICATE``."""
    client_certificate_key: Path | None = field(default=None, converter=_path, kw_only=True)
    """PEM file of its private key, when it is not in the same file."""
    client_certificate_password: Secret | None = field(default=None, converter=_secret, kw_only=True)
    """Password of the private key."""
    kerberos_host: Name | None = field(default=None, kw_only=True)
    """Host part of the service principal name, when it is not the address."""
    kerberos_service: Name = field(default="host", kw_only=True)
    """Service part of the service principal name; ``host`` stands for all services of a computer."""
    proxy: str | None = field(default=None, repr=False, kw_only=True)
    """URL of an HTTP proxy; None connects directly, whatever the environment says. May hold a password."""
    configuration_name: str = field(default="", kw_only=True)
    """Session configuration; Microsoft.PowerShell, or cauctl for an endpoint without language, when not given."""
    jea: bool = field(default=False, kw_only=True)
    """The endpoint has no language and shows only the functions of the module that ``cauctl jea export`` writes."""
    connect_timeout: timedelta = field(default=timedelta(seconds=15), kw_only=True)
    """How long to wait for name lookup, TCP connection and TLS handshake together."""
    operation_timeout: timedelta = field(default=timedelta(seconds=20), kw_only=True)
    """How long the node may hold one request before it answers that there is nothing yet."""
    read_timeout: timedelta = field(default=timedelta(seconds=30), kw_only=True)
    """How long one answer may take to arrive completely; longer than ``operation_timeout``."""
    idle_timeout: timedelta | None = field(default=timedelta(hours=2), kw_only=True)
    """After how long without a request the node removes the session; None leaves it to the node."""
    locale: str = field(default="en-US", kw_only=True)
    """Language in which the node should answer."""

    def __attrs_post_init__(self) -> None:
        # Set on the way in, so that equal connections are equal however they were written.
        object.__setattr__(self, "address", (self.address or self.node).strip("[]"))
        object.__setattr__(self, "port", self.port or (HTTPS_PORT if self.tls else HTTP_PORT))
        object.__setattr__(self, "configuration_name", self.configuration_name or _CONFIGURATIONS[self.jea])
        check(self)
        raise_faults(f"connection to {self.node}", [*_text_faults(self), *_security_faults(self), *_time_faults(self)])

    @property
    def url(self) -> str:
        """Where requests go."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}/{self.path}"

    def evolve(self, **changes: Any) -> NodeConnection:
        """Return the same connection with ``changes``."""
        return evolve(self, **changes)


def _text_faults(connection: NodeConnection) -> Iterator[str]:
    patterns = (
        ("address", _HOST, "a host name or an IP address"),
        ("path", _PATH, "a path such as wsman"),
        ("configuration_name", _CONFIGURATION, "a name such as Microsoft.PowerShell"),
        ("locale", _LOCALE, "a language such as en-US"),
    )
    for name, pattern, expected in patterns:
        if not pattern.fullmatch(getattr(connection, name)):
            yield f"{name} is {getattr(connection, name)!r:.80}, expected {expected}"
    if connection.proxy is not None and not is_proxy(connection.proxy):
        yield "proxy is no URL of a proxy, expected http://host:port"


def is_proxy(url: str) -> bool:
    """Whether ``url`` names a proxy: a host, and a port where it has one."""
    try:
        return bool(_PROXY.fullmatch(url) and urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:  # a port that is none, half an address
        return False


def _security_faults(connection: NodeConnection) -> Iterator[str]:
    way = connection.authentication
    if not connection.tls and way in {Authentication.BASIC, Authentication.CERTIFICATE}:
        yield f"authentication {way.value} needs tls: over plain HTTP the password could be read on the way"
    if connection.credential is None and way in {Authentication.BASIC, Authentication.NTLM, Authentication.CREDSSP}:
        yield f"authentication {way.value} needs a credential"
    if (way is Authentication.CERTIFICATE) != (connection.client_certificate is not None):
        yield "authentication certificate and client_certificate need each other"
    if not connection.tls and (connection.ca_file or connection.certificate_name):
        yield "ca_file and certificate_name mean nothing without tls"


def _time_faults(connection: NodeConnection) -> Iterator[str]:
    for name in ("connect_timeout", "operation_timeout"):
        if getattr(connection, name) < timedelta(seconds=1):
            yield f"{name} is {getattr(connection, name)}, expected at least one second"
    if connection.read_timeout <= connection.operation_timeout:
        yield "read_timeout must be longer than operation_timeout, which the node may use up"
    if connection.idle_timeout is not None and connection.idle_timeout < _SHORTEST_IDLE:
        yield f"idle_timeout is {connection.idle_timeout}, expected at least one minute, which is Windows' own limit"
