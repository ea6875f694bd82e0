"""The binder decides as a real PowerShell 7.6.9 did: recorded calls, compiled cmdlets and functions.

``node-pipelines`` are the pipelines of a node's operations, each value after one trip through CLIXML; ``cau-cmdlets``
are calls of the CAU cmdlets with live values, in both forms.
"""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import attrs
import pytest

from cauctl.lab.binder.bind import Binding
from cauctl.lab.binder.convert import text_of
from cauctl.lab.binder.errors import BindingError
from cauctl.lab.binder.metadata import CommandMetadata, command_metadata
from cauctl.lab.dispatch import BoundCall, CommandError
from cauctl.lab.runspace.confirm import should_process
from cauctl.lab.runspace.records import Invocation, full_error_id
from cauctl.lab.runspace.requests import Argument
from cauctl.psobject import DateTime, Kind, PSDictionary, PSList, PSObject, read_clixml

RECORDED = Path(__file__).parent.parent / "recorded" / "binding"
PIPED = "the object piped in"
CIM = "Microsoft.Management.Infrastructure.CimInstance"
FAULT_DOMAIN = f"{CIM}#ROOT/Microsoft/Windows/Storage/MSFT_StorageFaultDomain"

KNOWN_DIFFERENCES = {
    "empty name": "the language refuses an empty parameter name before a binder sees it",
    "= [datetime]'2024-01-02'": "the recording has a narrow blank before AM, Windows PowerShell 5.1 has not",
    "= [pscustomobject]@{ UserName = 'x' }": "the bound credential's text, which nobody reads",
}


