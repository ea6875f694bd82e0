"""Parts of the endpoint by themselves: envelopes, fragments, queues, certificates, accounts."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from cauctl.errors import InputError
from cauctl.lab.dispatch import CommandTable
from cauctl.lab.endpoint import NodeEndpoint
from cauctl.lab.runspace.framing import FRAGMENT_SIZE, Assembler, Framer, MessageType, split_fragments
from cauctl.lab.runspace.requests import Argument, read_pipeline
from cauctl.lab.wsman import soap
from cauctl.lab.wsman.auth import Credentials, NtlmUserFile
from cauctl.lab.wsman.exchange import Answer
from cauctl.lab.wsman.faults import WSManFault, timed_out
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.service import Quotas, WSManService
from cauctl.lab.wsman.shell import FragmentQueue
from cauctl.lab.wsman.tls import LabAuthority
from cauctl.psobject import array, custom_object, write_fragment

ENVELOPE = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
 xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><s:Header>
 <a:Action>{action}</a:Action><a:MessageID>uuid:1</a:MessageID><w:OperationTimeout>PT1M30.5S</w:OperationTimeout>
 <w:MaxEnvelopeSize>{size}</w:MaxEnvelopeSize><w:ResourceURI>{resource}</w:ResourceURI>
 <w:SelectorSet><w:Selector Name="ShellId">abc</w:Selector></w:SelectorSet></s:Header>
 <s:Body>{body}</s:Body></s:Envelope>"""
CREATE = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create"
RECEIVE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive"
POWERSHELL = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"


def envelope(action: str = RECEIVE, *, size: str = "153600", resource: str = POWERSHELL, body: str = "") -> bytes:
    return ENVELOPE.format(action=action, size=size, resource=resource, body=body).encode()


def test_a_request_is_read():
    request = soap.parse(envelope())
    assert ("Receive", "uuid:1", timedelta(seconds=90.5), 153_600, "ABC") == (
        request.action,
        request.message_id,
        request.operation_timeout,
        request.max_envelope,
        request.shell_id,
    )


def test_an_absurd_envelope_size_is_bounded():
    assert (512_000, 153_600) == (
        soap.parse(envelope(size="999999999999")).max_envelope,
        soap.parse(envelope(size="-5")).max_envelope,
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<?xml version="1.0" encoding="utf-16"?><a/>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b"<a>\xff</a>",
    ],
)
def test_what_is_no_envelope_is_a_fault(data):
    """No document type reaches the parser; nothing is expanded, nothing is fetched."""
    with pytest.raises(WSManFault):
        soap.parse(data)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_answered(data):
    service = WSManService("NODE1", no_engine)
    answer = service.handle(data, "user")
    assert isinstance(answer, Answer)
    assert 500 == answer.status


def no_engine(_outlet: object, _name: str) -> object:
    raise AssertionError("no shell is opened")


@pytest.mark.parametrize("action", ["", "http://example.org/Nonsense", RECEIVE, CREATE])
def test_a_request_that_lacks_its_parts_is_a_fault(action):
    answer = WSManService("NODE1", no_engine).handle(envelope(action), "user")
    assert isinstance(answer, Answer)
    assert b"WSManFault" in answer.body


@pytest.mark.parametrize(
    ("text", "seconds"), [("PT20S", 20), ("P1DT2H", 93_600), ("PT0.5S", 0.5), ("P", 7), ("20", 7), ("", 7), (None, 7)]
)
def test_durations(text, seconds):
    assert timedelta(seconds=seconds) == soap.read_duration(text, default=timedelta(seconds=7))


def test_texts_in_faults_are_escaped():
    body = soap.fault_answer("<&>", WSManFault(1, "w:X", 'a <b> "c"'), machine='x"y')
    assert b"&lt;&amp;&gt;" in body
    assert b"a &lt;b&gt;" in body


