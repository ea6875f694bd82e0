"""Pipelines of real Windows hosts, as recorded by pypsrp's own tests, read by our layer.

The oracle is pypsrp's decoder, which shares no code with ours.
"""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from functools import cache

import pytest
from attrs import evolve, frozen
from pypsrp.messages import MessageType
from pypsrp.powershell import Fragmenter
from pypsrp.serializer import Serializer

from cauctl.psobject import PSObject, read_fragment, to_python
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.fragments import Fragments, Message
from cauctl.psrp.pipeline import ErrorRecord
from cauctl.psrp.reader import _READERS, PipelineReader, PipelineState
from cauctl.psrp.shell import Receipt
from tests.recordings import Recording, parametrize, recordings

POWERSHELL = "http://schemas.microsoft.com/powershell/"
"""Beginning of the resource of PowerShell's shells; the others are of cmd.exe, whose output is plain text."""


@frozen
class Stream:
    """What a node sent of one pipeline."""

    recording: str
    command: str
    receipts: tuple[Receipt, ...]
    """The answers to the Receives, none of which had to be repeated."""

    def __str__(self) -> str:
        return f"{self.recording}-{self.command[:8]}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, "stream", streams())
    parametrize(metafunc, "recording", recordings())


@cache
def streams() -> tuple[Stream, ...]:
    """The pipelines of all recordings."""
    return tuple(stream for recording in recordings() for stream in streams_of(recording))


def streams_of(recording: Recording) -> list[Stream]:
    """Sort the answers of a recording by pipeline: one answer may carry output of several."""
    found: dict[str, list[Receipt]] = {}
    for request, response in recording.messages:
        if not ET.fromstring(request).findtext(".//{*}ResourceURI", "").startswith(POWERSHELL):
            continue
        for command, receipt in receipts(ET.fromstring(response)):
            found.setdefault(command, []).append(receipt)
    return [Stream(recording.name, command, tuple(given)) for command, given in found.items()]


def receipts(answer: ET.Element) -> list[tuple[str, Receipt]]:
    """Give what one answer to a Receive holds for each pipeline; nothing for any other answer."""
    data: dict[str, bytes] = {}
    for stream in answer.iterfind(".//{*}ReceiveResponse/{*}Stream[@CommandId]"):
        command = stream.attrib["CommandId"]
        data[command] = data.get(command, b"") + base64.b64decode(stream.text or "")
    states = answer.findall(".//{*}ReceiveResponse/{*}CommandState")
    done = [state.attrib["CommandId"] for state in states if state.attrib["State"].endswith("/Done")]
    return [
        (command, Receipt(data.get(command, b""), done=command in done, repeated=False))
        for command in dict.fromkeys([*data, *done])
    ]


def read(stream: Stream, *, repeated: bool = False) -> PipelineReader:
    reader = PipelineReader(NodeConnection("N1"), keep_output=True)
    for receipt in stream.receipts:
        reader.take(evolve(receipt, repeated=repeated))
    return reader


def pypsrp_messages(stream: Stream) -> list:
    fragmenter = Fragmenter(512000, Serializer())
    return [message for receipt in stream.receipts for message in fragmenter.defragment(receipt.data)]


@pytest.mark.usefixtures("wsman_recordings")
@pytest.mark.filterwarnings("ignore:Failed to deserialize msg:UserWarning")
def test_every_recorded_pipeline_is_read_as_pypsrp_reads_it(stream):
    """As many objects, the same texts and numbers, the same records, the same end."""
    reader = read(stream)
    result = reader.result()
    messages = pypsrp_messages(stream)
    kinds = [message.message_type for message in messages]
    outputs = [message.data.data for message in messages if message.message_type == MessageType.PIPELINE_OUTPUT]
    plain = [
        (ours, theirs) for ours, theirs in zip(result.output, outputs, strict=True) if not isinstance(ours, PSObject)
    ]
    assert [theirs for _, theirs in plain if isinstance(theirs, str | int)] == [
        to_python(ours) for ours, theirs in plain if isinstance(theirs, str | int)
    ]
    errors = [message.data for message in messages if message.message_type == MessageType.ERROR_RECORD]
    assert [error.fq_error for error in errors] == [error.fully_qualified_error_id for error in result.errors]
    assert kinds.count(MessageType.WARNING_RECORD) == len(result.warnings)
    assert kinds.count(MessageType.VERBOSE_RECORD) == len(result.verbose)
    states = [message.data.state for message in messages if message.message_type == MessageType.PIPELINE_STATE]
    assert (states[-1] if states else PipelineState.RUNNING.value) == reader.state.value


