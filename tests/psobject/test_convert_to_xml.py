"""What ConvertTo-Xml promises beyond the recorded rows: parameters, forms, models, failures, any value at all."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import cmdlets
from cauctl.errors import InputError
from cauctl.models.enums import ResultCode, SummaryStatus
from cauctl.models.results import CauNode, ClusterResult, NodeResult
from cauctl.models.updates import UpdateInstallResult
from cauctl.psobject import (
    Byte,
    Char,
    ConversionError,
    PSObject,
    array,
    convert_to_xml,
    custom_object,
    enum_value,
    hashtable,
    outer_xml,
    read_clixml,
    write_clixml,
)
from tests.psobject.clixml_graphs import graphs

BAG = "System.Management.Automation.PSCustomObject"
NOTE = "System.Management.Automation.PSNoteProperty"
WHEN = datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC)


def body(records: Any, **options: Any) -> str:
    """The ``Object`` elements without indentation."""
    text = outer_xml(convert_to_xml(records, **options))
    return text.partition("<Objects>")[2].removesuffix("</Objects>")


# Records and forms


@pytest.mark.parametrize(
    ("expected", "records"),
    [
        (0, []),
        (0, iter(())),
        (2, [1, 2]),
        (2, iter([1, 2])),
        (2, (each for each in (1, 2))),
        (1, (1, 2)),
        (1, [[1, 2]]),
        (1, None),
        (1, {"a": 1}),
        (1, {1, 2}),
        (1, array([1, 2])),
        (1, "text"),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else type(value).__name__,
)
def test_a_list_or_an_iterator_is_many_records_and_anything_else_is_one(expected, records):
    assert expected == len(list(convert_to_xml(records, as_="Stream"))) - 3


def test_the_three_forms_hold_the_same():
    """R2 to R4: String is indented below the root, Stream from the left, Document not at all."""
    things = [custom_object({"a": "x\ny", "b": ""}), None, 5]
    text = convert_to_xml(things, as_="String")
    assert (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        "<Objects>\n"
        f'  <Object Type="{BAG}">\n'
        '    <Property Name="a" Type="System.String">x\ny</Property>\n'
        '    <Property Name="b" Type="System.String"></Property>\n'
        "  </Object>\n"
        "  <Object />\n"
        '  <Object Type="System.Int32">5</Object>\n'
        "</Objects>"
    ) == text
    assert [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<Objects>",
        (
            f'<Object Type="{BAG}">\n  <Property Name="a" Type="System.String">x\ny</Property>\n'
            '  <Property Name="b" Type="System.String"></Property>\n</Object>'
        ),
        "<Object />",
        '<Object Type="System.Int32">5</Object>',
        "</Objects>",
    ] == list(convert_to_xml(things, as_="Stream"))
    assert (
        f'<?xml version="1.0" encoding="utf-8"?><Objects><Object Type="{BAG}"><Property Name="a" Type="System.String">'
        'x\ny</Property><Property Name="b" Type="System.String"></Property></Object><Object />'
        '<Object Type="System.Int32">5</Object></Objects>'
    ) == outer_xml(convert_to_xml(things))


@pytest.mark.parametrize("form", ["string", "STRING", "String"])
def test_the_form_is_found_in_any_case(form):
    assert isinstance(convert_to_xml(1, as_=form), str)


def test_a_stream_converts_while_it_is_read():
    """A million objects need no more memory than one."""

    def endless() -> Iterator[int]:
        yield 1
        raise RuntimeError("read too far")

    given = convert_to_xml(endless(), as_="Stream")
    assert '<Object Type="System.Int32">1</Object>' == [next(given) for _ in range(3)][2]


def test_a_document_is_an_element_tree():
    tree = convert_to_xml([custom_object({"a": 1, "b": None})])
    assert isinstance(tree, etree._ElementTree)
    assert [("a", "System.Int32", "1"), ("b", "System.Object", None)] == [
        (each.get("Name"), each.get("Type"), each.text) for each in tree.iterfind("Object/Property")
    ]


def test_the_cmdlet_is_the_same_function():
    assert cmdlets.convert_to_xml is convert_to_xml


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"depth": 0}, "depth"),
        ({"depth": -1}, "depth"),
        ({"depth": 1 << 31}, "depth"),
        ({"depth": "2"}, "depth"),
        ({"as_": "text"}, "as_"),
        ({"as_": None}, "as_"),
        ({"culture": "xx"}, "culture"),
        ({"culture": "de-DE", "windows_powershell": True}, "culture"),
        ({"culture": 5}, "culture"),
        ({"newline": "x"}, "newline"),
        ({"time_zone": "Europe/Berlin"}, "time_zone"),
    ],
    ids=str,
)
def test_a_parameter_that_cannot_be_used_is_refused_at_once(options, where):
    with pytest.raises(InputError) as caught:
        convert_to_xml([], **{"as_": "Stream", **options})
    assert where == caught.value.where


def test_windows_powershell_has_cr_lf_and_its_own_names():
    """Never run there: from its source and documentation."""
    declared = "System.Nullable`1[[System.Int32, System.Private.CoreLib, Version=10.0.0.0, Culture=neutral, "
    thing = PSObject(
        type_names=("T", "System.Object"),
        adapted={"n": None, "d": 1 / 3},
        declared={"n": f"{declared}PublicKeyToken=7cec85d7bea7798e]]"},
    )
    assert (
        '<?xml version="1.0" encoding="utf-8"?>\r\n<Objects>\r\n  <Object Type="T">\r\n'
        '    <Property Name="n" Type="System.Nullable`1[[System.Int32, mscorlib, Version=4.0.0.0, Culture=neutral, '
        'PublicKeyToken=b77a5c561934e089]]" />\r\n'
        '    <Property Name="d" Type="System.Double">0.333333333333333</Property>\r\n  </Object>\r\n</Objects>'
    ) == convert_to_xml([thing], as_="String", windows_powershell=True)


def test_windows_powershells_broken_nesting_of_two_notes_is_refused():
    nested = custom_object({"n": custom_object({"a": 1, "b": 2})})
    with pytest.raises(InputError, match=r"record 1: n\[0\]: Windows PowerShell 5\.1 nests the second note"):
        convert_to_xml([nested], as_="String", windows_powershell=True)


# Python's own values


class Plain(Enum):
    """An enum that nobody describes as .NET's."""

    A = "text"


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("<Object />", None),
        ('<Object Type="System.Boolean">True</Object>', True),
        ('<Object Type="System.Int32">5</Object>', 5),
        ('<Object Type="System.Int64">2147483648</Object>', 1 << 31),
        ('<Object Type="System.Int64">-2147483649</Object>', -(1 << 31) - 1),
        ('<Object Type="System.Double">1.5</Object>', 1.5),
        ('<Object Type="System.Double">NaN</Object>', math.nan),
        ('<Object Type="System.Decimal">1.10</Object>', Decimal("1.10")),
        ('<Object Type="System.Decimal">1000</Object>', Decimal("1E+3")),
        ('<Object Type="System.String">x</Object>', "x"),
        ('<Object Type="System.Byte[]">System.Byte[]</Object>', bytearray(b"x")),
        ('<Object Type="System.DateTime">11/22/2026 15:04:05</Object>', WHEN.replace(tzinfo=None)),
        ('<Object Type="System.DateTime">11/22/2026 15:04:05</Object>', WHEN),
        (
            '<Object Type="System.DateTime">11/22/2026 13:04:05</Object>',
            WHEN.replace(tzinfo=timezone(timedelta(hours=2))),
        ),
        ('<Object Type="System.DateTime">11/22/2026 00:00:00</Object>', date(2026, 11, 22)),
        ('<Object Type="System.TimeSpan">15:04:05.0000070</Object>', time(15, 4, 5, 7)),
        ('<Object Type="System.TimeSpan">-00:00:00.0000010</Object>', timedelta(microseconds=-1)),
        ('<Object Type="System.Guid">00000000-0000-0000-0000-000000000001</Object>', UUID(int=1)),
        ('<Object Type="System.String">text</Object>', Plain.A),
        ('<Object Type="System.Byte">7</Object>', Byte(7)),
        ('<Object Type="System.Char">&lt;</Object>', Char("<")),
        ('<Object Type="System.Object[]"><Property Type="System.Int32">1</Property><Property /></Object>', (1, None)),
        ('<Object Type="System.Object[]" />', set()),
        ('<Object Type="System.Object[]"><Property Type="System.Int32">0</Property></Object>', range(1)),
        (
            (
                '<Object Type="System.Collections.Specialized.OrderedDictionary">'
                '<Property Name="Key" Type="System.String">k</Property><Property Name="Value" /></Object>'
            ),
            {"k": None},
        ),
    ],
    ids=str,
)
def test_pythons_values_print_as_what_they_stand_for(expected, value):
    assert expected == body([value])


