"""An object's type and properties as PowerShell lists them, and what it makes live again."""

from __future__ import annotations

from typing import Any

import pytest

from cauctl.errors import InputError
from cauctl.models.enums import SummaryStatus
from cauctl.models.results import CauNode, NodeResult
from cauctl.psobject import (
    MemberSet,
    PSDictionary,
    PSEnumerable,
    PSList,
    PSObject,
    PSQueue,
    PSStack,
    SecureString,
    array,
    custom_object,
    enum_value,
    ps_properties,
    write_clixml,
)
from cauctl.psobject.members import base_type
from cauctl.psobject.native import declared_value, powershell_value
from cauctl.psobject.typenames import full_name_for, shown_name

CORE = "System.Private.CoreLib, Version=10.0.0.0, Culture=neutral, PublicKeyToken=7cec85d7bea7798e"


def read(*names: str, **parts: Any) -> PSObject:
    return PSObject(parts.pop("base", None), type_names=names, deserialized=True, **parts)


def test_a_model_has_its_described_properties_in_order():
    result = NodeResult(CauNode("N1"), status=SummaryStatus.FAILED)
    assert [
        ("Node", CauNode("N1"), "Microsoft.ClusterAwareUpdating.CauNode"),
        ("Status", SummaryStatus.FAILED, "Microsoft.ClusterAwareUpdating.SummaryStatus"),
        ("ErrorRecordData", None, "Microsoft.ClusterAwareUpdating.ErrorRecordData"),
    ] == [tuple(each) for each in ps_properties(result)[:3]]


def test_notes_come_first_and_hide_what_dotnet_gives():
    """R35, R48: names are compared without case; member sets are no properties."""
    thing = PSObject(
        type_names=("T", "System.Object"),
        adapted={"A": 1, "B": None},
        extended={"a": 2, "N": None, "Set": MemberSet()},
        declared={"B": "System.String"},
    )
    assert [("a", 2, "System.Object"), ("N", None, "System.Object"), ("B", None, "System.String")] == [
        tuple(each) for each in ps_properties(thing)
    ]


def test_a_note_called_to_string_or_get_type_may_come_first():
    """R48a: where PowerShell keeps a text or properties of its own."""
    notes = {"a": 1, "GetType": 2, "ToString": 3}
    assert ["ToString", "GetType", "a"] == names(read("T", text="x", adapted={}, extended=notes))
    assert ["ToString", "a", "GetType"] == names(read("T", text="x", extended=notes))
    assert ["GetType", "a", "ToString"] == names(read("T", adapted={}, extended=notes))
    assert ["a", "GetType", "ToString"] == names(read("T", extended=notes))
    assert ["a", "GetType", "ToString"] == names(custom_object(notes))


def names(value: Any) -> list[str]:
    return [each.name for each in ps_properties(value)]


@pytest.mark.parametrize(
    ("expected", "parts"),
    [
        ("t", {"text": "t", "adapted": {}}),
        ("", {"text": ""}),
        ("", {}),
        ("-4", {"base": -4, "adapted": {}}),
        ("System.Collections.ArrayList", {"base": PSList()}),
        (None, {"adapted": {}}),
        (None, {"base": PSList(), "adapted": {}}),
        (None, {"text": "t", "extended": {"ToString": "x"}}),
    ],
)
def test_what_was_read_as_an_enum_shows_what_its_to_string_gives(expected, parts):
    """PowerShell's type table has a script property for it, whatever the object holds; it fails where there is none."""
    for names in (("My.Kind", "system.enum"), ("Deserialized.System.Enum",)):
        assert expected == {each.name: each.value for each in ps_properties(read(*names, **parts))}["Value"]


def test_the_text_of_an_enum_is_hidden_by_a_note_and_hides_a_property():
    hidden = read("E", "System.Enum", text="t", extended={"value": 1})
    assert [("value", 1)] == [(each.name, each.value) for each in ps_properties(hidden)]
    hiding = read("E", "System.Enum", text="t", adapted={"value": 1})
    assert [("Value", "t")] == [(each.name, each.value) for each in ps_properties(hiding)]


def test_an_enum_shows_its_number_live_and_its_text_read():
    day = enum_value("System.DayOfWeek", "Monday", 1)
    assert [("value__", 1)] == [(each.name, each.value) for each in ps_properties(day)]
    again = read("System.DayOfWeek", "System.Enum", base=1, text="Monday")
    assert [("Value", "Monday")] == [(each.name, each.value) for each in ps_properties(again)]


