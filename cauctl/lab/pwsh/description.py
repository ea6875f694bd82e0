"""The commands of a node, told to a real PowerShell: the parameter metadata that the lab's own binder uses.

One source, two forms: what is a compiled cmdlet on Windows is described for ``assembly.ps1``, which emits real cmdlets;
what is a function on Windows becomes the text of a function. So an argument that does not bind is refused by PowerShell
itself, with the error id that Windows has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.binder.metadata import ALL_SETS, enum_type
from cauctl.lab.commands.shapes import property_names, type_names
from cauctl.psobject import Int64

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.lab.binder.metadata import CommandMetadata, EnumType, ParameterMetadata, SetAttributes

__all__ = ["LOCAL", "RESOURCE_TYPE", "class_of", "compiled_description", "function_text", "program_text"]

LOCAL: Final = frozenset({"Select-Object", "Sort-Object", "Measure-Object", "Write-Output"})
"""Commands that work in the session, on live objects: those of ``utility.psm1``."""
RESOURCE_TYPE: Final = "Microsoft.FailoverClusters.PowerShell.ClusterResourceType"
_FURTHER_SHAPES: Final = (
    {
        "Class": "Microsoft.PowerShell.Commands.GenericMeasureInfo",
        "Bases": ["Microsoft.PowerShell.Commands.MeasureInfo"],
        "Properties": ["Count", "Average", "Sum", "Maximum", "Minimum", "Property"],
    },
    {"Class": RESOURCE_TYPE, "Bases": [], "Properties": ["Name"]},
)
"""Classes of what is no answer of its own: sums, and what only stands in properties."""
_OBJECT: Final = "System.Object"
_PSOBJECT: Final = "System.Management.Automation.PSObject"
_CIM_SESSION: Final = "Microsoft.Management.Infrastructure.CimSession"
_BY_TYPE_NAME: Final = frozenset({
    "Microsoft.Management.Infrastructure.CimInstance", "Microsoft.Management.Infrastructure.CimClass", _CIM_SESSION,
    "System.ServiceProcess.ServiceController",
})  # fmt: skip
"""Types whose values cannot be made outside Windows: any object that carries the name is taken."""
_BUILT_IN: Final = "Microsoft.PowerShell."
"""Modules whose aliases every PowerShell has by itself."""
_OF_POWERSHELL: Final = {"FileInfo": ("LinkTarget",), "DirectoryInfo": ("LinkTarget",)}
"""Properties of newer .NET that PowerShell 7's own type data asks for."""
_INT32: Final = range(-(1 << 31), 1 << 31)


def _own_parameters(command: CommandMetadata) -> Iterator[ParameterMetadata]:
    return (parameter for parameter in command.parameters if not parameter.common)


def _declared_type(parameter: ParameterMetadata) -> tuple[str, str | None]:
    """Give the type that PowerShell is to declare, and the type name that a value must carry."""
    element = parameter.type.removesuffix("[]")
    if element in _BY_TYPE_NAME:
        named = parameter.type_name or element
        by_value = any(found.by_value for found in parameter.sets)
        is_named_session = element == _CIM_SESSION and not by_value  # Windows makes one of a computer's name
        return parameter.type.replace(element, _PSOBJECT), None if is_named_session else named
    return enum_name(parameter.type), parameter.type_name


def enum_name(name: str) -> str:
    """Give the name under which an enum is made: as on Windows, but for a dash, which no type literal can hold."""
    return name.replace("-", "") if enum_type(name.removesuffix("[]")) is not None else name


def _binding(command: CommandMetadata) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if command.has_default:
        found["DefaultParameterSetName"] = command.set_names[0]
    if command.confirm_impact is not None:
        found |= {"SupportsShouldProcess": True, "ConfirmImpact": command.confirm_impact}
    return found