@pytest.mark.parametrize("value", [1 << 63, object(), 1j, Ellipsis, print, Exception("x"), Decimal("NaN"), InputError])
def test_a_value_without_counterpart_is_refused_by_its_place(value):
    with pytest.raises(InputError, match=r"^record 2: a\.\[1\]|^record 2: a\[1\]"):
        convert_to_xml([1, custom_object({"a": [1, value]})], as_="String")


# Models


UPDATE = UpdateInstallResult(
    "N1",
    update_id="e1af",
    update_title="<KB1>",
    update_result_code=ResultCode.FAILED,
    error_code=-2145124318,
    update_timestamp=WHEN,
)


def test_a_model_prints_as_a_dotnet_object():
    """Notes would make ConvertTo-Xml fail on the first null (R45); a null prints its declared type."""
    name = "Microsoft.ClusterAwareUpdating"
    assert (
        f'<Object Type="{name}.UpdateInstallResult">'
        f'<Property Name="UpdateResultCode" Type="{name}.ResultCode">Failed</Property>'
        '<Property Name="ErrorCode" Type="System.Int32">-2145124318</Property>'
        '<Property Name="RebootRequired" Type="System.Boolean">False</Property>'
        '<Property Name="LongRebootHint" Type="System.Boolean">False</Property>'
        '<Property Name="UpdateTimestamp" Type="System.DateTime">11/22/2026 15:04:05</Property>'
        '<Property Name="NodeName" Type="System.String">N1</Property>'
        '<Property Name="UpdateId" Type="System.String">e1af</Property>'
        '<Property Name="UpdateTitle" Type="System.String">&lt;KB1&gt;</Property>'
        '<Property Name="UpdateDescription" Type="System.String" />'
        '<Property Name="SourcePlugin" Type="System.String">Microsoft.WindowsUpdatePlugin</Property></Object>'
    ) == body([UPDATE])