@pytest.mark.parametrize("value", [None, 5, "x", {"a": 1}.items()], ids=str)
def test_what_is_no_object_has_no_properties(value):
    assert [] == ps_properties(value)


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("System.Management.Automation.PSCustomObject", custom_object({"a": 1}, type_name="My.Type")),
        ("System.Management.Automation.PSCustomObject", PSObject()),
        ("System.Management.Automation.PSCustomObject", read("Some.Type", adapted={})),
        ("Some.Type", PSObject(type_names=("Some.Type", "System.Object"), adapted={})),
        ("System.Object[]", array([])),
        ("System.Collections.ArrayList", read("System.Object[]", base=PSList())),
        ("System.Collections.ArrayList", read("X", base=PSEnumerable())),
        ("System.Collections.Stack", read("X", base=PSStack())),
        ("System.Collections.Queue", read("X", base=PSQueue())),
        ("System.Collections.Hashtable", read("X", base=PSDictionary())),
        ("System.Collections.Specialized.OrderedDictionary", read("X", base=PSDictionary(ordered=True))),
        ("System.Int32", read("System.DayOfWeek", "System.Enum", base=1)),
        ("System.DayOfWeek", enum_value("System.DayOfWeek", "Monday", 1)),
        (
            "System.Collections.Generic.List`1[System.Int32]",
            PSObject(PSList(), type_names=(f"System.Collections.Generic.List`1[[System.Int32, {CORE}]]",)),
        ),
    ],
    ids=str,
)
def test_the_base_type_is_dotnets(expected, value):
    """R14, R47, R50."""
    assert expected == base_type(value)


@pytest.mark.parametrize(
    ("shown", "full"),
    [
        ("System.Int32", "System.Int32"),
        ("System.Int32[,]", "System.Int32[,]"),
        ("A`1[System.Int32]", f"A`1[[System.Int32, {CORE}]]"),
        ("A`1[System.Int32][]", f"A`1[[System.Int32, {CORE}]][]"),
        ("A`2[B,C`1[D[]]]", f"A`2[[B, {CORE}],[C`1[[D[], {CORE}]], {CORE}]]"),
        ("O`1+In[System.Int32]", f"O`1+In[[System.Int32, {CORE}]]"),
        ("A`1[System.Int32]", "A`1[System.Int32]"),
        ("A`1[[B", "A`1[[B"),
    ],
)
def test_a_full_name_is_shown_without_assemblies(shown, full):
    assert shown == shown_name(full)


def test_windows_powershell_has_another_core_library():
    assert "A`1[[B, mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089]]" == full_name_for(
        f"A`1[[B, {CORE}]]", windows_powershell=True
    )


# What PowerShell makes live again


def live(value: PSObject) -> tuple[str, str | None, dict[str, Any]]:
    held = powershell_value(value)
    shown = {each.name: each.value for each in ps_properties(held)}
    return base_type(held), held.text, shown


def test_a_mail_address_lives_again():
    assert (
        "System.Net.Mail.MailAddress",
        '"Bob" <bob@example.com>',
        {"DisplayName": "Bob", "User": "bob", "Host": "example.com", "Address": "bob@example.com"},
    ) == live(read("My.Own", "Deserialized.System.Net.Mail.MailAddress", text="Bob <bob@example.com>"))


def test_an_address_of_version_six_lives_again():
    name, text, shown = live(read("System.Net.IPAddress", text="fe80::1%3"))
    assert ("System.Net.IPAddress", "fe80::1%3", 3, None, True) == (
        *(name, text),
        *(shown[each] for each in ("ScopeId", "Address", "IsIPv6LinkLocal")),
    )


def test_a_credential_lives_again_and_keeps_its_secret():
    secret = SecureString("7000")
    held = read("System.Management.Automation.PSCredential", adapted={"UserName": "u", "Password": secret})
    assert {"UserName": "u", "Password": secret} == live(held)[2]
    assert "7000" not in repr(powershell_value(held))


@pytest.mark.parametrize(
    "value",
    [
        read("System.Net.IPAddress", text="no address"),
        read("System.Net.Mail.MailAddress", text="no address"),
        read("System.Net.Mail.MailAddress"),
        read("System.Globalization.CultureInfo"),
        read("System.Net.Mail.MailAddress", text=".a@example.com"),
        read("System.Net.Mail.MailAddress", text="a..b@example.com"),
        read("System.Management.Automation.SwitchParameter", adapted={"IsPresent": "x"}),
        read("System.Management.Automation.PSCredential"),
        read("System.Management.Automation.PSCredential", adapted={"UserName": "u"}),
        read("System.Management.Automation.PSCredential", adapted={"UserName": "u", "Password": None}),
        read("System.Management.Automation.PSCredential", adapted={"UserName": "u", "Password": "text"}),
        read("System.Management.Automation.PSPrimitiveDictionary", adapted={"a": 1}),
        read("System.Security.Cryptography.X509Certificates.X500DistinguishedName"),
    ],
    ids=str,
)
def test_what_does_not_make_an_object_stays_a_bag(value):
    assert powershell_value(value) is value


