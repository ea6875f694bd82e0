"""Parameters of commands: the packaged description of Windows' commands, as the binder sees it.

Parameter sets are numbered, a group of sets is a bit mask, and :data:`EVERY_SET` stands for no choice made yet, as in
PowerShell: the default set has the lowest bit, the others follow in the order in which parameters name them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final

from attrs import field, frozen

__all__ = [
    "ALL_SETS",
    "EVERY_SET",
    "CommandMetadata",
    "EnumType",
    "ParameterMetadata",
    "SetAttributes",
    "Validation",
    "command_metadata",
    "command_names",
    "enum_names",
    "enum_type",
]

ALL_SETS: Final = "__AllParameterSets"
EVERY_SET: Final = 0xFFFFFFFF
_SWITCH: Final = "System.Management.Automation.SwitchParameter"


@frozen
class EnumType:
    """An enum of .NET."""

    name: str
    values: Mapping[str, int] = field(repr=False)
    """Numbers by name, in the order of their declaration."""
    flags: bool = field(default=False, kw_only=True)
    underlying: str = field(default="System.Int32", kw_only=True)


@frozen
class SetAttributes:
    """What a parameter is in one parameter set (or in all, under :data:`ALL_SETS`)."""

    name: str
    mandatory: bool = field(default=False, kw_only=True)
    position: int | None = field(default=None, kw_only=True)
    """Place among positional arguments; only the order counts."""
    by_value: bool = field(default=False, kw_only=True)
    by_property_name: bool = field(default=False, kw_only=True)
    remaining: bool = field(default=False, kw_only=True)
    """Takes all positional arguments that are left over."""
    flag: int = field(default=0, kw_only=True)
    """Bit of the set; 0 for all sets."""

    @property
    def from_pipeline(self) -> bool:
        """Whether pipeline input can bind it."""
        return self.by_value or self.by_property_name

    def matches(self, sets: int) -> bool:
        """Tell whether it counts while ``sets`` are possible."""
        return not self.flag or bool(self.flag & sets)


@frozen
class Validation:
    """One validation attribute."""

    kind: str
    """``NotNull``, ``NotNullOrEmpty``, ``Set``, ``Range``, ``Pattern``, ``Length``, ``AllowNull`` ..."""
    values: tuple[str, ...] = field(default=(), kw_only=True)
    minimum: int = field(default=0, kw_only=True)
    maximum: int = field(default=0, kw_only=True)


@frozen
class ParameterMetadata:
    """One parameter of a command."""

    name: str
    type: str
    """Full .NET type name."""
    aliases: tuple[str, ...] = field(default=(), kw_only=True)
    sets: tuple[SetAttributes, ...] = field(default=(SetAttributes(ALL_SETS),), kw_only=True)
    validate: tuple[Validation, ...] = field(default=(), kw_only=True)
    type_name: str | None = field(default=None, kw_only=True)
    """PowerShell type name that an argument must carry."""
    credential: bool = field(default=False, kw_only=True)
    """A user name is turned into a credential (which would ask for a password)."""
    common: bool = field(default=False, kw_only=True)
    """A common parameter of every command; a prefix means it only if no other fits."""

    @cached_property
    def flags(self) -> int:
        """Bits of the sets it is declared in by name; 0 when it is in all sets only."""
        flags = 0
        for attributes in self.sets:
            flags |= attributes.flag
        return flags

    @cached_property
    def in_all_sets(self) -> bool:
        """Whether it is declared for all sets."""
        return any(not attributes.flag for attributes in self.sets)

    @cached_property
    def mandatory_somewhere(self) -> bool:
        """Whether some set makes it mandatory."""
        return any(attributes.mandatory for attributes in self.sets)

    @cached_property
    def pipeline_somewhere(self) -> bool:
        """Whether some set takes it from the pipeline."""
        return any(attributes.from_pipeline for attributes in self.sets)

    def allows(self, kind: str) -> bool:
        """Tell whether an attribute of this kind (``AllowNull`` ...) is there."""
        return any(validation.kind == kind for validation in self.validate)

    def matching(self, sets: int) -> Iterable[SetAttributes]:
        """Give the attributes that count while ``sets`` are possible."""
        return (attributes for attributes in self.sets if attributes.matches(sets))


@frozen
class CommandMetadata:
    """A command as the binder sees it.

    Made by :meth:`create`, which numbers the parameter sets.
    """

    name: str
    module: str = field(kw_only=True)
    compiled: bool = field(kw_only=True)
    """A compiled cmdlet; else a function, whose arguments are converted by other rules."""
    error_class: str = field(kw_only=True)
    """What follows the comma in error ids."""
    set_names: tuple[str, ...] = field(kw_only=True)
    """Names by bit number."""
    has_default: bool = field(kw_only=True)
    """Whether bit 0 is the declared default set."""
    parameters: tuple[ParameterMetadata, ...] = field(kw_only=True, repr=False)
    aliases: tuple[str, ...] = field(default=(), kw_only=True)
    outputs: tuple[str, ...] = field(default=(), kw_only=True)
    confirm_impact: str | None = field(default=None, kw_only=True)
    """Level of ShouldProcess (``Low``, ``Medium``, ``High``); None when the command has no ShouldProcess."""

    @classmethod
    def create(  # noqa: PLR0913  a command has these facts
        cls,
        name: str,
        parameters: Iterable[ParameterMetadata] = (),
        *,
        module: str = "",
        compiled: bool = False,
        error_class: str | None = None,
        default_set: str | None = None,
        aliases: Iterable[str] = (),
        outputs: Iterable[str] = (),
        confirm_impact: str | None = None,
    ) -> CommandMetadata:
        """Describe a command: number its sets and give it the common parameters."""
        declared = tuple(parameters)
        names = [default_set] if default_set else []
        for parameter in declared:
            names += [found.name for found in parameter.sets if found.name not in {*names, ALL_SETS}]
        names = list(dict.fromkeys(names))
        flags = {set_name: 1 << number for number, set_name in enumerate(names)}
        numbered = tuple(_numbered(parameter, flags) for parameter in declared)
        taken = {parameter.name.casefold() for parameter in declared}
        common = [found for found in _common_parameters(confirm_impact) if found.name.casefold() not in taken]
        return cls(
            name,
            module=module,
            compiled=compiled,
            error_class=error_class or name,
            set_names=tuple(names),
            has_default=bool(default_set),
            parameters=(*numbered, *common),
            aliases=tuple(aliases),
            outputs=tuple(outputs),
            confirm_impact=confirm_impact,
        )

    @property
    def default_flag(self) -> int:
        """Bit of the default set; 0 when none is declared."""
        return 1 if self.has_default else 0

    @property
    def all_flags(self) -> int:
        """Bits of all sets."""
        return (1 << len(self.set_names)) - 1

    def set_name(self, sets: int) -> str:
        """Name the one set of ``sets``; of none or no choice, the default; of several, nothing."""
        if sets in {0, EVERY_SET}:
            return self.set_names[0] if self.has_default else ALL_SETS
        number = (sets & -sets).bit_length() - 1
        return self.set_names[number] if sets == 1 << number and number < len(self.set_names) else ""


def _numbered(parameter: ParameterMetadata, flags: Mapping[str, int]) -> ParameterMetadata:
    sets = tuple(
        SetAttributes(
            found.name,
            mandatory=found.mandatory,
            position=found.position,
            by_value=found.by_value,
            by_property_name=found.by_property_name,
            remaining=found.remaining,
            flag=flags.get(found.name, 0),
        )
        for found in parameter.sets
    )
    return ParameterMetadata(
        parameter.name,
        parameter.type,
        aliases=parameter.aliases,
        sets=sets,
        validate=parameter.validate,
        type_name=parameter.type_name,
        credential=parameter.credential,
        common=parameter.common,
    )


_ACTION: Final = "System.Management.Automation.ActionPreference"
_COMMON: Final = (
    ("Verbose", _SWITCH, "vb"),
    ("Debug", _SWITCH, "db"),
    ("ErrorAction", _ACTION, "ea"),
    ("WarningAction", _ACTION, "wa"),
    ("InformationAction", _ACTION, "infa"),
    ("ErrorVariable", "System.String", "ev"),
    ("WarningVariable", "System.String", "wv"),
    ("InformationVariable", "System.String", "iv"),
    ("OutVariable", "System.String", "ov"),
    ("OutBuffer", "System.Int32", "ob"),
    ("PipelineVariable", "System.String", "pv"),
)
_SHOULD_PROCESS: Final = (("WhatIf", _SWITCH, "wi"), ("Confirm", _SWITCH, "cf"))


def _common_validation(name: str) -> tuple[Validation, ...]:
    if name == "OutBuffer":
        return (Validation("Range", minimum=0, maximum=2_147_483_647),)
    return (Validation("VariableName"),) if name.endswith("Variable") else ()


@cache
def _common_parameters(confirm_impact: str | None) -> tuple[ParameterMetadata, ...]:
    rows = _COMMON if confirm_impact is None else (*_COMMON, *_SHOULD_PROCESS)
    return tuple(
        ParameterMetadata(
            name,
            type_name,
            aliases=(alias,),
            common=True,
            validate=_common_validation(name),
        )
        for name, type_name, alias in rows
    )


@cache
def _document() -> Mapping[str, Any]:
    text = files("cauctl.lab").joinpath("windows-cmdlets.json").read_text(encoding="utf-8")
    document: Mapping[str, Any] = json.loads(text)
    return document


@cache
def _names() -> Mapping[str, str]:
    return {name.casefold(): name for name in _document()["commands"]}


def command_names() -> tuple[str, ...]:
    """Give the names of all commands that are described."""
    return tuple(_document()["commands"])


def command_metadata(name: str) -> CommandMetadata | None:
    """Find the description of a command by its name in any case."""
    found = _names().get(name.casefold())
    return None if found is None else _load_command(found)


def enum_names() -> tuple[str, ...]:
    """Give the full names of all enums that are described."""
    return tuple(_document()["enums"])


@cache
def enum_type(name: str) -> EnumType | None:
    """Find an enum by its full name."""
    entry = _document()["enums"].get(name)
    if entry is None:
        return None
    return EnumType(
        name,
        entry["values"],
        flags=entry.get("flags", False),
        underlying=entry.get("underlying", "System.Int32"),
    )


@cache
def _load_command(name: str) -> CommandMetadata:
    entry = _document()["commands"][name]
    return CommandMetadata.create(
        name,
        [_load_parameter(key, value) for key, value in entry["parameters"].items()],
        module=entry["module"],
        compiled=entry["type"] == "Cmdlet",
        error_class=entry["class"],
        default_set=entry.get("default"),
        aliases=entry.get("aliases", ()),
        outputs=entry.get("output", ()),
        confirm_impact=entry.get("should_process"),
    )


def _load_parameter(name: str, entry: Mapping[str, Any]) -> ParameterMetadata:
    return ParameterMetadata(
        name,
        entry["type"],
        aliases=tuple(entry.get("aliases", ())),
        sets=tuple(SetAttributes(key, **attributes) for key, attributes in entry["sets"].items()),
        validate=tuple(_load_validation(found) for found in entry.get("validate", ())),
        type_name=entry.get("pstypename"),
        credential=entry.get("transform") == "Credential",
    )


def _load_validation(entry: str | Mapping[str, Any]) -> Validation:
    if isinstance(entry, str):
        return Validation(entry)
    if entry["kind"] == "Set":
        return Validation("Set", values=tuple(entry["values"]))
    return Validation("Range", minimum=entry["min"], maximum=entry["max"])
