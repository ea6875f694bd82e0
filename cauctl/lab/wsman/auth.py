"""HTTP authentication of one TCP connection: Basic, client certificate, Negotiate with WinRM message encryption.

Rules kept here:

* Negotiate and NTLM belong to the connection: once accepted they hold for its later requests, and their security
  context dies with it. A body sealed with another connection's context is answered by HTTP 400, as WinRM does.
* Passwords are compared in constant time and appear in no text.
* NTLM's acceptor (pyspnego) reads its users from the file that the environment variable ``NTLM_USER_FILE`` names, one
  for the whole process; :class:`NtlmUserFile` keeps one while a lab runs, unless the variable is set already.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import struct
import tempfile
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from attrs import field, frozen

from cauctl.errors import InputError
from cauctl.lab.wsman.soap import CONTENT_TYPE

if TYPE_CHECKING:
    import spnego

__all__ = [
    "Accepted",
    "AuthenticationDenied",
    "ConnectionAuth",
    "Credentials",
    "NtlmUserFile",
    "UnreadableMessage",
    "certificate_subject",
]

Headers = list[tuple[str, str]]

_MUTUAL: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_SEALED: Final = "application/HTTP-SPNEGO-session-encrypted"
_SEALED_BODY = re.compile(
    rb"--\s*Encrypted Boundary\r\n.*?--\s*Encrypted Boundary\r\n"
    rb"\tContent-Type: application/octet-stream\r\n(.*)--\s*Encrypted Boundary--\r\n",
    re.DOTALL,
)
SCHEMES: Final = frozenset({"basic", "negotiate", "certificate"})


@frozen
class Credentials:
    """Who may sign in to a node, and how."""

    passwords: Mapping[str, str] = field(factory=dict, repr=False)
    """Passwords by account name: ``user``, ``DOMAIN\\user`` or ``user@domain``, in any case."""
    certificates: Mapping[str, str] = field(factory=dict, kw_only=True)
    """Accounts by the common name of a client certificate."""
    schemes: frozenset[str] = field(default=frozenset({"basic", "negotiate"}), converter=frozenset, kw_only=True)
    """Ways that the node offers: ``basic``, ``negotiate``, ``certificate``."""
    require_encryption: bool = field(default=False, kw_only=True)
    """Whether a Negotiate client on plain HTTP must seal its messages (Windows: AllowUnencrypted is false)."""

    @schemes.validator
    def _known(self, _attribute: object, value: frozenset[str]) -> None:
        if not value or value - SCHEMES:
            raise InputError("unknown ways to sign in", where="schemes", expected=", ".join(sorted(SCHEMES)))

    def account(self, name: str) -> str | None:
        """Give the account's name as it stands here, or None."""
        folded = name.casefold()
        return next((account for account in self.passwords if account.casefold() == folded), None)

    def check(self, name: str, password: str) -> str | None:
        """Give the account's name if the password is right."""
        account = self.account(name)
        wanted = self.passwords[account] if account is not None else ""
        right = hmac.compare_digest(wanted.encode(), password.encode())
        return account if right and account is not None else None


class AuthenticationDenied(Exception):  # noqa: N818  an answer of the protocol, not a failure
    """Answer 401 with these headers."""

    def __init__(self, headers: Headers) -> None:
        super().__init__("401")
        self.headers = headers


class UnreadableMessage(Exception):  # noqa: N818  as above
    """Answer 400: the body was sealed with a security context that this connection does not have."""


@frozen
class Accepted:
    """A request whose sender is known."""

    user: str
    body: bytes = field(repr=False)
    """Open envelope; empty for a request that only completed a handshake."""
    headers: Headers = field(factory=list)


