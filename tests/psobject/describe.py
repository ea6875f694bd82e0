"""Describes a value of ours in the words in which PowerShell's values were recorded.

The vocabulary (type, names, text, kind, props, items, entries, same_as …) is that of the records under
``tests/recorded/clixml``. What a record cuts (``cut``) or calls a live .NET object of its own making (``live``, and the
types of LIVE) is described as far as the record says it, no further: :func:`differences` compares.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from cauctl.psobject import (
    Char,
    DateTime,
    Kind,
    MemberSet,
    ProgressRecord,
    PSDictionary,
    PSObject,
    PSQueue,
    PSStack,
    SecureString,
    Uri,
    XmlDocument,
    type_name,
)
from cauctl.psobject.nettext import TextStyle, _offset_at, local_clock
from cauctl.psobject.objecttext import ObjectText
from cauctl.psobject.uri_syntax import is_absolute_uri

UTC_ZONE = ZoneInfo("UTC")
INVARIANT = TextStyle()
BAG = "System.Management.Automation.PSCustomObject"
LIVE = frozenset(
    (
        "System.Net.IPAddress",
        "System.Net.Mail.MailAddress",
        "System.Globalization.CultureInfo",
        "System.Management.Automation.PSCredential",
        "System.Management.Automation.SwitchParameter",
        "System.Management.Automation.PSPrimitiveDictionary",
        "System.Security.Cryptography.X509Certificates.X500DistinguishedName",
    )
)
"""Types that PowerShell makes anew from their property bags; here they stay bags."""


@cache
def texts_in(zone: ZoneInfo) -> ObjectText:
    """How objects print where local dates are shown in a zone."""
    return ObjectText(TextStyle(time_zone=zone))


def describe(value: Any, zone: ZoneInfo, path: str = "$", seen: dict[int, str] | None = None) -> Any:
    """Describe a value; ``zone`` is where local dates are shown."""
    seen = {} if seen is None else seen
    if value is None:
        return None
    if not isinstance(value, PSObject):
        return primitive(value, zone)
    base = {"type": type_of(value), "names": list(names_of(value))}
    if id(value) in seen:
        return {**base, "same_as": seen[id(value)]}
    seen[id(value)] = path
    if isinstance(value.base, PSDictionary):
        entries = [
            {
                "key": describe(key, zone, f"{path}{{key}}", seen),
                "value": describe(item, zone, f"{path}{{{key}}}", seen),
            }
            for key, item in value.base.pairs
        ]
        base |= {"count": len(entries), "entries": entries, "order": None if value.base.ordered else "any"}
    elif value.is_container:
        items = [describe(item, zone, f"{path}[{index}]", seen) for index, item in enumerate(value.base)]
        base |= {"count": len(items), "items": items}
    elif value.base is not None:
        base |= {**primitive(value.base, zone), "names": base["names"]}
    else:
        base["text"] = texts_in(zone).object_text(value)
    base["props"] = [
        {"n": name, "kind": kind, "v": describe(item, zone, f"{path}.{name}", seen)}
        for kind, name, item in properties(value)
    ]
    base["sets"] = [
        {
            "n": name,
            "members": [
                {"n": each, "kind": "NoteProperty", "v": describe(item, zone, f"{path}.{name}.{each}", seen)}
                for each, item in members.items()
                if not isinstance(item, MemberSet)
            ],
        }
        for name, members in value.extended.items()
        if isinstance(members, MemberSet)
    ]
    return base


def properties(value: PSObject) -> Iterator[tuple[str, str, Any]]:
    """Notes, then .NET properties that no note hides."""
    for name, item in value.extended.items():
        if not isinstance(item, MemberSet):
            yield "NoteProperty", name, item
    for name, item in (value.adapted or {}).items():
        if name not in value.extended:
            yield "Property", name, item


def type_of(value: PSObject) -> str:
    """.NET type of the object that PowerShell makes when it reads this."""
    if isinstance(value.base, PSDictionary):
        return f"System.Collections.{'Specialized.OrderedDictionary' if value.base.ordered else 'Hashtable'}"
    if isinstance(value.base, PSStack | PSQueue):
        return f"System.Collections.{type(value.base).__name__[2:]}"
    if value.is_container:
        return "System.Collections.ArrayList"
    return BAG if value.base is None else str(type_name(value.base))


def names_of(value: PSObject) -> tuple[str, ...]:
    """Type names as PowerShell shows them; of an object that came without, those of its .NET type (only its first)."""
    if value.type_names:
        return value.ps_type_names
    return (BAG, "System.Object") if value.base is None else ()


def primitive(value: Any, zone: ZoneInfo) -> dict[str, Any]:
    """Describe a primitive."""
    described: dict[str, Any] = {"type": type_name(value)}
    if isinstance(value, DateTime):
        described |= {"text": date_text(value, zone), "kind": value.kind.value}
    elif isinstance(value, bytes):
        described["text"] = b64encode(value).decode("ascii")
    elif isinstance(value, Uri):
        described |= {"text": value.text, "absolute": is_absolute_uri(value.text)}
    elif isinstance(value, XmlDocument):
        described["text"] = outer_text(value.text)
    elif isinstance(value, SecureString):
        described["text"] = None  # the records show its clear text, which is nobody's business
    elif isinstance(value, ProgressRecord):
        described |= {"text": INVARIANT.text(value), "props": progress_properties(value, zone)}
    elif isinstance(value, Char):
        described["text"] = str.__str__(value)
    else:
        described["text"] = INVARIANT.text(value)
    return described


def progress_properties(value: ProgressRecord, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The .NET properties of a progress record."""
    kind = "System.Management.Automation.ProgressRecordType"
    fields = (
        ("ActivityId", value.activity_id),
        ("ParentActivityId", value.parent_activity_id),
        ("Activity", value.activity),
        ("StatusDescription", value.status_description),
        ("CurrentOperation", value.current_operation),
        ("PercentComplete", value.percent_complete),
        ("SecondsRemaining", value.seconds_remaining),
    )
    described = [{"n": name, "kind": "Property", "v": describe(each, zone)} for name, each in fields]
    return [*described, {"n": "RecordType", "kind": "Property", "v": {"type": kind, "text": value.record_type}}]


