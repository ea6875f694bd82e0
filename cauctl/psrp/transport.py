"""pypsrp's HTTP transport, mended: the only module that uses private names of pypsrp.

Rules kept here (numbers are those of the hazards in ``docs/connections.md``):

* A node answers an empty HTTP 400 when it could not decrypt the request, as it cannot after a new TCP connection:
  nothing ran, so a new security context is agreed on and the same bytes are sent again (1).
* A Receive that broke is repeated with the same bytes, hence the same MessageID, a few times and never after the
  deadline; no other request is repeated once it may have left (2, 4).
* Every request ends at the deadline of the transport (4).
* A node that refuses us once we have changed the connection has not refused the credential: Negotiate and NTLM belong
  to a connection, and a node that restarts breaks it within the handshake.
* pypsrp's DEBUG and INFO messages hold parameters, scripts and tokens: they are dropped, however logging is set (9).
* ``WSMan()`` writes to a table of ElementTree that all threads share: it is called under a lock (3).
* No entity, no DTD, no other encoding than UTF-8 in an answer; no proxy, authority or password from the environment.

Private names used: ``_TransportHTTP`` (``_send_request`` and ``_build_session`` overridden), ``WinRS._selector_set``,
``RunspacePool._fragmenter`` and ``_process_runspacepool_warning``.
``tests/psrp/test_hooks.py`` fails when one of them moves.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import importlib
import logging
import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pypsrp
import pypsrp.exceptions
import pypsrp.messages
import pypsrp.negotiate
import pypsrp.powershell
import pypsrp.shell
import pypsrp.wsman
import requests
import requests.auth
import spnego
import spnego.exceptions
import urllib3.exceptions

from cauctl.errors import (
    AuthenticationError,
    CauError,
    FateUnknownError,
    InputError,
    NodeUnreachableError,
    TransportError,
)
from cauctl.psrp.connection import Authentication
from cauctl.psrp.deadline import Deadline
from cauctl.psrp.display import show_text
from cauctl.psrp.fragments import cut, pack
from cauctl.psrp.wire import Line, NodeAdapter

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from cauctl.psrp.connection import NodeConnection

__all__ = ["NodePool", "NodeTransport", "NodeWSMan", "pack_creation", "select_shell"]

_REPEAT_AFTER: Final = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Seconds before each repetition of a broken Receive: for a connection that was cut, not for a node that is gone."""
_NEW_CONTEXTS: Final = 2
_MUTUAL_TLS: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_OK, _REDIRECT, _BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _UNAVAILABLE = 200, 300, 400, 401, 403, 404, 503
_KERBEROS: Final = frozenset({"gssapi", "krb5"})
"""Packages that speak Kerberos, where they are installed; spnego lets their errors through."""
_construction = threading.Lock()


class _NotDecipheredError(Exception):
    """The node could not read a sealed request, so nothing of it ran."""