def test_models_within_models_print_their_text_at_the_limit():
    result = ClusterResult(
        "C",
        run_id=UUID(int=1),
        start_timestamp=WHEN,
        run_duration=timedelta(minutes=3),
        status=SummaryStatus.PARTIALLY_FAILED,
        node_results=(NodeResult(CauNode("N1"), status=SummaryStatus.FAILED, install_results=(UPDATE,)),),
    )
    name = "Microsoft.ClusterAwareUpdating"
    shallow, deep = body([result]), body([result], depth=3)
    assert (
        f'<Property Name="NodeResults" Type="{name}.NodeResult[]">'
        f'<Property Type="{name}.NodeResult">N1: Failed</Property>'
    ) in shallow
    assert f'<Property Name="Status" Type="{name}.SummaryStatus">PartiallyFailed</Property>' in shallow
    assert (
        f'<Property Name="Status" Type="{name}.SummaryStatus"><Property Name="value__" Type="System.Int32">1</Property>'
    ) in deep
    assert f'<Property Name="Node" Type="{name}.CauNode"><Property Name="NodeName" Type="System.String">N1<' in deep
    assert f'<Property Name="ErrorRecordData" Type="{name}.ErrorRecordData" />' in deep


def test_an_object_met_again_at_the_limit_takes_the_wrapper():
    """R46: once PowerShell has listed an object's members, it has members of its own."""
    node = CauNode("N1")
    result = NodeResult(node, status=SummaryStatus.SUCCEEDED)
    name = "Microsoft.ClusterAwareUpdating"
    assert f'<Property Name="Node" Type="{name}.CauNode">N1</Property>' in body([result, node])
    again = f'<Property Name="Node" Type="{name}.CauNode"><Property Type="System.String">N1</Property></Property>'
    assert again in body([node, result])
    assert again not in body([result])


# Where PowerShell fails


def test_a_null_note_at_the_limit_fails_as_in_powershell():
    with pytest.raises(ConversionError, match=r"^record 1: a\[0\]\.b: .*\(R45\)") as caught:
        convert_to_xml([custom_object({"a": [custom_object({"b": None})]})], as_="String")
    assert (
        "System.NullReferenceException,Microsoft.PowerShell.Commands.ConvertToXmlCommand",
        "Object reference not set to an instance of an object.",
    ) == (caught.value.fully_qualified_error_id, caught.value.powershell_message)


def test_a_null_note_at_the_limit_may_be_written_as_an_empty_element():
    nested = custom_object({"n": custom_object({"a": None, "b": 1})})
    assert (
        f'<Property Name="n" Type="{BAG}"><Property Type="System.String">@{{a=; b=1}}</Property>'
        f'<Property Name="a" Type="{NOTE}" /><Property Name="b" Type="{NOTE}">1</Property></Property>'
    ) in body([nested], null_notes=True)