def records(name: str) -> list[dict[str, Any]]:
    with lzma.open(RECORDED / f"{name}.jsonl.xz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def expected_value(entry: Any) -> Any:
    """A recorded value: texts, lists and dictionaries of them."""
    if entry is None or entry.get("null"):
        return None
    if "items" in entry:
        return [expected_value(item) for item in entry["items"]]
    if "entries" in entry:
        return {key: expected_value(value) for key, value in entry["entries"].items()}
    return entry["text"]


def shown(value: Any) -> Any:
    """A bound value in the form of the recordings."""
    held = value.base if isinstance(value, PSObject) else value
    if isinstance(held, list | tuple | PSList):
        return [shown(item) for item in held]
    if isinstance(held, PSDictionary):
        return {str(key): shown(item) for key, item in held.items()}
    if isinstance(value, DateTime):
        suffix = {Kind.LOCAL: "+00:00", Kind.UTC: "Z"}.get(value.kind, "")
        return f"{value.clock:%Y-%m-%dT%H:%M:%S}".zfill(19) + f".{value.ticks % 10_000_000:07d}{suffix}"
    if isinstance(value, PSObject) and value.is_a("System.Management.Automation.PSCredential"):
        return value.get("UserName")
    if isinstance(value, PSObject) and value.base is None and value.deserialized:
        return ""  # the recorder asked the bag itself for its text
    return None if value is None else text_of(value)


def answer_of(metadata: CommandMetadata) -> PSObject:
    """An object as the command would write it: it carries the command's type names."""
    names = [name for output in metadata.outputs for name in (output, f"{CIM}#{output.rpartition('/')[2]}")]
    if metadata.name == "Get-StorageScaleUnit":
        names.append(FAULT_DOMAIN)  # its class derives from it
    return PSObject(type_names=(*names, CIM, "System.Object"), adapted={}, text=PIPED)


def run_recorded(pipeline: list[dict[str, Any]]) -> tuple[list[tuple[str, str, dict[str, Any]]], list[str]]:
    """Bind and run a recorded pipeline; give its calls and error ids."""
    calls: list[tuple[str, str, dict[str, Any]]] = []
    invocation = Invocation()
    try:
        stages: list[tuple[CommandMetadata, Binding]] = []
        for number, command in enumerate(pipeline):
            metadata = command_metadata(command["command"])
            assert metadata is not None
            if metadata.module == "Microsoft.PowerShell.Core":
                continue  # the engine's own filters pass the object on
            invocation = Invocation(metadata.name, error_class=metadata.error_class)
            arguments = [Argument(p["name"], read_clixml(p["clixml"])[0]) for p in command["parameters"]]
            stages.append((metadata, Binding(metadata, arguments, expects_input=number > 0)))
        piped: PSObject | None = None
        for metadata, binding in stages:
            invocation = Invocation(metadata.name, error_class=metadata.error_class)
            if piped is not None:
                binding.bind_object(piped)
            bound = {**binding.parameters, **binding.common}
            calls.append((metadata.name, binding.parameter_set, {name: shown(value) for name, value in bound.items()}))
            should_process(binding, BoundCall(metadata.name, parameters=binding.parameters, common=binding.common))
            piped = answer_of(metadata)
    except CommandError as error:
        return calls, [full_error_id(error.error_id, invocation)]
    return calls, []


def expected_calls(record: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (
            call["command"],
            call["parameter_set"],
            {name: expected_value(entry) for name, entry in call["bound"].items()},
        )
        for call in record["calls"]
    ]


def without_piped(calls: list[tuple[str, str, dict[str, Any]]]) -> list[tuple[str, str, dict[str, Any]]]:
    """Piped objects in an array were recorded without their text."""
    return [
        (command, chosen, {name: PIPED if value in ([PIPED], [""], PIPED) else value for name, value in bound.items()})
        for command, chosen, bound in calls
    ]


NODE_PIPELINES = [record for record in records("node-pipelines") if record["status"] != "no_stub"]


@pytest.mark.parametrize("record", NODE_PIPELINES, ids=lambda record: record["name"])
def test_node_pipelines_bind_as_recorded(record):
    """Those that bind bind to the same set and values, those that are refused give the same error id."""
    calls, errors = run_recorded(record["pipeline"])
    assert (without_piped(expected_calls(record)), [error["id"] for error in record["errors"]]) == (
        without_piped(calls),
        errors,
    )


def test_the_recordings_are_all_there():
    assert (233, 11) == (
        sum(record["status"] == "bound" for record in NODE_PIPELINES),
        sum(record["status"] == "refused" for record in NODE_PIPELINES),
    )


def live(value: Any) -> Any:
    """A value that never was on the wire: arrays are arrays, objects are of their class."""
    if isinstance(value, PSObject):
        value.deserialized = False
        if isinstance(value.base, PSList) and value.type_names[:1] and value.type_names[0].endswith("[]"):
            return [live(item) for item in value.base]
    return value


def listed(clixml: str | None) -> list[Any] | None:
    """Values of a recorded document, one array taken apart."""
    if not clixml:
        return None
    values = read_clixml(clixml)
    only = values[0] if len(values) == 1 else None
    items = list(only.base) if isinstance(only, PSObject) and isinstance(only.base, PSList) else values
    return [live(item) for item in items]


def call_recorded(record: dict[str, Any], metadata: CommandMetadata) -> tuple[list[Any], list[Any]]:
    """Call a CAU cmdlet as recorded; give its calls and error records."""
    splatted = read_clixml(record["parameters_clixml"])[0]
    arguments = [Argument(name, live(value)) for name, value in splatted.base.items()]
    arguments += [Argument(None, value) for value in listed(record.get("arguments_clixml")) or ()]
    piped = listed(record.get("input_clixml"))
    calls: list[Any] = []
    errors: list[Any] = []

    def note(error: BindingError) -> None:
        errors.append((f"{error.error_id},{metadata.error_class}", error.category, error.exception_type))

    def called(binding: Binding) -> None:
        bound = {**binding.parameters, **binding.common}
        calls.append((binding.parameter_set, {name: shown(value) for name, value in bound.items()}))

    try:
        binding = Binding(metadata, arguments, expects_input=piped is not None)
        if piped is None:
            called(binding)
        for item in piped or ():
            try:
                binding.bind_object(item)
                called(binding)
            except BindingError as error:
                note(error)
    except BindingError as error:
        note(error)
    return calls, errors


def recorded_outcome(found: dict[str, Any], metadata: CommandMetadata) -> tuple[list[Any], list[Any]]:
    calls = [(c["parameter_set"], {k: expected_value(v) for k, v in c["bound"].items()}) for c in found["calls"]]
    errors = [
        (f"{e['id'].partition(',')[0]},{metadata.error_class}", e["category"], e["exception"]) for e in found["errors"]
    ]
    return calls, errors


CAU_CALLS = [r for r in records("cau-cmdlets") if not any(part in r["name"] for part in KNOWN_DIFFERENCES)]


@pytest.mark.parametrize("compiled", [True, False], ids=["cmdlet", "function"])
def test_cau_calls_bind_as_recorded(compiled):
    """Sets, values, error ids, categories and exceptions of every recorded call, first fault first."""
    wrong = {}
    for record in CAU_CALLS:
        metadata = command_metadata(record["command"])
        assert metadata is not None
        found = record if compiled else record.get("as_function", record)
        metadata = metadata if compiled else attrs.evolve(metadata, compiled=False, error_class=metadata.name)
        expected, actual = recorded_outcome(found, metadata), call_recorded(record, metadata)
        if expected != actual:
            wrong[record["name"]] = (expected, actual)
    assert {} == wrong
    assert len(CAU_CALLS) > 860