@given(sizes=st.lists(st.integers(0, 3 * FRAGMENT_SIZE), min_size=1, max_size=4), kind=st.sampled_from(MessageType))
def test_messages_survive_framing(sizes, kind):
    """Whatever its size, a message comes out as it went in; no fragment is larger than Windows' are."""
    framer, assembler, pool, pipeline = Framer(), Assembler(), uuid.uuid4(), uuid.uuid4()
    fragments = [
        fragment for size in sizes for fragment in framer.frame(kind, pool, pipeline, bytes([size % 251]) * size)
    ]
    found = [message for fragment in fragments for message in assembler.feed(fragment)]
    assert [(kind, pipeline, bytes([size % 251]) * size) for size in sizes] == [
        (message.kind, message.pipeline, message.data) for message in found
    ]
    assert max(map(len, fragments)) <= FRAGMENT_SIZE


def test_fragments_of_another_numbering_are_renumbered():
    theirs, ours = Framer(), Framer()
    first = b"".join(theirs.cut(b"x" * 50_000))
    list(ours.cut(b"y"))
    numbers = [int.from_bytes(fragment[:8], "big") for fragment in ours.renumber(first)]
    assert [2, 2] == numbers


@pytest.mark.parametrize("cut", [1, 20, 25])
def test_a_fragment_that_is_cut_short_is_a_fault(cut):
    whole = b"".join(Framer().cut(b"x" * 100))
    with pytest.raises(WSManFault):
        list(split_fragments(whole[:cut]))


def test_fragments_out_of_order_are_a_fault():
    first, second = Framer().cut(b"x" * 50_000)
    assembler = Assembler()
    with pytest.raises(WSManFault):
        assembler.feed(second)
    assert [] == Assembler().feed(first)


def test_a_pipeline_is_read():
    """A dash and a colon in a name are a command line's; a name alone leaves its value to the next argument."""
    arguments = [{"N": "-Name:", "V": "x"}, {"N": None, "V": 5}, {"N": "-Force", "V": None}, {"N": "Wait", "V": None}]
    command = custom_object({"Cmd": "Get-Thing", "IsScript": False, "Args": array(map(custom_object, arguments))})
    message = custom_object(
        {"NoInput": False, "PowerShell": custom_object({"Cmds": array([command]), "IsNested": False})}
    )
    request = read_pipeline(write_fragment(message).encode())
    assert (
        Argument("Name", "x"),
        Argument(None, 5),
        Argument("Force", valueless=True),
        Argument("Wait"),
    ) == request.statements[0][0].arguments
    assert (True, ("Get-Thing",)) == (request.expects_input, request.names)


@pytest.mark.parametrize("text", ["", "<S>x</S>", "<Obj RefId='0'><MS /></Obj>", "<Obj", "\udcff"])
def test_what_is_no_pipeline_is_a_fault(text):
    with pytest.raises(WSManFault):
        read_pipeline(text.encode("utf-8", "surrogateescape"))


def test_a_queue_hands_out_each_fragment_once_and_wakes_who_waits():
    lock = threading.RLock()
    queue = FragmentQueue(lock)
    woken: list[str] = []
    with lock:
        queue.subscribe(lambda: woken.append("a"))
        gone = lambda: woken.append("gone")  # noqa: E731  it has to be the same function twice
        queue.subscribe(gone)
        queue.unsubscribe(gone)
        queue.put(b"12345")
        queue.put(b"678")
        assert (["a"], [b"12345"], [b"678"], []) == (woken, queue.take(5), queue.take(1), queue.take(99))
        queue.fail(timed_out())
        queue.subscribe(lambda: woken.append("b"))
        assert (["a", "b"], True) == (woken, queue.ready)


class Stub:
    """An engine that keeps what it is told."""

    def __init__(self) -> None:
        self.closed = False

    def open(self, data: bytes) -> None:
        """Take nothing."""

    def close(self) -> None:
        """Note the end."""
        self.closed = True


