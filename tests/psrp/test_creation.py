"""The message that creates a pipeline: it is what pypsrp would write, and names what cannot be sent."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypsrp.complex_objects import (
    ApartmentState,
    Command,
    CommandParameter,
    HostInfo,
    Pipeline,
    RemoteStreamOptions,
)
from pypsrp.messages import CreatePipeline, Destination, Message, MessageType
from pypsrp.powershell import Fragmenter
from pypsrp.serializer import Serializer

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential, Secret
from cauctl.psobject import read_fragment
from cauctl.psrp.creation import write_creation
from cauctl.psrp.fragments import cut, pack
from cauctl.psrp.pipeline import as_pipeline, command, native, script

POOL, PIPELINE = UUID(int=1), UUID(int=2)


def no_seal(_: str) -> str:
    raise AssertionError("nothing here is a secret")


def theirs(*commands: Command) -> str:
    """What pypsrp writes."""
    message = CreatePipeline(
        True,
        ApartmentState(value=ApartmentState.UNKNOWN),
        RemoteStreamOptions(value=0),
        False,
        HostInfo(host=None),
        Pipeline(is_nested=False, cmds=list(commands), history=None, redirect_err_to_out=False),
        False,
    )
    return Message(Destination.SERVER, None, None, message, Serializer()).pack()[40:].decode()


def plain(text: str) -> object:
    """A message without its reference numbers: tag, name, text and parts, a type name reference as the names."""
    root, names = ET.fromstring(text), {}

    def look(element: ET.Element) -> object:
        if element.tag == "TN":
            names[element.get("RefId")] = tuple(name.text for name in element)
        if element.tag in {"TN", "TNRef"}:
            return ("TN", names[element.get("RefId")])
        return (element.tag, element.get("N"), element.text, [look(part) for part in element])

    return look(root)


@pytest.mark.parametrize("protocol", ["2.1", "2.2", "2.3"])
def test_a_pipeline_is_written_as_pypsrp_writes_it(protocol):
    """The newer members of a command are left out for a node that does not know them."""
    ours = (
        command("Get-ClusterNode", Name="NODE1", Force=True)
        | native("find.exe", "/i", "x")
        | command("Select-Object", First=1)
    )
    options = {"protocol_version": protocol, "is_script": False}
    expected = theirs(
        Command(
            "Get-ClusterNode",
            args=[CommandParameter(name="Name", value="NODE1"), CommandParameter(name="Force", value=True)],
            **options,
        ),
        Command("find.exe", args=[CommandParameter(value="/i"), CommandParameter(value="x")], **options),
        Command("Select-Object", args=[CommandParameter(name="First", value=1)], **options),
    )
    assert plain(expected) == plain(write_creation(ours, protocol=protocol, seal=no_seal))


def test_a_script_of_the_user_is_marked_as_one():
    expected = theirs(Command("Get-Date;\n'$x'", is_script=True))
    assert plain(expected) == plain(
        write_creation(as_pipeline(script("Get-Date;\n'$x'")), protocol="2.3", seal=no_seal)
    )


def test_no_two_objects_share_a_reference_id():
    """An id of one value must not mean an object of another."""
    work = command("Set-X", A={"A": [1]}, B={"A": [1]}) | command("Set-Y", [1], [2])
    ids = [each.get("RefId") for each in ET.fromstring(write_creation(work, protocol="2.3", seal=no_seal)).iter("Obj")]
    assert len(set(ids)) == len(ids)
    assert None not in ids


def test_secrets_leave_sealed():
    work = as_pipeline(command("Set-X", Credential=PSCredential("admin", "hunter2"), Key=Secret("hunter3")))
    text = write_creation(work, protocol="2.3", seal=lambda secret: f"sealed{len(secret)}")
    assert ["sealed7", "sealed7"] == [each.text for each in ET.fromstring(text).iter("SS")]
    assert "hunter" not in text


@pytest.mark.parametrize("value", [2**64, object(), {"A": object()}, "\uffff", ["\ufffe"]])
def test_what_cannot_be_sent_is_named(value):
    """By parameter or by place; the other values are not blamed."""
    good, bad = command("Get-A", Fine=1), command("Get-B", "fine", value, Fine="x")
    with pytest.raises(InputError, match=r"^argument 2 of Get-B"):
        write_creation(good | bad, protocol="2.3", seal=no_seal)
    with pytest.raises(InputError, match=r"^-Bad of Get-B"):
        write_creation(good | command("Get-B", "fine", Fine="x", Bad=value), protocol="2.3", seal=no_seal)


@given(st.text(min_size=1, max_size=300), st.integers(42, 120))
def test_fragments_are_cut_as_pypsrp_cuts_them(text, room):
    """Every fragment but the last is full; numbers and marks are pypsrp's, byte by byte."""
    fragmenter = Fragmenter(room + 21, Serializer())
    fragmenter.outgoing_counter = 7

    class Written:
        MESSAGE_TYPE = MessageType.PIPELINE_INPUT
        data = "x"

    class Raw(Serializer):
        def serialize(self, *_: object, **__: object) -> bytes:
            return text.encode()

    fragmenter.serializer = Raw()
    expected = fragmenter.fragment(Written(), str(POOL), str(PIPELINE))
    message = pack(text, kind=MessageType.PIPELINE_INPUT, pool=POOL, pipeline=PIPELINE)
    assert expected == cut(message, object_id=7, room=room)


def test_the_message_can_be_read_back():
    message = read_fragment(write_creation(as_pipeline(command("Get-X", A=["a", "b"])), protocol="2.3", seal=no_seal))
    (sent,) = message["PowerShell"]["Cmds"].base
    assert "Get-X" == sent["Cmd"]
    assert ["a", "b"] == list(sent["Args"].base[0]["V"].base)