class ConnectionAuth:
    """Authentication state of one connection.

    Args:
        credentials: who may sign in.
        subject: common name of the client certificate that TLS verified, if any.
    """

    def __init__(self, credentials: Credentials, *, subject: str | None = None) -> None:
        self._credentials = credentials
        self._subject = subject
        self._context: spnego.ContextProxy | None = None
        self._user: str | None = None
        self._sealed = False

    def check(self, authorization: str, content_type: str, body: bytes) -> Accepted:
        """Tell who sends a request and open its body.

        Raises:
            AuthenticationDenied: nobody known, or the handshake goes on.
            UnreadableMessage: the body cannot be opened with this connection's context.
        """
        scheme, _, token = authorization.partition(" ")
        scheme = scheme.lower()
        if scheme == "basic" and "basic" in self._credentials.schemes:
            return Accepted(self._basic(token), body)
        if authorization == _MUTUAL and "certificate" in self._credentials.schemes:
            return Accepted(self._certificate(), body)
        headers: Headers = []
        if scheme in {"negotiate", "ntlm", "kerberos"} and "negotiate" in self._credentials.schemes:
            headers = self._negotiate(authorization.partition(" ")[0], token)
        if self._user is None:
            raise self._denied()
        return Accepted(self._user, self._open(content_type, body), headers)

    def seal(self, body: bytes) -> tuple[str, bytes]:
        """Give content type and body of an answer, sealed if the client seals its requests."""
        if not self._sealed or self._context is None:
            return CONTENT_TYPE, body
        header, data, padding = self._context.wrap_winrm(body)
        head = (
            f"--Encrypted Boundary\r\n\tContent-Type: {_SEALED}\r\n"
            f"\tOriginalContent: type={CONTENT_TYPE};Length={len(body) + padding}\r\n"
            "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
        )
        sealed = head.encode() + struct.pack("<i", len(header)) + header + data + b"--Encrypted Boundary--\r\n"
        return f'multipart/encrypted;protocol="{_SEALED}";boundary="Encrypted Boundary"', sealed

    def _denied(self) -> AuthenticationDenied:
        offers = {"negotiate": "Negotiate", "basic": 'Basic realm="WSMAN"'}
        return AuthenticationDenied(
            [("WWW-Authenticate", text) for scheme, text in offers.items() if scheme in self._credentials.schemes]
        )

    def _basic(self, token: str) -> str:
        try:
            name, _, password = base64.b64decode(token).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise self._denied() from None
        account = self._credentials.check(name, password)
        if account is None:
            raise self._denied()
        return account

    def _certificate(self) -> str:
        account = self._credentials.certificates.get(self._subject or "")
        if account is None:
            raise self._denied()
        return account

    def _negotiate(self, scheme: str, token: str) -> Headers:
        """Take one step of the handshake; give the header that carries the answering token."""
        import spnego  # noqa: PLC0415  only a node that negotiates pays for it

        if self._context is None or self._context.complete:
            self._user = None
            self._context = spnego.server(protocol=scheme.lower(), options=spnego.NegotiateOptions.wrapping_winrm)
        try:
            reply = self._context.step(base64.b64decode(token))
        except (spnego.exceptions.SpnegoError, binascii.Error, ValueError, struct.error):
            self._context = None
            raise self._denied() from None
        headers = [("WWW-Authenticate", f"{scheme} {base64.b64encode(reply).decode()}")] if reply else []
        if not self._context.complete:
            raise AuthenticationDenied(headers)
        self._user = self._principal(self._context)
        return headers

    def _principal(self, context: spnego.ContextProxy) -> str:
        account = self._credentials.account(str(context.client_principal))
        if account is None:
            raise self._denied()
        return account

    def _open(self, content_type: str, body: bytes) -> bytes:
        if content_type.startswith("multipart/encrypted"):
            self._sealed = True
            return self._unseal(body)
        if body and self._credentials.require_encryption:
            raise self._denied()
        return body

    def _unseal(self, body: bytes) -> bytes:
        import spnego  # noqa: PLC0415  as in _negotiate

        match = _SEALED_BODY.fullmatch(body)
        if match is None or self._context is None:
            raise UnreadableMessage
        part = match[1]
        size = int.from_bytes(part[:4], "little")
        try:
            return self._context.unwrap_winrm(part[4 : 4 + size], part[4 + size :])
        except (spnego.exceptions.SpnegoError, ValueError, struct.error):
            raise UnreadableMessage from None


class NtlmUserFile:
    """The process's file of NTLM users, kept while any lab needs it. Safe from any thread."""

    _lock: ClassVar = threading.Lock()
    _users: ClassVar[Counter[tuple[str, str]]] = Counter()
    _folder: ClassVar[tempfile.TemporaryDirectory[str] | None] = None

    @classmethod
    def add(cls, passwords: Mapping[str, str]) -> None:
        """Make these accounts known; each call needs its :meth:`remove`."""
        entries = list(passwords.items())
        for name, password in entries:
            if any(mark in name + password for mark in ":\r\n"):
                raise InputError("a colon or a line break cannot be used with NTLM", where=f"credential of {name}")
        with cls._lock:
            known = dict(cls._users)
            clash = [name for name, password in entries if any(n == name and p != password for n, p in known)]
            if clash:
                raise InputError("NTLM knows this account with another password", where=f"credential of {clash[0]}")
            cls._users.update(entries)
            cls._write()

    @classmethod
    def remove(cls, passwords: Mapping[str, str]) -> None:
        """Forget accounts that :meth:`add` made known."""
        with cls._lock:
            cls._users.subtract(passwords.items())
            cls._users += Counter()
            cls._write()

    @classmethod
    def _write(cls) -> None:
        """Bring file and environment in line with the accounts."""
        variable = "NTLM_USER_FILE"
        ours = None if cls._folder is None else str(Path(cls._folder.name) / "users")
        if os.environ.get(variable, ours) != ours:
            return  # somebody else's file: theirs to keep
        if not cls._users:
            if cls._folder is not None:
                os.environ.pop(variable, None)
                cls._folder.cleanup()
                cls._folder = None
            return
        cls._folder = cls._folder or tempfile.TemporaryDirectory(prefix="cauctl-lab-")
        path = Path(cls._folder.name) / "users"
        path.touch(mode=0o600)
        lines = [f"{':'.join(_domain_and_user(name))}:{password}" for name, password in cls._users]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        os.environ[variable] = str(path)


def _domain_and_user(name: str) -> tuple[str, str]:
    domain, _, user = name.rpartition("\\")
    return domain, user


def certificate_subject(certificate: Mapping[str, Any] | None) -> str | None:
    """Give the common name of a verified peer certificate (``ssl.SSLSocket.getpeercert()``)."""
    for group in (certificate or {}).get("subject", ()):
        for key, value in group:
            if key == "commonName":
                return str(value)
    return None