def date_text(value: DateTime, zone: ZoneInfo) -> str:
    """The round-trip form ``o``."""
    if value.kind is not Kind.LOCAL:
        suffix = "Z" if value.kind is Kind.UTC else ""
        clock = value.clock
        return f"{clock.year:04}-{clock:%m-%dT%H:%M:%S.%f}{value.hundred_nanoseconds}{suffix}"
    clock = local_clock(value, zone)
    minutes = int(_offset_at(moment(value), zone) / timedelta(minutes=1))
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return f"{clock.year:04}-{clock:%m-%dT%H:%M:%S.%f}{value.hundred_nanoseconds}{offset}"


def moment(value: DateTime) -> datetime:
    """The moment of a local date; one before the year 1 is its beginning."""
    try:
        return (value.clock - (value.offset or timedelta())).replace(tzinfo=UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def outer_text(text: str) -> str:
    """The text of an XML document as .NET prints it, as far as the records need it."""
    if not text or text.startswith("<!DOCTYPE"):
        return text
    root = etree.fromstring(text.encode("utf-8"), etree.XMLParser(resolve_entities=False))
    return etree.tostring(root, encoding="unicode").replace("/>", " />")


def differences(expected: Any, ours: Any, path: str = "$") -> list[str]:
    """List where a description of ours says something else than a record."""
    if expected is None or ours is None:
        return [] if expected is None and ours is None else [f"{path}: {ours!a} instead of {expected!a}"]
    if expected["type"] in LIVE:
        return live_differences(expected, ours, path)
    is_secret = expected["type"] == "System.Security.SecureString"
    found = [
        f"{path}.{key}: {ours.get(key)!a} instead of {expected[key]!a}"
        for key in ("type", "names", "text", "kind", "absolute", "count", "order", "same_as")
        if key in expected and expected[key] != ours.get(key) and not (key == "text" and is_secret)
    ]
    if "names" not in expected and ours.get("names") and expected["type"] != ours["names"][0]:
        found.append(f"{path}.names: {ours['names']!a} instead of none")
    if expected.get("cut") or "same_as" in expected or found:
        return found
    for key in ("props", "items", "sets"):
        if key in expected or ours.get(key):
            found += list_differences(expected.get(key, []), ours.get(key, []), f"{path}.{key}")
    if "entries" in expected:
        found += entry_differences(expected, ours, path)
    return found


def live_differences(expected: Any, ours: Any, path: str) -> list[str]:
    """A live object's own .NET properties are not ours to know: compare what it is, and its text."""
    names = {name.removeprefix("Deserialized.") for name in ours.get("names", ())}
    if expected["type"] not in names:
        return [f"{path}: {sorted(names)!a} instead of {expected['type']}"]
    if "entries" in expected:
        return entry_differences(expected, ours, path)
    return [] if expected.get("text") in (ours.get("text"), None) else [f"{path}.text: {ours.get('text')!a}"]


def list_differences(expected: list[Any], ours: list[Any], path: str) -> list[str]:
    """Compare items, members or member sets in their order; members that PowerShell's type tables add do not count."""
    expected = [each for each in expected if not (each and each.get("kind") == "ScriptProperty")]
    if len(expected) != len(ours):
        return [f"{path}: {len(ours)} instead of {len(expected)}"]
    found = []
    for index, (want, have) in enumerate(zip(expected, ours, strict=True)):
        if want is None or "n" not in want:
            found += differences(want, have, f"{path}[{index}]")
        elif want["n"] != have["n"] or want.get("kind") != have.get("kind"):
            found.append(f"{path}[{index}]: {have['n']!a} ({have.get('kind')}) instead of {want['n']!a}")
        elif "members" in want:
            found += list_differences(want["members"], have["members"], f"{path}.{want['n']}")
        else:
            found += differences(want["v"], have["v"], f"{path}.{want['n']}")
    return found


def entry_differences(expected: Any, ours: Any, path: str) -> list[str]:
    """Compare entries; those of a Hashtable in any order, each with one of ours."""
    if expected.get("order") != "any":
        pairs = list(zip(expected["entries"], ours["entries"], strict=False))
    else:
        left = list(ours["entries"])
        pairs = []
        for want in expected["entries"]:
            fits = [have for have in left if not entry_pair_differences(want, have, path)]
            pairs.append((want, fits[0] if fits else left[0]))
            left.remove(pairs[-1][1])
    return [each for want, have in pairs for each in entry_pair_differences(want, have, path)]


def entry_pair_differences(want: Any, have: Any, path: str) -> list[str]:
    return [
        *differences(want["key"], have["key"], f"{path}{{key}}"),
        *differences(want["value"], have["value"], f"{path}{{value}}"),
    ]
