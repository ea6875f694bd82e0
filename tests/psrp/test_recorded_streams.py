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

from cauctl.psobject import PSObject, to_python
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.pipeline import ErrorRecord
from cauctl.psrp.reader import PipelineReader, PipelineState
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
