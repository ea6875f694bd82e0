"""The classes and enums that recorded scripts name, as far as they are data: what .NET says of each.

Those in ``OxTest`` are described by the C# that stands beside the records; the others are .NET's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cauctl import psobject
from cauctl.psobject import PSObject
from cauctl.psobject.typenames import CORE_ASSEMBLY

_LIST = "System.Collections.Generic.List`1[System.Int32]"
_XML_ASSEMBLY = "System.Private.Xml, Version=10.0.0.0, Culture=neutral, PublicKeyToken=cc7b13ffcd2ddd51"
SHORT_NAMES = {
    "int": "System.Int32",
    "string": "System.String",
    "object": "System.Object",
    "byte": "System.Byte",
    "long": "System.Int64",
    "double": "System.Double",
    "DayOfWeek": "System.DayOfWeek",
}
ENUMS: dict[str, tuple[type[int], dict[str, int]]] = {
    "System.DayOfWeek": (
        int,
        dict(
            zip(("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"), range(7), strict=True)
        ),
    ),
    "System.DateTimeKind": (int, {"Unspecified": 0, "Utc": 1, "Local": 2}),
    "System.UriKind": (int, {"RelativeOrAbsolute": 0, "Absolute": 1, "Relative": 2}),
    "System.IO.FileAttributes": (int, {"ReadOnly": 1, "Hidden": 2, "System": 4, "Directory": 16, "Archive": 32}),
    "Oracle.Days": (int, {"None": 0, "Mon": 1, "Tue": 2, "Wed": 4}),
    "Oracle.RunStatus": (
        int,
        {"Unknown": 0, "RunInProgress": 1, "Succeeded": 2, "PartiallyFailed": 3, "Failed": 4, "Canceled": 5},
    ),
    "Oracle.NodeStatus": (int, {"Waiting": 0, "Scanning": 1, "Staging": 2}),
    "OxTest.ByteEnum": (psobject.Byte, {"None": 0, "One": 1, "Max": 255}),
    "OxTest.FlagEnum": (int, {"None": 0, "A": 1, "B": 2, "C": 4}),
    "OxTest.LongEnum": (psobject.Int64, {"Small": 1, "Big": 5_000_000_000}),
}
FLAGS = {"System.IO.FileAttributes", "Oracle.Days", "OxTest.FlagEnum"}


def enum_member(name: str, members: str) -> PSObject:
    """Make an enum's value by the names of its members."""
    number, known = ENUMS[name]
    return psobject.enum_value(name, members, number(sum(known[member] for member in members.split(", "))))


def enum_number(name: str, value: int) -> PSObject:
    """Make an enum's value by its number; a number that is no member's is its own name."""
    number, known = ENUMS[name]
    parts = [member for member, each in known.items() if each and each & value == each]
    whole = name in FLAGS and sum(known[member] for member in parts) == value
    text = next((member for member, each in known.items() if each == value), ", ".join(parts) if whole else str(value))
    return psobject.enum_value(name, text, number(value))


def full_name(name: str) -> str:
    """Give ``Type.ToString()`` of a type as PowerShell writes it."""
    generic = re.fullmatch(r"([\w.]+)\[(\w[\w.,\[\]]*)\]", name)
    if generic is None:
        bare = re.fullmatch(r"([\w.+]+)((?:\[,*\])*)", name)
        return SHORT_NAMES.get(bare[1], bare[1]) + bare[2] if bare else name
    arguments = _split(generic[2])
    return f"{generic[1]}`{len(arguments)}[{','.join(map(full_name, arguments))}]"