def _set_properties(attributes: SetAttributes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if attributes.name != ALL_SETS:
        found["ParameterSetName"] = attributes.name
    if attributes.position is not None:
        found["Position"] = attributes.position
    flags = {
        "Mandatory": attributes.mandatory,
        "ValueFromPipeline": attributes.by_value,
        "ValueFromPipelineByPropertyName": attributes.by_property_name,
        "ValueFromRemainingArguments": attributes.remaining,
    }
    return found | {name: True for name, is_set in flags.items() if is_set}


def _attributes(parameter: ParameterMetadata) -> Iterator[tuple[str, list[Any]]]:
    """Give each further attribute of a parameter: its name without ``Attribute``, and its arguments."""
    if parameter.aliases:
        yield "Alias", list(parameter.aliases)
    for found in parameter.validate:
        if found.kind == "Set":
            yield "ValidateSet", list(found.values)
        elif found.kind == "Range":
            fits = found.minimum in _INT32 and found.maximum in _INT32
            width = int if fits else Int64
            yield "ValidateRange", [width(found.minimum), width(found.maximum)]
        else:
            yield found.kind if found.kind.startswith("Allow") else f"Validate{found.kind}", []
    type_name = _declared_type(parameter)[1]
    if type_name:
        yield "PSTypeName", [type_name]
    if parameter.credential:
        yield "Credential", []


def class_of(shape: str) -> str:
    """Give the name of the class that stands for a type of answers: Windows' own where a class can have it."""
    name = type_names(shape)[0]
    return name if _is_class(name) else f"Cauctl.Lab.Shape.{shape}"


def _is_class(name: str) -> bool:
    return "#" not in name


def _shape(name: str) -> dict[str, Any]:
    names = type_names(name)
    bases = [each for each in reversed(names[1:]) if each != _OBJECT] if _is_class(names[0]) else []
    properties = [*property_names(name), *_OF_POWERSHELL.get(name, ())]
    return {"Class": class_of(name), "Bases": bases, "Properties": properties}


def compiled_description(
    commands: Iterable[CommandMetadata], enums: Iterable[EnumType], shapes: Iterable[str]
) -> dict[str, Any]:
    """Describe commands, enums and the classes of answers for ``assembly.ps1``."""
    return {
        "Shapes": [*(_shape(name) for name in shapes), *_FURTHER_SHAPES],
        "Enums": [
            {
                "Name": enum_name(each.name),
                "Underlying": each.underlying,
                "Flags": each.flags,
                "Values": dict(each.values),
            }
            for each in enums
        ],
        "Commands": [_compiled(command) for command in commands],
    }


def _compiled(command: CommandMetadata) -> dict[str, Any]:
    return {
        "Name": command.name,
        "Class": command.error_class,
        "Local": command.name in LOCAL,
        "Binding": _binding(command),
        "Aliases": list(command.aliases) if not command.module.startswith(_BUILT_IN) else [],
        "Parameters": [
            {
                "Name": parameter.name,
                "Type": _declared_type(parameter)[0],
                "Sets": [_set_properties(attributes) for attributes in parameter.sets],
                "Attributes": [{"Name": name, "Arguments": given} for name, given in _attributes(parameter)],
            }
            for parameter in _own_parameters(command)
        ],
    }


def function_text(command: CommandMetadata) -> str:
    """Write a command as a PowerShell function; every name and text in it is quoted."""
    binding = [f"{name} = {_literal(value)}" for name, value in _binding(command).items()]
    binding.append("PositionalBinding = $false")
    lines = [f"function {command.name} {{", f"    [CmdletBinding({', '.join(binding)})]"]
    if command.aliases:
        lines.append(f"    [Alias({', '.join(map(_quoted, command.aliases))})]")
    blocks = [_parameter_text(parameter) for parameter in _own_parameters(command)]
    lines += ["    param(", ",\n".join(blocks), "    )"]
    lines.append("    process {")
    lines.append("        $failure = $global:CauctlAnswer.InvokeReturnAsIs($PSCmdlet)")
    lines.append("        if ($null -ne $failure) { $PSCmdlet.ThrowTerminatingError($failure) }")
    lines.append("    }\n}\n")
    return "\n".join(lines)


def program_text(name: str) -> str:
    """Write a program as a function that takes its arguments as they stand."""
    return (
        f"function {name} {{\n"
        "    [CmdletBinding(PositionalBinding = $false)]\n"
        "    param([Parameter(ValueFromRemainingArguments = $true)] [object[]] $Arguments)\n"
        f"    $failure = $global:CauctlProgram.InvokeReturnAsIs($PSCmdlet, {_quoted(name)}, $Arguments)\n"
        "    if ($null -ne $failure) { $PSCmdlet.ThrowTerminatingError($failure) }\n}\n"
    )


def _parameter_text(parameter: ParameterMetadata) -> str:
    rows = []
    for attributes in parameter.sets:
        given = ", ".join(f"{name} = {_literal(value)}" for name, value in _set_properties(attributes).items())
        rows.append(f"[Parameter({given})]")
    for name, arguments in _attributes(parameter):
        if name == "Credential":
            rows.append("[System.Management.Automation.Credential()]")
        else:
            rows.append(f"[{name}({', '.join(map(_literal, arguments))})]")
    rows.append(f"[{_declared_type(parameter)[0]}] ${{{parameter.name}}}")
    return "\n".join(f"        {row}" for row in rows)


def _literal(value: Any) -> str:
    if value is True:
        return "$true"
    if isinstance(value, str):
        return _quoted(value)
    return f"{int(value)}L" if isinstance(value, Int64) else str(value)


def _quoted(text: str) -> str:
    """Write a text in single quotes; PowerShell takes typographic ones for quotes, too."""
    for quote in "'\u2018\u2019\u201a\u201b":
        text = text.replace(quote, quote * 2)
    return f"'{text}'"