class _Session(requests.Session):
    """A session of which every request goes to the same URL: what is the same in all is prepared once.

    requests prepares all of it each time, at a tenth of what a small pipeline costs.
    """

    _pattern: requests.PreparedRequest | None = None

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare a request as ``requests`` does."""
        if self.cookies or request.method != "POST":
            return super().prepare_request(request)
        if self._pattern is None or self._pattern.url != request.url:
            self._pattern = requests.PreparedRequest()
            self._pattern.prepare("POST", request.url, headers=self.headers, cookies=self.cookies)
        prepared = self._pattern.copy()
        prepared.hooks = requests.hooks.default_hooks()
        prepared.headers.update(request.headers)
        prepared.prepare_body(request.data, None)
        prepared.prepare_auth(self.auth)
        return prepared


class NodeTransport(pypsrp.wsman._TransportHTTP):  # noqa: SLF001  the hook
    """Requests to one node.

    Args:
        connection: whom to reach, and as whom.
    """

    def __init__(self, connection: NodeConnection) -> None:
        super().__init__(**_credential_options(connection), **_address_options(connection))
        self.connection = connection
        self.line = Line(connection)
        self.deadline = Deadline.never()
        self.allowance = math.inf
        """Bytes that the answers from now on may have in all; each alone is bounded by the line."""
        self.repeats = 0
        """How many Receives had to be asked for again."""

    def send(self, message: bytes, *, retries_on_read_timeout: int = 0, timeout: Any = None) -> bytes:
        """Send ``message`` and return the answer; one with retries (a Receive) is repeated when its way breaks."""
        delays = iter(_REPEAT_AFTER if retries_on_read_timeout else ())
        contexts_left = _NEW_CONTEXTS
        while True:
            self.line.begin(self._end_of_request(timeout))
            try:
                return bytes(super().send(message))
            except (_NotDecipheredError, spnego.exceptions.SpnegoError) as error:
                if contexts_left == 0:
                    raise self.line.refuse("no message encryption could be agreed on") from error
                contexts_left -= 1
                delay = 0.0
            except (FateUnknownError, NodeUnreachableError):
                delay = next(delays, -1.0)
                if delay < 0 or self.deadline.passed:
                    raise
                self.repeats += 1
            self.reset()
            self.line.pause(min(delay, self.deadline.remaining))

    def _end_of_request(self, timeout: float | None) -> Deadline:
        """Give the node the time it was told to take (pypsrp adds two seconds to it) and a margin for the way."""
        margin = self.connection.read_timeout - self.connection.operation_timeout
        held = self.connection.operation_timeout.total_seconds() if timeout is None else timeout - 2
        return self.deadline.within(held + margin.total_seconds())

    def reset(self) -> None:
        """Drop connection and security context; the next request makes new ones."""
        self.close()
        self.session = None
        self.encryption = None

    def _build_session(self) -> requests.Session:
        session = _Session()
        session.trust_env = False
        session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=()))
        session.headers.update({"User-Agent": "cauctl", "Accept-Encoding": "identity"})
        adapter = NodeAdapter(self.line)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        if self.connection.proxy:
            session.proxies = {"http": self.connection.proxy, "https": self.connection.proxy}
        if self.connection.authentication is Authentication.CERTIFICATE:
            session.headers["Authorization"] = _MUTUAL_TLS
        else:
            session.auth = _authenticator(self.connection, self.line, wrap=self.wrap_required)
        return session

    def _send_request(self, request: requests.PreparedRequest, timeout: Any = None) -> bytes:  # noqa: ARG002  the line keeps the time
        self.line.begin_exchange(carries_message=bool(request.body))
        response = self._exchange(request)
        content = self._unseal(response)
        self.allowance -= len(content)
        if self.allowance < 0:
            raise self.line.refuse("it answered at greater length than opening a session takes")
        if b"\0" in content or b"<!DOCTYPE" in content:
            raise self.line.refuse("its answer is not plain XML in UTF-8")
        if _OK <= response.status_code < _REDIRECT:
            return content
        raise self._refusal(response.status_code, content)

    def _exchange(self, request: requests.PreparedRequest) -> requests.Response:
        session = self.session
        if session is None:
            raise self.line.refuse("the transport was reset during a request")
        try:
            return session.send(request, timeout=self.line.deadline.remaining or None, allow_redirects=False)
        except CauError:
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            raise self.line.broken(error) from error
        except ImportError as error:
            refusal = self._not_authenticated(str(error))
            refusal.advice = "Install what Kerberos needs here: pip install cauctl[kerberos]."
            raise refusal from error
        except (pypsrp.exceptions.AuthenticationError, spnego.exceptions.SpnegoError, ValueError) as error:
            raise self._not_authenticated(str(error)) from error
        except Exception as error:  # Kerberos' own errors have no ancestor but this one
            if type(error).__module__.partition(".")[0] not in _KERBEROS:
                raise
            raise self._not_authenticated(str(error)) from error

    def _unseal(self, response: requests.Response) -> bytes:
        content = response.content
        kind, _, parameters = response.headers.get("content-type", "").partition(";")
        if not kind.startswith("multipart/"):
            return content
        boundary = parameters.rpartition("boundary=")[2].strip("\"' ")
        if self.encryption is None or not boundary:
            raise self.line.refuse("its answer is sealed without a key")
        try:
            return bytes(self.encryption.unwrap_message(content, boundary))
        except (pypsrp.exceptions.WinRMError, spnego.exceptions.SpnegoError, ValueError, LookupError) as error:
            raise self.line.refuse("its answer cannot be deciphered") from error
        except Exception as error:  # struct.error has no better ancestor
            raise self.line.refuse("its sealed answer is damaged") from error

    def _refusal(self, status: int, content: bytes) -> Exception:
        if status in {_UNAUTHORIZED, _FORBIDDEN}:
            return self._not_authenticated(f"HTTP status {status}")
        if b"Envelope" in content[:1000]:
            return pypsrp.exceptions.WinRMTransportError("http", status, content.decode("utf-8", "replace"))
        if status == _BAD_REQUEST and self.wrap_required and not content.strip():
            return _NotDecipheredError()
        if status == _UNAVAILABLE:
            return NodeUnreachableError(
                f"{self.line.peer} is not ready (HTTP status {status}); nothing ran.",
                node=self.line.node,
                address=self.line.peer,
            )
        if status == _NOT_FOUND:
            return TransportError(
                f"there is no /{self.connection.path} at {self.line.peer}.",
                node=self.line.node,
                address=self.line.peer,
                advice="Check port and path; WinRM's path is wsman.",
            )
        return self.line.refuse(f"it answered with HTTP status {status}")

    def _not_authenticated(self, reason: str) -> AuthenticationError | NodeUnreachableError:
        if self.line.changed_connection:
            return NodeUnreachableError(
                f"the connection to {self.line.peer} broke while we signed in; nothing ran.",
                node=self.line.node,
                address=self.line.peer,
            )
        who = self.connection.credential.user_name if self.connection.credential else "the current user"
        return AuthenticationError(
            f"{self.line.peer} did not accept {who} by {self.connection.authentication.value} ({show_text(reason)}).",
            node=self.line.node,
            address=self.line.peer,
            advice="Check user name, password and whether the node allows this way to authenticate.",
        )


class _Negotiate(pypsrp.negotiate.HTTPNegotiateAuth):
    """Negotiate, NTLM or Kerberos; a handshake that fails on our side leaves no connection behind."""

    line: Line

    def response_hook(self, response: requests.Response, **options: Any) -> requests.Response:
        """Answer a challenge. What went over other connections before it is no part of the handshake."""
        self.line.begin_handshake()
        try:
            answer: requests.Response = super().response_hook(response, **options)  # type: ignore[no-untyped-call]
        except BaseException:
            response.close()
            raise
        return answer


class NodeWSMan(pypsrp.wsman.WSMan):
    """WSMan over a :class:`NodeTransport`.

    Args:
        connection: whom to reach, and as whom.
    """

    transport: NodeTransport

    def __init__(self, connection: NodeConnection) -> None:
        with _construction:
            super().__init__(
                **_credential_options(connection),
                **_address_options(connection),
                operation_timeout=round(connection.operation_timeout.total_seconds()),
                locale=connection.locale,
            )
        self.transport = NodeTransport(connection)

    def receive(
        self,
        resource_uri: str,
        resource: ET.Element,
        option_set: Any = None,
        selector_set: Any = None,
        timeout: Any = None,
    ) -> ET.Element:
        """Ask for output; the one request that may be repeated."""
        answer = self.invoke(
            pypsrp.wsman.WSManAction.RECEIVE,
            resource_uri,
            resource,
            option_set,
            selector_set,
            timeout,
            retries_on_read_timeout=1,
        )
        body = answer.find("s:Body", namespaces=pypsrp.wsman.NAMESPACES)
        if body is None:
            raise ValueError("an envelope without a body")
        return body


class NodePool(pypsrp.powershell.RunspacePool):
    """A runspace pool that keeps what the node says of it, where pypsrp would warn the whole program."""

    def _process_runspacepool_warning(self, message: pypsrp.messages.Message) -> None:
        self.node_warnings = [*getattr(self, "node_warnings", ()), str(message.data)]


def pack_creation(pool: pypsrp.powershell.RunspacePool, text: str, pipeline_id: str) -> list[bytes]:
    """Cut a CREATE_PIPELINE message into fragments, numbered with those that the pool has sent itself."""
    fragmenter = pool._fragmenter  # noqa: SLF001  the hook
    object_id, fragmenter.outgoing_counter = fragmenter.outgoing_counter, fragmenter.outgoing_counter + 1
    kind = pypsrp.messages.MessageType.CREATE_PIPELINE
    message = pack(text, kind=kind, pool=UUID(pool.id), pipeline=UUID(pipeline_id))
    return cut(message, object_id=object_id, room=fragmenter.max_size)


def select_shell(shell: pypsrp.shell.WinRS, shell_id: str) -> None:
    """Make requests of ``shell`` address the one with ``shell_id``, whoever created it."""
    selectors = pypsrp.wsman.SelectorSet()
    selectors.add_option("ShellId", shell_id)
    shell._selector_set = selectors  # noqa: SLF001  the hook
    shell.opened = True


def _address_options(connection: NodeConnection) -> dict[str, Any]:
    return {"server": connection.address, "port": connection.port, "ssl": connection.tls, "path": connection.path}


def _credential_options(connection: NodeConnection) -> dict[str, Any]:
    return {
        "username": _user_name(connection),
        "password": _password(connection),
        "auth": connection.authentication.value,
    }


def _user_name(connection: NodeConnection) -> str | None:
    return connection.credential.user_name if connection.credential else None


def _password(connection: NodeConnection) -> str | None:
    return connection.credential.password if connection.credential else None


def _authenticator(connection: NodeConnection, line: Line, *, wrap: bool) -> requests.auth.AuthBase:
    user_name, password = _user_name(connection), _password(connection)
    if connection.authentication is Authentication.BASIC:
        return requests.auth.HTTPBasicAuth((user_name or "").encode(), (password or "").encode())
    if connection.authentication is Authentication.CREDSSP:
        return _credssp(user_name, password)
    negotiate = _Negotiate(
        username=user_name,
        password=password,
        auth_provider=connection.authentication.value,
        service=connection.kerberos_service,
        hostname_override=connection.kerberos_host,
        wrap_required=wrap,
    )
    negotiate.line = line
    return negotiate


def _credssp(user_name: str | None, password: str | None) -> requests.auth.AuthBase:
    try:
        package = importlib.import_module("requests_credssp")
    except ImportError as error:
        raise InputError("CredSSP needs the package requests-credssp.", where="authentication") from error
    authenticator: requests.auth.AuthBase = package.HttpCredSSPAuth(username=user_name, password=password)
    return authenticator


def _only_warnings(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def _silence() -> None:
    """Filter the logger of each module, imported yet or not.

    A filter, unlike a level, is not undone by configuring logging; one on a package would not reach its modules.
    """
    for package in (pypsrp, spnego):
        folder = Path(str(package.__file__)).parent
        for file in folder.rglob("*.py"):
            module = ".".join(file.relative_to(folder.parent).with_suffix("").parts)
            logging.getLogger(module).addFilter(_only_warnings)


_silence()
