"""The lab's binder agrees with a real PowerShell about generated calls of every command that has a stub module.

Needs a folder of stub modules of Windows' commands (``CAUCTL_STUBS``): each binds as on Windows, as a compiled cmdlet
or as a function, and answers with what was bound.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from test_binder_recorded import shown

from cauctl.lab.binder.bind import Binding
from cauctl.lab.binder.dotnet import dotnet_type
from cauctl.lab.binder.errors import BindingError
from cauctl.lab.binder.metadata import CommandMetadata, ParameterMetadata, command_metadata, command_names
from cauctl.lab.runspace.records import Invocation, full_error_id
from cauctl.lab.runspace.requests import Argument
from cauctl.psobject import Int64, array, custom_object, hashtable, read_clixml, to_python, write_clixml
from tests.conftest import missing
from tests.pwsh import PowerShell

pytestmark = pytest.mark.pwsh

ENGINE = "Microsoft.PowerShell.Core"
BROKEN = {"Get-ClusterFaultDomain"}
"""Its stub lacks the type of a parameter."""
LEFT_OUT = (
    "Credential", "CimSession", "ScriptBlock", "Uri", "Version", "TimeZoneInfo", "CodeDom", "WSMan", "PSSession",
    "FlagsExpression", "Assembly", "PSTypeName", "WildcardPattern", "ModuleSpecification", "PSModuleInfo", "Stream",
    "XmlDocument", "ErrorRecord", "Exception", "Process[]", "ServiceController", "CimClass",
)  # fmt: skip
"""Types whose values no client sends, or for which a stub has another type than Windows."""


def sendable(metadata: CommandMetadata, parameter: ParameterMetadata) -> bool:
    """Whether a client can send a value for it, and the stub has Windows' type and rules."""
    if metadata.compiled and any(found.kind == "Set" for found in parameter.validate):
        return False  # the compiled stubs spell their sets wrong
    return not parameter.common and not any(part in parameter.type for part in LEFT_OUT)


COMMANDS = [
    metadata
    for name in command_names()
    if (metadata := command_metadata(name)) is not None and metadata.module != ENGINE and name not in BROKEN
]
TEXTS = st.one_of(
    st.sampled_from(["", " ", "0", "1", "-1", "7", "1.5", "1e3", "0x10", "True", "false", "$true", "x", "a,b", "*"]),
    st.sampled_from(["2026-01-02", "2026-01-02T03:04:05Z", "1.02:03:04", "00:05", "{0}", "Up", "none", " 5 "]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6),
)
PLAIN = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(-3, 300),
    st.integers(-(1 << 31), (1 << 31) - 1),
    st.builds(Int64, st.integers(-(1 << 63), (1 << 63) - 1)),
    st.sampled_from([0.0, 1.0, -1.0, 2.5, 1e10]),
    st.none(),
)


def values(parameter: ParameterMetadata) -> st.SearchStrategy[Any]:
    """Values that may fit a parameter, and some that do not."""
    kind = dotnet_type(parameter.type)
    enum = kind.enum or (kind.element.enum if kind.element is not None else None)
    chosen = [found.values for found in parameter.validate if found.kind == "Set"]
    likely: list[st.SearchStrategy[Any]] = []
    if enum is not None:
        names = st.sampled_from([*enum.values])
        likely = [names, names.map(str.lower), st.sampled_from([*enum.values.values()])]
    if chosen:
        likely.append(st.sampled_from(chosen[0]))
    if "Hashtable" in parameter.type:
        likely.append(st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=2).map(hashtable))
    one = st.one_of(*likely, PLAIN) if likely else PLAIN
    return one | st.lists(one, max_size=3).map(array)


@st.composite
def calls(draw: st.DrawFn) -> tuple[CommandMetadata, list[tuple[str, Any]]]:
    """A command with some of its parameters."""
    metadata = draw(st.sampled_from(COMMANDS))
    possible = [parameter for parameter in metadata.parameters if sendable(metadata, parameter)]
    chosen = draw(st.lists(st.sampled_from(possible), max_size=3, unique_by=lambda p: p.name)) if possible else []
    return metadata, [(parameter.name, draw(values(parameter))) for parameter in chosen]


@pytest.fixture(scope="module")
def real(pwsh_path: str) -> Iterator[PowerShell]:
    """A PowerShell with the stub modules."""
    folder = os.environ.get("CAUCTL_STUBS")
    if not folder:
        missing("no stub modules: CAUCTL_STUBS names no folder")
    with PowerShell(pwsh_path, Path(__file__).with_name("binder_oracle.ps1"), {"PSModulePath": str(folder)}) as found:
        yield found


def bound_live(real: PowerShell, metadata: CommandMetadata, arguments: list[tuple[str, Any]]) -> dict[str, Any]:
    """What a real PowerShell says of a call."""
    given_values = array(custom_object({"Name": name, "Value": value}) for name, value in arguments)
    question = custom_object({"Command": metadata.name, "Parameters": given_values})
    return dict(to_python(read_clixml(real.ask("bind", write_clixml([question])))[0]))


def bound_here(metadata: CommandMetadata, arguments: list[tuple[str, Any]]) -> dict[str, Any]:
    """What the lab's binder says of the same call; each value has been on the wire."""
    travelled = [Argument(name, read_clixml(write_clixml([value]))[0]) for name, value in arguments]
    try:
        binding = Binding(metadata, travelled, expects_input=False)
    except BindingError as error:
        return {"Error": full_error_id(error.error_id, Invocation(metadata.name, error_class=metadata.error_class))}
    bound = {**binding.parameters, **binding.common}
    return {"Set": binding.parameter_set, "Bound": {name: shown(value) for name, value in bound.items()}}


def assert_alike(real: PowerShell, metadata: CommandMetadata, arguments: list[tuple[str, Any]]) -> None:
    """The same parameter set and values, or the same error id."""
    live = bound_live(real, metadata, arguments)
    event("refused" if "Error" in live else "bound")
    assert live == bound_here(metadata, arguments)


@example(call=(command_metadata("Set-ItemProperty"), [("LiteralPath", "x"), ("Name", "n"), ("Value", 1), ("Type", -2)]))
@example(call=(command_metadata("Get-Volume"), [("DriveLetter", "ab")]))
@given(call=calls())
def test_generated_calls_bind_alike(real, call):
    """The same parameter set and values, or the same error id."""
    assert_alike(real, *call)


@pytest.mark.nightly
@settings(max_examples=5000)
@given(call=calls())
def test_many_generated_calls_bind_alike(real, call):
    """The same for many more calls."""
    assert_alike(real, *call)