def fragments_of(recording: Recording) -> dict[tuple[str, ...], list[bytes]]:
    """All PSRP that was sent, in both directions, sorted into the sequences that it makes.

    A client session sends one sequence to a shell. A node sends one for each pipeline and one for the pool; to a client
    that connects to a shell it begins anew, and what it says in the very answer may be ahead of what it sends next.
    """
    found: dict[tuple[str, ...], list[bytes]] = {}
    shell = ""
    for request, response in recording.messages:
        asked, answered = ET.fromstring(request), ET.fromstring(response)
        if not asked.findtext(".//{*}ResourceURI", "").startswith(POWERSHELL):
            continue
        shell = next((element.attrib["ShellId"] for element in asked.iterfind(".//{*}Shell[@ShellId]")), shell)
        shell = asked.findtext(".//{*}Selector[@Name='ShellId']", shell)
        client = (asked.findtext(".//{*}SessionId", ""), shell)
        for path in (".//{*}creationXml", ".//{*}connectXml", ".//{*}Arguments", ".//{*}Send/{*}Stream"):
            for element in asked.iterfind(path):
                found.setdefault(client, []).append(base64.b64decode(element.text or ""))
        for path in (".//{*}connectResponseXml", ".//{*}ReceiveResponse/{*}Stream"):
            for element in answered.iterfind(path):
                sequence = (*client, path, element.get("CommandId", ""))
                found.setdefault(sequence, []).append(base64.b64decode(element.text or ""))
    return found


def messages_of(recording: Recording) -> list[Message]:
    """Every message of a recording; each stream ends with a whole one."""
    messages: list[Message] = []
    for parts in fragments_of(recording).values():
        fragments = Fragments()
        for part in parts:
            messages.extend(fragments.feed(part))
        assert fragments._object_id is None, "a message has no end"
    return messages


@pytest.mark.usefixtures("wsman_recordings")
def test_every_message_in_both_directions_is_read(recording):
    """Of pools and of pipelines: nothing that real Windows or its client wrote is left unread."""
    for message in messages_of(recording):
        assert not message.text or read_fragment(message.text) is not None


@pytest.mark.usefixtures("wsman_recordings")
def test_the_recordings_hold_every_kind_of_message_that_a_pipeline_may_write():
    """What was read is much, and of all kinds that are read of a pipeline."""
    messages = [message for recording in recordings() for message in messages_of(recording)]
    assert len(messages) > 400
    assert set(_READERS) <= {message.kind for message in messages}


@pytest.mark.usefixtures("wsman_recordings")
def test_real_windows_leaves_no_gap_in_a_pipelines_object_ids(stream):
    """The rule that finds lost output after a repeated Receive never fires on a stream that is whole."""
    assert read(stream).state is read(stream, repeated=True).state


@pytest.mark.usefixtures("wsman_recordings")
def test_a_terminating_error_keeps_all_its_facts():
    """Compared with the text of the record in test_client_execute_ps_failure."""
    (stream,) = [each for each in streams() if each.recording == "test_client_execute_ps_failure"]
    record = read(stream).terminating
    assert record is not None
    assert (
        ErrorRecord(
            "The term 'Get-ServiceTypo' is not recognized as the name of a cmdlet, function, script file, or operable "
            "program. Check the spelling of the name, or if a path was included, verify that the path is correct and "
            "try again.",
            fully_qualified_error_id="CommandNotFoundException,Microsoft.PowerShell.Commands.InvokeExpressionCommand",
            category="ObjectNotFound",
            activity="Invoke-Expression",
            reason="CommandNotFoundException",
            target_name="Get-ServiceTypo",
            target_type="String",
            exception_type="System.Management.Automation.CommandNotFoundException",
            hresult=0x80131501,
            script_stack_trace=record.script_stack_trace,
        )
        == record
    )