def test_forbidden_characters_fail_as_in_powershell():
    with pytest.raises(ConversionError, match=r"^record 1: a: '\x1b', hexadecimal value 0x1B") as caught:
        convert_to_xml([custom_object({"a": "\x1b"})], as_="String")
    assert (
        "System.ArgumentException,Microsoft.PowerShell.Commands.ConvertToXmlCommand"
        == caught.value.fully_qualified_error_id
    )


def test_a_forbidden_character_is_named_by_its_property_in_any_row():
    records = [custom_object({"a": "x", "b": text}) for text in ("x", "y", "z", "\x01")]
    with pytest.raises(ConversionError, match=r"^record 4: b: '\x01'"):
        convert_to_xml(records, as_="String")


@pytest.mark.parametrize("form", ["String", "Document"])
def test_a_failure_comes_before_anything_is_given_out(form):
    with pytest.raises(ConversionError, match=r"^record 2"):
        convert_to_xml(["a", "\x01", "b"], as_=form)


def test_a_failure_in_a_stream_comes_after_the_records_before_it():
    """R52: the end of the root element never comes."""
    said: list[str] = []
    with pytest.raises(ConversionError, match=r"^record 2"):
        said.extend(convert_to_xml(["a", "\x01", "b"], as_="Stream"))
    assert ['<?xml version="1.0" encoding="utf-8"?>', "<Objects>", '<Object Type="System.String">a</Object>'] == said


def looped_list() -> Any:
    held: list[Any] = [1]
    held.append(held)
    return held


def looped_dictionary() -> Any:
    held = hashtable()
    held.base.pairs.append(("k", [held]))
    return held


def looped_bag() -> Any:
    held = custom_object()
    held["self"] = held
    return held


@pytest.mark.parametrize(
    ("said", "value", "depth"),
    [
        (r"record 1: \[1\]: the value holds itself", looped_list(), 1),
        (r"record 1: Value\[0\]: the value holds itself", looped_dictionary(), 1),
        ("nested deeper than 1000", looped_bag(), 2147483647),
    ],
    ids=["list", "dictionary", "bag"],
)
def test_a_value_that_holds_itself_is_refused_where_powershell_dies(said, value, depth):
    """R51: the process ends with a stack overflow there."""
    with pytest.raises(InputError, match=said):
        convert_to_xml([value], as_="String", depth=depth)


def test_depth_ends_a_cycle_of_objects():
    assert 3 == convert_to_xml([looped_bag()], as_="String", depth=3, null_notes=True).count('Type="System.Man') - 2


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_deep_nesting_needs_no_deep_stack():
    """999 lists are written; more are refused long before they would fill the memory with indentation."""
    assert convert_to_xml([nested(999)], as_="Document").getroot() is not None
    with pytest.raises(InputError, match="nested deeper than 1000 elements"):
        convert_to_xml([nested(100_000)], as_="String")


@pytest.mark.skipif(sys.platform == "win32", reason="needs the memory of a build machine")
def test_a_text_of_fifty_megabytes_is_written():
    text = convert_to_xml(["x" * 50_000_000], as_="String")
    assert 50_000_000 < len(text) < 50_000_200


# All values


@given(graphs(), st.integers(1, 4), st.booleans())
def test_the_forms_agree_on_any_value(meant, depth, no_types):
    """String, Stream and Document hold the same elements, or fail with the same error."""

    def form(as_: str) -> Any:
        try:
            given = convert_to_xml([meant.value], as_=as_, depth=depth, no_type_information=no_types)
            root = given.getroot() if as_ == "Document" else etree.fromstring("".join(given).encode())
        except InputError as error:
            return str(error)
        return elements(root)

    assert form("String") == form("Stream")
    assert form("String") == form("Document")


def elements(element: Any) -> Any:
    """Tag, attributes, text and children, without what is blank."""
    text = element.text if element.text and element.text.strip(" \t\r\n") else None
    return element.tag, dict(element.attrib), text, [elements(child) for child in element]


@pytest.mark.parametrize(
    "values",
    [
        (1, 1 << 31, -1),
        (WHEN, WHEN.replace(tzinfo=None), WHEN),
        (read_clixml(write_clixml([enum_value("T", "A", 1)]))[0], enum_value("T", "A", 1), 5),
        ("x", "", "<"),
        (None, None, "x"),
        (timedelta(1), time(1), date(2026, 1, 1)),
    ],
    ids=str,
)
def test_a_template_is_not_used_for_what_it_does_not_fit(values):
    """Values of one shape that print with other types; each record alone is the truth."""
    records = [custom_object({"p%s": value, "q": 1}) for value in values * 3]
    expected = [list(convert_to_xml([record], as_="Stream"))[2] for record in records]
    assert expected == list(convert_to_xml(records, as_="Stream"))[2:-1]