@pytest.mark.parametrize(
    ("name", "parts", "note"),
    [
        ("System.Net.IPAddress", {"text": "10.0.0.1"}, "address"),
        ("System.Net.Mail.MailAddress", {"text": "a@example.com"}, "Host"),
        ("System.Management.Automation.SwitchParameter", {"adapted": {"IsPresent": True}}, "toString"),
        ("System.Net.IPAddress", {"text": "10.0.0.1"}, "PSObject"),
    ],
)
def test_notes_stay_on_what_lives_again_but_for_names_that_it_has(name, parts, note):
    held = powershell_value(read(name, extended={"Note": 1, note: 2}, **parts))
    assert {"Note": 1} == held.extended


@pytest.mark.parametrize(
    ("shown", "given"),
    [
        (True, {"extended": {"IsPresent": True}}),
        (True, {"adapted": {"ispresent": read("System.Boolean", base=True)}}),
        (False, {"adapted": {"IsPresent": None}}),
    ],
)
def test_the_part_of_a_switch_may_be_a_note_boxed_or_null(shown, given):
    assert {"IsPresent": shown} == live(read("System.Management.Automation.SwitchParameter", **given))[2]


def test_a_credential_takes_its_parts_from_notes_and_its_name_as_text():
    secret = SecureString("7000")
    held = read("System.Management.Automation.PSCredential", extended={"UserName": 5, "Password": secret})
    assert {"UserName": "5", "Password": secret} == live(held)[2]


def test_a_credential_without_a_name_is_the_empty_one():
    held = read("System.Management.Automation.PSCredential", adapted={"UserName": None, "Password": None})
    assert {"UserName": None, "Password": None} == live(held)[2]


def test_only_certain_properties_of_a_culture_are_written_and_no_notes():
    """R38."""
    held = read("System.Globalization.CultureInfo", text="de-DE", adapted={"LCID": 7}, extended={"Note": 1})
    assert "Note" not in live(held)[2]


def test_an_address_of_version_six_is_shown_in_lower_case():
    assert "fe80::1" == live(read("System.Net.IPAddress", text="FE80::1"))[2]["IPAddressToString"]


def test_a_primitive_dictionary_without_entries_lives_again_as_an_empty_one():
    held = powershell_value(read("System.Management.Automation.PSPrimitiveDictionary", extended={"n": 1}))
    assert ("System.Management.Automation.PSPrimitiveDictionary", 0) == (base_type(held), len(held))


def test_a_primitive_dictionary_that_holds_itself_does_not_hang():
    held = read("System.Management.Automation.PSPrimitiveDictionary", base=PSDictionary())
    held.base.pairs.append(("k", held))
    assert "System.Management.Automation.PSPrimitiveDictionary" == base_type(held)


# Declared types


@pytest.mark.parametrize(
    ("expected", "value", "declared"),
    [
        ("<By>7</By>", 7, "System.Byte"),
        ("<U32>7</U32>", 7, "System.UInt32"),
        ("<I64>7</I64>", 7, f"System.Nullable`1[[System.Int64, {CORE}]]"),
        ("<I32>7</I32>", 7, "System.Object"),
        ("<D>7</D>", 7, "System.Decimal"),
        ("<Sg>0.1</Sg>", 0.1, "System.Single"),
        ("<C>120</C>", "x", "System.Char"),
        ("<Version>1.2</Version>", "1.2", "System.Version"),
        ("<G>00000000-0000-0000-0000-000000000001</G>", f"{1:032x}", "System.Guid"),
        ("<Nil />", None, "System.Byte"),
    ],
)
def test_a_declared_type_decides_what_a_value_is(expected, value, declared):
    assert expected in write_clixml([declared_value(value, declared)])


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (256, "System.Byte"),
        (1 << 31, "System.Int32"),
        (-1, "System.UInt64"),
        ("x", "System.Guid"),
        ("xy", "System.Char"),
    ],
)
def test_a_value_that_does_not_fit_its_declared_type_is_refused(value, declared):
    with pytest.raises(InputError, match=declared.replace(".", r"\.")):
        declared_value(value, declared)
