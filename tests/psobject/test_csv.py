"""ConvertTo-Csv is PowerShell's, to the byte: 440 recorded conversions of what was read, and those made here."""

from __future__ import annotations

import re
import warnings
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

import cmdlets
from cauctl.errors import InputError
from cauctl.psobject import (
    Char,
    ConversionError,
    CsvStyle,
    DateTime,
    DroppedPropertyWarning,
    PSObject,
    SecureString,
    Uri,
    XmlDocument,
    array,
    convert_to_csv,
    custom_object,
    hashtable,
    ordered_dictionary,
    read_clixml,
)
from tests.psobject.powershell_literals import UnreadableError, read_value
from tests.psobject.recorded_rows import document, rows

BERLIN = ZoneInfo("Europe/Berlin")
RECORDED = rows("formats/csv.jsonl")
READ = [row for row in RECORDED if row["input"] == "clixml"]
OPTIONS = re.compile(
    r"""-(Delimiter|UseQuotes|QuoteFields|NoHeader|IncludeTypeInformation)(?: ('.'|"`?.+?"|[A-Za-z]+))?"""
)
NAMES = {
    "Delimiter": "delimiter",
    "UseQuotes": "use_quotes",
    "QuoteFields": "quote_fields",
    "NoHeader": "no_header",
    "IncludeTypeInformation": "include_type_information",
}


def style(command: str, culture: str | None) -> CsvStyle:
    """The layout that a recorded command asks for."""
    given: dict[str, Any] = {}
    for option, text in OPTIONS.findall(command.partition("ConvertTo-Csv")[2]):
        value = {'"`t"': "\t"}.get(text, text.strip("\"'")) if text else True
        given[NAMES[option]] = (value,) if option == "QuoteFields" else value
    return CsvStyle(culture=culture, time_zone=BERLIN, **given)


def converted(records: Any, layout: CsvStyle) -> tuple[list[str], tuple[str, str] | None]:
    lines: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedPropertyWarning)
        try:
            lines.extend(convert_to_csv(records, style=layout))
        except ConversionError as error:
            return lines, (error.powershell_type, error.powershell_message)
    return lines, None


def recorded(row: dict[str, Any]) -> tuple[list[str], tuple[str, str] | None]:
    error = row.get("error")
    return row["output"], (error["type"], error["message"]) if error else None


@pytest.mark.parametrize("row", READ, ids=lambda row: row["name"])
def test_each_recorded_document_gives_the_recorded_lines(row):
    assert recorded(row) == converted(read_clixml(row["clixml"]), style(row["command"], row["culture"]))


def made(script: str) -> list[Any]:
    """The records that a recorded script passes on."""
    value = read_value(f"$o = {script}")
    return value if isinstance(value, list) else [value]


def is_readable(script: str) -> bool:
    try:
        made(script)
    except UnreadableError:
        return False
    return True


LIVE = [row for row in RECORDED if row["input"] == "live"]
NOT_READ = {
    "numbers": "BigInteger is not modelled",
    "dates": "AddTicks and DateTimeOffset",
    "strings-control": "texts with expressions",
    "error-record": "a live ErrorRecord is not modelled",
    "exception": "a live exception is not modelled",
    "net-filled": "a live class with containers",
    "default-display": "member sets",
    "script-property": "runs PowerShell",
    "alias-property": "runs PowerShell",
}
"""Objects whose scripts the reader of these tests does not understand."""


@pytest.mark.parametrize("row", [row for row in LIVE if row["object"] not in NOT_READ], ids=lambda row: row["name"])
def test_each_value_made_here_gives_the_recorded_lines(row):
    assert recorded(row) == converted(made(row["script"]), style(row["command"], row["culture"]))


def test_scripts_that_are_not_read_are_those_listed():
    assert set(NOT_READ) == {row["object"] for row in LIVE if not is_readable(row["script"])}


EXTRAS = [
    extra
    for extra in document("convertto-xml/extras.json")["extras"]
    if "| ConvertTo-Csv" in extra["script"]
    and extra["name"] != "csv two quote options"
    and is_readable(extra["script"].partition("| ConvertTo-Csv")[0])
]


@pytest.mark.parametrize("extra", EXTRAS, ids=lambda extra: extra["name"])
def test_each_one_off_text_is_reproduced(extra):
    """An error's record does not tell the lines before it."""
    script, _, options = extra["script"].partition("| ConvertTo-Csv")
    lines, failed = converted(made(script), style(f"ConvertTo-Csv{options}", None))
    error = extra["error"]
    if error is None:
        assert (extra["items"], None) == (lines, failed)
    else:
        assert (error["type"], error["message"]) == failed