@given(graphs(), st.integers(1, 3), st.sampled_from([None, "sv-SE", "en-US"]))
def test_a_template_gives_what_the_long_way_gives(meant, depth, culture):
    """Three like records print the same, whatever was learnt in between.

    They are objects of their own: one that comes again may print otherwise, an empty object within it for one (R46).
    """
    text = write_clixml([meant.value])
    values = [read_clixml(text)[0] for _ in range(3)]
    options: dict[str, Any] = {"as_": "Stream", "depth": depth, "culture": culture}
    try:
        one = list(convert_to_xml(values[:1], **options))[2]
    except InputError:
        return
    assert [one, one, one] == list(convert_to_xml(values, **options))[2:5]


@pytest.mark.parametrize("culture", ["sv-SE", "de-DE", "ar-EG"])
def test_a_template_prints_in_the_culture(culture):
    records = [custom_object({"i": -5, "d": -1.5, "t": WHEN, "m": Decimal("-0.5")}) for _ in range(3)]
    one = list(convert_to_xml(records[:1], as_="Stream", culture=culture))[2]
    assert [one, one, one] == list(convert_to_xml(records, as_="Stream", culture=culture))[2:5]


def multiplied(levels: int) -> Any:
    """Each level holds the one below ten times."""
    value: Any = ["x"]
    for _ in range(levels):
        value = array([value] * 10)
    return value


def test_references_that_multiply_are_refused_in_bounded_time():
    """A document of 2 KB may stand for 10^40 elements; PowerShell would go on for ever."""
    with pytest.raises(InputError, match=r"would be written as more than 250000 elements"):
        convert_to_xml([multiplied(8)], as_="String")


def test_what_is_large_without_repeating_itself_is_written():
    assert 300_002 == convert_to_xml([[0] * 300_000], as_="String").count("</")


# What was read


def read(inside: str) -> Any:
    body = f'<Obj RefId="0"><MS><Obj N="p" RefId="1">{inside}</Obj></MS></Obj>'
    return read_clixml(f'<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04">{body}</Objs>')


def names(*given: str) -> str:
    return f'<TN RefId="0">{"".join(f"<T>{name}</T>" for name in given)}</TN>'


@pytest.mark.parametrize(
    ("expected", "inside"),
    [
        ("", ""),
        ("@{Value=System.Management.Automation.PSScriptProperty}", "<Props />"),
        ("@{a=1; Value=System.Management.Automation.PSScriptProperty}", '<MS><I32 N="a">1</I32></MS>'),
        ("Red", '<ToString>Red</ToString><MS><I32 N="a">1</I32></MS>'),
    ],
)
def test_the_script_property_of_an_enum_is_not_run_in_the_text_of_an_object(expected, inside):
    """R44."""
    assert f">{expected}</Property>" in body(read(names("My.Kind", "System.Enum") + inside))


@pytest.mark.parametrize(
    ("levels", "name"),
    [(1, "Microsoft.PowerShell.Commands.Internal.Format.FormatInfoData"), (2, "System.Management.ManagementEventArgs")],
)
def test_some_types_keep_a_depth_of_their_own_after_reading(levels, name):
    """R38."""
    inner = '<Props><Obj N="c" RefId="4"><Props><I32 N="d">1</I32></Props></Obj></Props>'
    middle = f'<Props><Obj N="b" RefId="3">{inner}</Obj></Props>'
    held = read(f'{names(name)}<Props><Obj N="a" RefId="2">{middle}</Obj></Props>')
    for depth in (2, 5):
        assert levels == body(held, depth=depth).count("Property Name=") - 1


def test_a_bag_that_did_not_become_a_live_object_is_a_wrapper_at_the_limit():
    """R46: PowerShell has looked at its members."""
    held = read(names("System.Net.Mail.MailAddress"))
    wrapper = '<Property Type="System.String"></Property>'
    assert f'<Property Name="p" Type="{BAG}">{wrapper}</Property>' in body(held)


def test_a_live_object_with_a_note_is_a_wrapper_at_the_limit():
    held = read(f'{names("System.Net.IPAddress")}<ToString>10.0.0.1</ToString><MS><I32 N="n">1</I32></MS>')
    text = '<Property Type="System.String">10.0.0.1</Property>'
    assert f'{text}<Property Name="n" Type="{NOTE}">1</Property>' in body(held)