def test_a_shell_that_is_silent_for_too_long_is_closed():
    clock, engines = [0.0], []

    def make(_outlet: object, _name: str) -> Stub:
        engines.append(Stub())
        return engines[-1]

    quotas = Quotas(idle_timeout=timedelta(minutes=1))
    service = WSManService("NODE1", make, quotas=quotas, monotonic=lambda: clock[0])
    body = '<rsp:Shell><creationXml xmlns="http://schemas.microsoft.com/powershell"></creationXml></rsp:Shell>'
    answer = service.handle(envelope(CREATE, body=body), "user")
    assert (200, 1) == (answer.status, len(service.shells))
    clock[0] = 59
    service.handle(envelope(CREATE, body=body), "user")
    clock[0] = 61
    service.handle(envelope(RECEIVE), "user")
    assert (1, [True, False]) == (len(service.shells), [engine.closed for engine in engines])


def test_certificates_are_the_authoritys_and_name_the_node():
    authority = LabAuthority.create("unit")
    pem, _key = authority.issue("NODE1", alternatives=["node1.contoso.com", "127.0.0.1"])
    certificate = x509.load_pem_x509_certificate(pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ["NODE1", "node1.contoso.com"] == names.get_values_for_type(x509.DNSName)
    assert ["127.0.0.1"] == [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    certificate.verify_directly_issued_by(authority.certificate)
    assert "key" not in repr(authority).replace("public_key", "")


def test_accounts_have_no_case_and_passwords_do():
    credentials = Credentials({"CONTOSO\\Admin": "Secret"})
    assert ("CONTOSO\\Admin", None, None) == (
        credentials.check("contoso\\ADMIN", "Secret"),
        credentials.check("contoso\\admin", "secret"),
        credentials.check("nobody", ""),
    )
    assert "Secret" not in repr(credentials)


def test_an_unknown_scheme_is_refused():
    with pytest.raises(InputError, match="basic, certificate, negotiate"):
        Credentials({}, schemes=frozenset({"digest"}))


def test_ntlm_users_live_as_long_as_somebody_needs_them():
    """The file and the variable that names it are gone with the last node."""
    assert "NTLM_USER_FILE" not in os.environ
    NtlmUserFile.add({"A\\x": "1"})
    NtlmUserFile.add({"A\\x": "1", "y": "2"})
    path = Path(os.environ["NTLM_USER_FILE"])
    assert "A:x:1\n:y:2\n" == path.read_text(encoding="utf-8")
    assert 0o600 == path.stat().st_mode & 0o777
    NtlmUserFile.remove({"A\\x": "1", "y": "2"})
    assert path.exists()
    NtlmUserFile.remove({"A\\x": "1"})
    assert (False, False) == (path.exists(), "NTLM_USER_FILE" in os.environ)


def test_ntlm_knows_one_password_for_an_account():
    NtlmUserFile.add({"x": "1"})
    try:
        with pytest.raises(InputError, match="another password"):
            NtlmUserFile.add({"x": "2"})
        with pytest.raises(InputError, match="colon"):
            NtlmUserFile.add({"z": "a:b"})
    finally:
        NtlmUserFile.remove({"x": "1"})


def bound(port: int) -> socket.socket:
    """A socket that has ``port`` of loopback to itself; OSError while any other holds it."""
    found = socket.socket()
    try:
        found.bind(("127.0.0.1", port))
    except OSError:
        found.close()
        raise
    return found


def test_an_endpoint_whose_accounts_cannot_be_used_holds_no_port():
    with bound(0) as free:
        port = free.getsockname()[1]
    credentials = Credentials({"x": "a:b"})
    # The error that is kept here keeps alive whatever the endpoint left behind.
    with pytest.raises(InputError, match="colon") as caught:
        NodeEndpoint("N1", loop=EndpointLoop(), commands=CommandTable(), credentials=credentials, port=port)
    bound(port).close()
    assert "credential of x" == caught.value.where


def test_an_endpoint_whose_port_cannot_be_used_keeps_no_accounts():
    with bound(0) as taken, pytest.raises(InputError, match="cannot be used"):
        NodeEndpoint(
            "N1",
            loop=EndpointLoop(),
            commands=CommandTable(),
            credentials=Credentials({"x": "1"}),
            port=taken.getsockname()[1],
        )
    NtlmUserFile.add({"x": "2"})
    NtlmUserFile.remove({"x": "2"})