def test_one_off_texts_are_enough():
    assert 18 <= len(EXTRAS)


def lines(records: Any, **options: Any) -> list[str]:
    return list(cmdlets.convert_to_csv(records, **options))


def test_the_first_type_name_makes_the_type_line():
    thing = custom_object({"a": 1}, type_name="My.Type")
    assert ["#TYPE My.Type", '"a"', '"1"'] == lines([thing], include_type_information=True)


def test_csv_in_front_of_a_type_name_is_cut():
    thing = custom_object({"a": 1}, type_name="CSV:My.Type")
    assert ["#TYPE My.Type", '"a"', '"1"'] == lines([thing], include_type_information=True)


def test_the_type_line_comes_unasked_in_windows_powershell():
    thing = custom_object({"a": 1})
    expected = ["#TYPE System.Management.Automation.PSCustomObject", '"a"', '"1"']
    assert expected == lines([thing], windows_powershell=True)
    assert expected[1:] == lines([thing], windows_powershell=True, no_type_information=True)


def test_the_cultures_list_separator_may_delimit():
    assert ['"a";"b"', '"1,5";"2"'] == lines([custom_object({"a": 1.5, "b": 2})], use_culture=True, culture="de-DE")


def test_a_list_with_a_note_is_wrapped_and_prints_its_items():
    held = array([1, 2, None, "x"])
    held.extended["n"] = 1
    assert ['"l"', '"1 2  x"'] == lines([custom_object({"l": held})])


def test_a_dictionary_has_its_keys_and_then_its_notes():
    held = ordered_dictionary([("x", 1), (7, 2)])
    held.extended["n"] = 5
    assert ['"x","7","n"', '"1",,"5"'] == lines([held])


def test_only_a_key_that_is_a_text_has_its_value_in_the_column():
    """PowerShell names the column of any key, and looks the value up by that name."""
    assert ['"x","y","7"', '"1",,'] == lines([ordered_dictionary([("x", 1), (Char("y"), 2), (7, 3)])])


def test_an_empty_line_is_left_out():
    assert ['"a"'] == lines([custom_object({"a": None})])


def test_no_records_give_no_lines():
    assert [] == lines([])


def test_what_later_records_have_besides_is_dropped_with_one_warning():
    records = [custom_object({"a": 1}), custom_object({"a": 2, "b": 3}), custom_object({"c": 4})]
    with pytest.warns(DroppedPropertyWarning, match="record 2 has a property 'b'") as caught:
        assert ['"a"', '"1"', '"2"'] == lines(records)
    assert 1 == len(caught)


def test_the_properties_of_a_bare_date_are_dotnets():
    header, row = lines([DateTime.from_ticks(637134734451234567)])
    assert (
        '"DateTime","Date","Day","DayOfWeek","DayOfYear","Hour","Kind","Millisecond","Microsecond","Nanosecond",'
        '"Minute","Month","Second","Ticks","TimeOfDay","Year"'
    ) == header
    assert (
        '"Wednesday, 01 January 2020 11:04:05","01/01/2020 00:00:00","1","Wednesday","1","11","Unspecified","123",'
        '"456","700","4","1","5","637134734451234567","11:04:05.1234567","2020"'
    ) == row


@pytest.mark.parametrize(
    ("expected", "culture"),
    [
        ("Donnerstag, 2. Januar 2020 15:04:05", "de-DE"),
        ("Thursday, January 2, 2020 3:04:05\u202fPM", "en-US"),
    ],
)
def test_a_bare_date_begins_with_its_long_date_in_the_culture(expected, culture):
    given = lines([DateTime.from_ticks(637135742450000000)], culture=culture, use_quotes="Never", delimiter=";")
    assert expected == given[1].partition(";")[0]


def test_a_long_date_of_another_culture_is_refused():
    with pytest.raises(InputError, match="long date, which is not known in culture fr-FR"):
        lines([DateTime.from_ticks(0)], culture="fr-FR")


def read(body: str) -> list[Any]:
    return read_clixml(f'<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04">{body}</Objs>')


def test_a_boxed_value_has_its_notes_and_then_what_dotnet_gives_it():
    boxed = '<Obj RefId="0"><S>abc</S><MS><S N="PSPath">p</S></MS></Obj>'
    assert ['"PSPath","Length"', '"p","3"'] == lines(read(boxed))
    assert ['"PSPath"', '"p"'] == lines(read(boxed.replace("<MS>", "<Props /><MS>")))


