"""What answers need not be a node: each such answer is an error of the family, in time and in bounded memory."""

from __future__ import annotations

import gzip
import ssl
import time
from datetime import timedelta

import pytest

from cauctl.errors import (
    AuthenticationError,
    CauError,
    FateUnknownError,
    NodeUnreachableError,
    TlsError,
    TransportError,
)
from cauctl.psrp.pipeline import command
from cauctl.psrp.session import NodeSession
from cauctl.psrp.wire import LONGEST_ANSWER
from tests.psrp.stranger import Behaviour, Stranger, http, says

SOAP_FAULT = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Reason><s:Text>{}</s:Text>'
    '</s:Reason><s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{}">'
    "<f:Message>{}</f:Message></f:WSManFault></s:Detail></s:Fault></s:Body></s:Envelope>"
)

SEALED = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/encrypted\r\nContent-Length: 1\r\n\r\nx"


def fault(code: int, text: str) -> bytes:
    return http(SOAP_FAULT.format(text, code, text).encode(), "500 Internal Server Error")


def endless(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
    for _ in range(LONGEST_ANSWER // 65536 + 10):
        connection.sendall(b"x" * 65536)


def endless_headers(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(1000):
        connection.sendall(f"X-{number}: {'x' * 60000}\r\n".encode())


def open_fails(stranger: Stranger, within: float = 5.0, **options: object) -> CauError:
    """Open a session with a stranger; it fails within its deadline and says whose fault it is."""
    session = NodeSession(stranger.connection(**options))
    begin = time.monotonic()
    with pytest.raises(CauError) as caught:
        session.open(timedelta(seconds=within))
    assert time.monotonic() - begin < within + 2
    assert not session.is_open
    error = caught.value
    assert isinstance(error, TransportError)
    assert error.node == "N1"
    assert "hunter2" not in str(error)
    return error


@pytest.mark.parametrize(
    ("kind", "words", "behaviour"),
    [
        (TransportError, "no WSMan message", says(http(b"<html><body>Welcome!</body></html>"))),
        (TransportError, "no WSMan message", says(http(b"no XML"))),
        (TransportError, "no WSMan message", says(http(b""))),
        (TransportError, "HTTP status 302", says(http(b"", "302 Found", "Location: https://example.org/"))),
        (TransportError, "HTTP status 500", says(http(b"<html/>", "500 Internal Server Error"))),
        (TransportError, "not plain XML", says(http(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'))),
        (TransportError, "not plain XML", says(http("<x/>".encode("utf-16")))),
        (TransportError, "compressed", says(http(gzip.compress(b"<x/>"), "200 OK", "Content-Encoding: gzip"))),
        (TransportError, "sealed without a key", says(SEALED)),
        (TransportError, "longer than", endless),
        (FateUnknownError, "broke", endless_headers),
        (FateUnknownError, "broke", says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")),
        (FateUnknownError, "broke", says(b"SSH-2.0-OpenSSH_9.6\r\n")),
        (TransportError, "there is no /wsman", says(http(b"", "404 Not Found"))),
        (AuthenticationError, "did not accept admin by basic", says(http(b"", "401 Unauthorized"))),
        (AuthenticationError, "access is denied", says(fault(5, "Access is denied."))),
        (TransportError, "refused the request (no session", says(fault(0x8033801A, "no session configuration"))),
    ],
)  # fmt: skip
def test_an_answer_that_no_node_gives_is_an_error_of_the_family(tmp_path, kind, words, behaviour: Behaviour):
    """Type and words are ours, whatever a stranger says; only a connection that broke is worth another try."""
    hang_up = lambda connection: (behaviour(connection), connection.close())  # noqa: E731
    with Stranger(tmp_path, hang_up) as stranger:
        error = open_fails(stranger, within=0.5)
    assert type(error) is kind
    assert words in str(error)


def test_a_refused_credential_is_tried_once(tmp_path):
    """Repeated attempts lock accounts."""
    with Stranger(tmp_path, says(http(b"", "401 Unauthorized"))) as stranger:
        open_fails(stranger, within=2.0)
        assert 1 == len(stranger.requests)


def test_503_means_that_nothing_ran(tmp_path):
    """http.sys answers so while the service behind it is not there; it is worth another try."""
    with Stranger(tmp_path, says(http(b"", "503 Service Unavailable"))) as stranger:
        error = open_fails(stranger, within=0.5)
        assert type(error) is NodeUnreachableError
        assert len(stranger.requests) > 1


def test_slow_bytes_end_at_the_deadline(tmp_path):
    """A byte now and then keeps no call alive: not in the headers, not in the body."""
    stop = time.monotonic() + 3

    def drip(head: bytes) -> Behaviour:
        def behaviour(connection: ssl.SSLSocket) -> None:
            connection.sendall(head)
            while time.monotonic() < stop:
                connection.sendall(b"x")
                time.sleep(0.05)

        return behaviour

    for head in (b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"):
        with Stranger(tmp_path, drip(head)) as stranger:
            begin = time.monotonic()
            error = open_fails(stranger, within=0.4)
            assert 0.3 < time.monotonic() - begin < 1.4
            assert isinstance(error, FateUnknownError)


def test_a_run_that_could_not_open_sent_nothing(tmp_path):
    """The pipeline itself never left, whatever became of the session."""
    with Stranger(tmp_path, says(b"SSH-2.0-OpenSSH_9.6\r\n")) as stranger:
        session = NodeSession(stranger.connection())
        with pytest.raises(NodeUnreachableError, match="nothing was sent"):
            session.run(command("Get-ClusterNode"), within=timedelta(seconds=1))


# TLS


def test_an_unknown_authority_is_not_trusted(tmp_path):
    with Stranger(tmp_path, says(b"")) as stranger:
        error = open_fails(stranger, ca_file=None)
        assert type(error) is TlsError
        assert "is not trusted" in str(error)
        assert "ca_file" in (error.advice or "")
        assert [] == stranger.requests


def test_a_certificate_for_another_name_is_not_trusted(tmp_path):
    with Stranger(tmp_path, says(b""), certificate_for="other.contoso.com") as stranger:
        error = open_fails(stranger)
        assert type(error) is TlsError
        assert "certificate_name" in (error.advice or "")
        assert [] == stranger.requests


@pytest.mark.parametrize("options", [{"certificate_name": "other.contoso.com"}, {"certificate_validation": False}])
def test_another_name_can_be_allowed_by_name(tmp_path, options):
    """What arrives is the request: the handshake was accepted."""
    with Stranger(tmp_path, says(http(b"", "404 Not Found")), certificate_for="other.contoso.com") as stranger:
        assert "there is no /wsman" in str(open_fails(stranger, **options))
        assert 1 == len(stranger.requests)


def test_a_name_that_the_certificate_lacks_is_not_trusted(tmp_path):
    with Stranger(tmp_path, says(b"")) as stranger:
        assert type(open_fails(stranger, certificate_name="n1.contoso.com")) is TlsError


def test_the_environment_neither_trusts_nor_redirects(tmp_path, monkeypatch):
    """REQUESTS_CA_BUNDLE and proxies in the environment decide nothing, and no .netrc is looked for."""
    with Stranger(tmp_path, says(http(b"", "404 Not Found"))) as stranger:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stranger.ca_file))
        monkeypatch.setenv("CURL_CA_BUNDLE", str(stranger.ca_file))
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        assert type(open_fails(stranger, ca_file=None)) is TlsError
        assert "there is no /wsman" in str(open_fails(stranger))


def test_a_missing_authority_file_is_bad_input(tmp_path):
    with Stranger(tmp_path, says(b"")) as stranger, pytest.raises(CauError) as caught:
        NodeSession(stranger.connection(ca_file=tmp_path / "none.pem")).open(timedelta(seconds=1))
    assert str(caught.value).startswith(f"ca_file: {tmp_path / 'none.pem'} cannot be used: No such file")