def _split(text: str) -> list[str]:
    """Split at commas that are not within brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _assembly_qualified(shown: str) -> str:
    """Give ``Type.FullName`` of a type of the core library from its ``ToString()``."""
    generic = re.fullmatch(r"(.+?`\d[^\[]*)\[(.+?)\]((?:\[\])*)", shown)
    if generic is None:
        return shown
    inner = ",".join(
        f"[{_assembly_qualified(each)}, {_XML_ASSEMBLY if each.startswith('System.Xml') else CORE_ASSEMBLY}]"
        for each in _split(generic[2])
    )
    return f"{generic[1]}[{inner}]{generic[3]}"


def _object(name: str, properties: dict[str, Any], *, text: str | None = None, **declared: str) -> PSObject:
    return PSObject(
        type_names=(name, "System.Object"),
        text=name if text is None else text,
        adapted=properties,
        declared={each: _assembly_qualified(kind) for each, kind in declared.items()},
    )


def _plain_text(*, A: int = 0, B: str | None = None) -> PSObject:  # noqa: N803  the properties' own names
    return _object("OxTest.PlainText", {"A": A, "B": B}, text=f"plain:{A}", A="System.Int32", B="System.String")


def _update(**given: Any) -> PSObject:
    texts = ("NodeName", "UpdateId", "UpdateTitle", "UpdateDescription")
    values = {**dict.fromkeys(texts), "SourcePlugin": "Microsoft.WindowsUpdatePlugin", "ErrorCode": None, **given}
    return _object("Oracle.Update", values)


def _node_state(**given: Any) -> PSObject:
    status = enum_member("Oracle.NodeStatus", "Waiting")
    values = {"Node": None, "Status": status, "Timestamp": psobject.DateTime.from_ticks(0), **given}
    return _object("Oracle.NodeState", values)


def _declared() -> PSObject:
    kinds = {
        "Dict": f"System.Collections.Generic.Dictionary`2[System.String,{_LIST}]",
        "Array": "System.Int32[]",
        "ListArray": f"{_LIST}[]",
        "Day": "System.Nullable`1[System.DayOfWeek]",
        "Pair": "System.Nullable`1[System.Collections.Generic.KeyValuePair`2[System.Int32,System.String]]",
        "Nested": "OxTest.OuterOf`1+In[System.Int32]",
        "OtherAssembly": "System.Collections.Generic.List`1[System.Xml.XmlDocument]",
        "Own": "OxTest.Declared",
        "Act": "System.Action",
    }
    return _object("OxTest.Declared", {**dict.fromkeys(kinds), "HasValue": 4}, **kinds)


def _pair(left: str, right: str, values: dict[str, Any]) -> Callable[[], PSObject]:
    name = f"OxTest.Pair`2[{left},{right}]"
    return lambda: _object(name, values, Left=left, Right=right)


def _key_value_pair(key: Any, value: Any) -> PSObject:
    name = "System.Collections.Generic.KeyValuePair`2[System.String,System.Int32]"
    return _object(name, {"Key": key, "Value": value}, text=f"[{key}, {value}]")


def _read(name: str, text: str) -> PSObject:
    """Give what PowerShell makes live again from a text."""
    return psobject.powershell_value(PSObject(type_names=(name,), text=text, deserialized=True))


CLASSES: dict[str, Callable[..., PSObject]] = {
    "Oracle.Update": _update,
    "Oracle.NodeState": _node_state,
    "Oracle.Derived": lambda: _object("Oracle.Derived", {"D": "d", "V": "derived", "B": "b", "F": 7}),
    "OxTest.PlainText": _plain_text,
    "OxTest.Derived1": lambda: _object("OxTest.Derived1", {"FromDerived": 2, "FromBase": 1}),
    "OxTest.Outer+Inner": lambda: _object("OxTest.Outer+Inner", {"X": 1}),
    "OxTest.WriteOnly": lambda: _object("OxTest.WriteOnly", {"W": None, "R": 1}, W="System.Int32"),
    "OxTest.Indexed": lambda: _object("OxTest.Indexed", {"N": 2}),
    "OxTest.Fields": lambda: _object("OxTest.Fields", {"P1": "p", "F1": 1, "F2": "two"}),
    "OxTest.NoMembers": lambda: _object("OxTest.NoMembers", {}),
    "OxTest.Declared": _declared,
    "OxTest.Pair[int,string]": _pair("System.Int32", "System.String", {"Left": 0, "Right": None}),
    "OxTest.Pair[System.Collections.Generic.List[int],System.DateTime]": _pair(
        _LIST, "System.DateTime", {"Left": None, "Right": psobject.DateTime.from_ticks(0)}
    ),
    "System.Collections.Generic.KeyValuePair[string,int]": _key_value_pair,
    "System.Collections.DictionaryEntry": lambda key, value: _object(
        "System.Collections.DictionaryEntry", {"Name": key, "Key": key, "Value": value}
    ),
    "System.Tuple": lambda *items: _object("System.Tuple", {f"Item{at}": item for at, item in enumerate(items, 1)}),
    "object": lambda: _object("System.Object", {}),
    "half": lambda value: _object("System.Half", {}, text=str(value)),
    "System.DBNull::Value": lambda: _object("System.DBNull", {}, text=""),
    "switch": lambda value: psobject.powershell_value(
        PSObject(
            type_names=("System.Management.Automation.SwitchParameter",),
            adapted={"IsPresent": value},
            deserialized=True,
        )
    ),
    "ipaddress": lambda text: _read("System.Net.IPAddress", text),
    "IntPtr": lambda value: _object("System.IntPtr", {}, text=str(value)),
    "System.Text.StringBuilder": lambda text: _object("System.Text.StringBuilder", {"Length": len(text)}, text=text),
    "System.Net.Mail.MailAddress": lambda text: _read("System.Net.Mail.MailAddress", text),
    "System.Security.SecureString": lambda: psobject.SecureString(""),
    "pscredential": lambda user, secret: psobject.powershell_value(
        PSObject(
            type_names=("System.Management.Automation.PSCredential",),
            adapted={"UserName": user, "Password": secret},
            deserialized=True,
        )
    ),
}