def test_a_note_hides_what_dotnet_gives_a_list():
    held = '<Obj RefId="0"><QUE /><MS><S N="count">many</S></MS></Obj>'
    expected = ['"count","IsSynchronized","SyncRoot"', '"many","False","System.Collections.Queue"']
    assert expected == lines(read(held))


def test_what_has_no_type_names_shows_its_dotnet_type():
    held = '<Obj RefId="0"><LST /><Props><I32 N="a">1</I32></Props></Obj>'
    assert "#TYPE System.Collections.ArrayList" == lines(read(held), include_type_information=True)[0]


def test_an_entry_stands_in_the_column_of_a_note_of_its_name():
    held = ordered_dictionary([("a", 1)])
    held.extended["A"] = 2
    assert ['"a","A"', '"1","1"'] == lines([held])


@pytest.mark.parametrize(
    ("expected", "value"),
    [("0 1 2", "<BA>AAEC</BA>"), ("#document", "<XD>&lt;a /&gt;</XD>"), ("t", "<ToString>t</ToString><LST />")],
)
def test_a_wrapped_value_prints_as_powershell_prints_what_it_wraps(expected, value):
    """R44: bytes are items, an XmlDocument its name; a stored text counts before all."""
    held = f'<Obj RefId="0"><MS><Obj N="v" RefId="1">{value}</Obj></MS></Obj>'
    assert ['"v"', f'"{expected}"'] == lines(read(held))


@pytest.mark.parametrize(
    ("options", "error_id"),
    [
        (
            {"use_quotes": "Always", "quote_fields": ["a"]},
            "CannotSpecifyQuoteFieldsAndUseQuotes",
        ),
        (
            {"include_type_information": True, "no_type_information": True},
            "CannotSpecifyIncludeTypeInformationAndNoTypeInformation",
        ),
        ({"delimiter": ";", "use_culture": True}, "InvalidArgument"),
        ({"delimiter": ""}, "InvalidArgument"),
        ({"delimiter": ";;"}, "InvalidArgument"),
        ({"use_quotes": "Sometimes"}, "InvalidArgument"),
        ({"culture": "xx-YY"}, "InvalidArgument"),
    ],
    ids=str,
)
def test_parameters_that_cannot_be_used_are_refused_at_once(options, error_id):
    with pytest.raises(InputError) as caught:
        cmdlets.convert_to_csv([], **options)
    assert error_id == caught.value.fully_qualified_error_id


def test_a_null_record_comes_too_late_to_take_back_the_lines_before_it():
    given = cmdlets.convert_to_csv([custom_object({"a": 1}), None])
    assert ['"a"', '"1"'] == [next(given), next(given)]
    with pytest.raises(ConversionError, match="record 2: Cannot bind argument") as caught:
        next(given)
    expected = "ParameterArgumentValidationErrorNullNotAllowed,Microsoft.PowerShell.Commands.ConvertToCsvCommand"
    assert expected == caught.value.fully_qualified_error_id


@pytest.mark.parametrize("value", [object(), 1 << 63, custom_object({"a": 1j}), {"a": object()}], ids=range(4))
def test_a_value_without_counterpart_is_refused_by_its_record(value):
    with pytest.raises(InputError, match=r"^record 2: "):
        list(cmdlets.convert_to_csv([custom_object({"a": 1}), value]))


def test_a_later_dictionary_fills_columns_called_like_its_properties():
    """What .NET gives it stands behind its entries and notes, and makes no column of its own."""
    first = custom_object({"Count": 0, "Keys": "k", "a": 2})
    assert [
        '"Count","Keys","a"',
        '"0","k","2"',
        '"1","System.Collections.Hashtable+KeyCollection","5"',
        '"9","System.Collections.Specialized.OrderedDictionary+OrderedDictionaryKeyValueCollection","6"',
    ] == lines([first, hashtable({"a": 5}), ordered_dictionary({"A": 6, "count": 9})])


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (['"Variant","Version"', '"0","12"'], UUID("01234567-89ab-cdef-0123-456789abcdef")),
        ("Date", DateTime(datetime(2026, 1, 2))),  # noqa: DTZ001  a clock time without zone
    ],
)
def test_what_powershell_adds_to_a_type_is_missing_under_another_name(expected, value):
    found = lines([PSObject(value, type_names=("Foo",), deserialized=True)])
    assert expected == found if isinstance(expected, list) else found[0].startswith('"Date","Day",')


@pytest.mark.parametrize("value", [Uri("http://a/b"), XmlDocument("<a />"), SecureString("7800")])
def test_a_record_whose_net_properties_are_not_known_is_refused(value):
    with pytest.raises(InputError, match=r"the \.NET properties of a System.* are not known here"):
        lines([value])
