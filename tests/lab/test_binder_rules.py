"""Rules of the parameter binder, each by a small command of its own."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauctl.lab.binder.bind import Binding
from cauctl.lab.binder.errors import BindingError
from cauctl.lab.binder.instants import parse_date, parse_duration
from cauctl.lab.binder.metadata import (
    ALL_SETS,
    CommandMetadata,
    ParameterMetadata,
    SetAttributes,
    Validation,
    command_metadata,
    command_names,
)
from cauctl.lab.binder.numerals import to_double, to_integer
from cauctl.lab.runspace.requests import Argument
from cauctl.psobject import (
    Char,
    DateTime,
    Int64,
    Kind,
    PSList,
    PSObject,
    TimeSpan,
    UInt32,
    Version,
    custom_object,
    enum_value,
    hashtable,
)


def day(*parts: int) -> datetime:
    """A clock time, which has no zone."""
    return datetime(*parts)  # noqa: DTZ001  as the docstring says


INT32 = (-(1 << 31), (1 << 31) - 1)
STRING, SWITCH = "System.String", "System.Management.Automation.SwitchParameter"
NOON = day(2026, 11, 22, 12)


def parameter(name: str, kind: str = STRING, *, sets: dict[str, dict] | None = None, **facts) -> ParameterMetadata:
    attributes = tuple(SetAttributes(key, **value) for key, value in (sets or {ALL_SETS: {}}).items())
    return ParameterMetadata(name, kind, sets=attributes, **facts)


def command(*parameters: ParameterMetadata, compiled: bool = True, **facts) -> CommandMetadata:
    return CommandMetadata.create("Test-Thing", parameters, compiled=compiled, error_class="Test.Class", **facts)


def bind(metadata: CommandMetadata, *positional, **named) -> Binding:
    arguments = [Argument(name, value) for name, value in named.items()]
    return Binding(metadata, [*arguments, *(Argument(None, value) for value in positional)], expects_input=False)


def refused(metadata: CommandMetadata, *positional, **named) -> str:
    with pytest.raises(BindingError) as error:
        bind(metadata, *positional, **named)
    return error.value.error_id


NAMES = command(
    parameter("Name", aliases=("Id", "cn")), parameter("NameSpace"), parameter("Force", SWITCH, aliases=("fo",))
)


def test_an_exact_name_wins_over_prefixes():
    assert {"Name": "x"} == bind(NAMES, NAME="x").parameters


def test_an_alias_and_its_prefix_are_taken():
    assert {"Name": "x"} == bind(NAMES, id="x").parameters
    assert {"Name": "x"} == bind(NAMES, c="x").parameters


def test_a_prefix_of_several_is_ambiguous():
    assert "AmbiguousParameter" == refused(NAMES, na="x")


def test_a_prefix_prefers_the_commands_own_parameter_over_a_common_one():
    metadata = command(parameter("Verb"))
    assert {"Verb": "x"} == bind(metadata, ver="x").parameters


def test_a_name_and_its_alias_are_one_parameter():
    assert "ParameterAlreadyBound" == refused(NAMES, Name="x", Id="y")


def test_an_unknown_name():
    assert "NamedParameterNotFound" == refused(NAMES, Nonsense=1)


def test_a_bad_value_hides_an_unknown_name():
    metadata = command(parameter("Count", "System.Int32"))
    assert "CannotConvertArgumentNoMessage" == refused(metadata, Nonsense=1, Count="many")


def test_a_name_without_value_takes_the_next_argument():
    arguments = [Argument("Name", valueless=True), Argument(None, "x"), Argument("Force", valueless=True)]
    assert {"Name": "x", "Force": True} == Binding(NAMES, arguments, expects_input=False).parameters


def test_a_name_without_value_at_the_end():
    with pytest.raises(BindingError) as error:
        Binding(NAMES, [Argument("Name", valueless=True)], expects_input=False)
    assert "MissingArgument" == error.value.error_id


SETS = command(
    parameter("One", sets={"A": {"mandatory": True, "position": 0}}),
    parameter("Two", sets={"B": {"mandatory": True, "position": 0}, "C": {}}),
    parameter("Flag", SWITCH, sets={"C": {"mandatory": True}}),
    parameter("Both"),
    default_set="A",
)


def test_each_set_is_chosen_by_its_parameters():
    assert ["A", "B", "C"] == [
        bind(SETS, One="x").parameter_set,
        bind(SETS, Two="x").parameter_set,
        bind(SETS, Two="x", Flag=True).parameter_set,
    ]


def test_sets_exclude_each_other():
    assert "AmbiguousParameterSet" == refused(SETS, One="x", Two="y")


def test_a_false_switch_selects_its_set_all_the_same():
    assert "C" == bind(SETS, Two="x", Flag=False).parameter_set


def test_a_missing_mandatory_parameter_of_the_default_set():
    assert "MissingMandatoryParameter" == refused(SETS, Both="x")


def test_without_default_and_choice_the_call_is_ambiguous():
    metadata = command(parameter("One", sets={"A": {}}), parameter("Two", sets={"B": {}}))
    assert "AmbiguousParameterSet" == refused(metadata)


def test_a_position_goes_to_the_default_set():
    assert {"One": "x"} == bind(SETS, "x").parameters


def test_what_is_left_over():
    assert "PositionalParameterNotFound" == refused(SETS, "x", "y")


def test_remaining_arguments_go_to_their_parameter():
    """It is asked last, whatever its position."""
    metadata = command(
        parameter("Rest", "System.Object[]", sets={ALL_SETS: {"position": 0, "remaining": True}}),
        parameter("Two", sets={ALL_SETS: {"position": 1}}),
    )
    assert {"Two": "a", "Rest": ["b", "c"]} == bind(metadata, "a", "b", "c").parameters


PIPED = command(
    parameter("InputObject", "Thing", sets={"Object": {"mandatory": True, "by_value": True}}, type_name="Thing"),
    parameter("Name", sets={"Name": {"by_property_name": True}}, aliases=("Label",)),
    parameter("Count", "System.Int32", sets={ALL_SETS: {"by_property_name": True}}),
    default_set="Name",
)


def bound_object(value, metadata=PIPED, **named) -> tuple[str, dict]:
    arguments = [Argument(name, item) for name, item in named.items()]
    binding = Binding(metadata, arguments, expects_input=True)
    binding.bind_object(value)
    return binding.parameter_set, dict(binding.parameters)


def test_by_value_with_the_right_type():
    thing = PSObject(type_names=("Thing", "System.Object"), adapted={})
    assert ("Object", {"InputObject": thing}) == bound_object(thing)


def test_a_default_set_that_waits_for_a_property_takes_no_other_object():
    """As the real engine: it latches on to the default set before the object is seen."""
    metadata = command(
        parameter("InputObject", "System.Version", sets={"Object": {"mandatory": True, "by_value": True}}),
        parameter("Name", sets={"Name": {"mandatory": True, "by_property_name": True}}),
        default_set="Name",
    )
    with pytest.raises(BindingError) as error:
        bound_object(Version((1, 2)), metadata)
    assert "InputObjectNotBound" == error.value.error_id
    assert ("Name", {"Name": "x"}) == bound_object(custom_object({"Name": "x"}), metadata)


def test_by_property_name_and_by_the_name_of_an_alias():
    assert ("Name", {"Name": "x", "Count": 3}) == bound_object(custom_object({"name": "x", "Count": "3"}))
    assert ("Name", {"Name": "x"}) == bound_object(custom_object({"LABEL": "x"}))


def test_each_object_starts_anew():
    binding = Binding(PIPED, [], expects_input=True)
    binding.bind_object(custom_object({"Name": "x", "Count": 1}))
    binding.bind_object(custom_object({"Name": "y"}))
    assert {"Name": "y"} == binding.parameters


def test_an_object_that_fits_nothing():
    with pytest.raises(BindingError) as error:
        bound_object(custom_object({"Other": 1}))
    assert "InputObjectNotBound" == error.value.error_id


def test_a_command_line_value_is_not_bound_again():
    assert ("Name", {"Name": "line", "Count": 2}) == bound_object(custom_object({"Name": "x", "Count": 2}), Name="line")


def test_an_object_that_leaves_a_mandatory_parameter_open():
    metadata = command(
        parameter("Name", sets={ALL_SETS: {"mandatory": True, "by_property_name": True}}),
        parameter("Path", sets={ALL_SETS: {"mandatory": True, "by_property_name": True}}),
    )
    with pytest.raises(BindingError) as error:
        bound_object(custom_object({"Name": "x"}), metadata)
    assert ("InputObjectMissingMandatory", "Path") == (error.value.error_id, error.value.parameter)


def converted(kind: str, value, *, compiled: bool = True):
    return bind(command(parameter("X", kind), compiled=compiled), X=value).parameters["X"]


def not_converted(kind: str, value, *, compiled: bool = True) -> str:
    return refused(command(parameter("X", kind), compiled=compiled), X=value)


WIRE_LIST = PSObject(PSList(["a", "b"]), type_names=("System.Object[]",), deserialized=True)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("System.Int32", "0x10", 16),
        ("System.Int32", True, 1),
        ("System.Int32", Char("a"), 97),
        ("System.Int32", Decimal("2.5"), 2),
        ("System.UInt32", 7, UInt32(7)),
        ("System.String[]", "x", ["x"]),
        ("System.String[]", WIRE_LIST, ["a", "b"]),
        (STRING, 5, "5"),
        (STRING, TimeSpan(600_000_000), "00:01:00"),
        ("System.TimeSpan", 90, TimeSpan(90)),
        ("System.TimeSpan", "90", TimeSpan(90 * 864_000_000_000)),
        ("System.DateTime", "2024-03-01", DateTime(day(2024, 3, 1))),
        ("System.Guid", "{00000000-0000-0000-0000-000000000001}", uuid.UUID(int=1)),
        ("System.Version", "1.2.3", Version((1, 2, 3))),
        ("System.DayOfWeek", "tue", "Tuesday"),
        ("System.DayOfWeek", 2, "Tuesday"),
        ("System.DayOfWeek", enum_value("System.DayOfWeek", "Friday", 5), "Friday"),
        ("System.DayOfWeek[]", ["Monday", 2], ["Monday", "Tuesday"]),
    ],
)
def test_both_forms_convert(kind, value, expected):
    assert expected == converted(kind, value) == converted(kind, value, compiled=False)


@pytest.mark.parametrize(
    ("kind", "value", "cmdlet_id"),
    [
        ("System.Int32", "many", "CannotConvertArgumentNoMessage"),
        ("System.Int32", 1 << 40, "CannotConvertArgumentNoMessage"),
        ("System.Int32", [1], "CannotConvertArgument"),
        (SWITCH, "true", "CannotConvertArgument"),
        ("System.TimeSpan", "PT1H", "CannotConvertArgumentNoMessage"),
        ("System.DateTime", "tomorrow", "CannotConvertArgumentNoMessage"),
        ("System.DateTime", None, "ParameterBindingFailed"),
        ("System.DayOfWeek", "T", "CannotConvertArgumentNoMessage"),
        ("System.DayOfWeek", True, "CannotConvertArgumentNoMessage"),
        ("System.DayOfWeek", "9", "CannotConvertArgumentNoMessage"),
        ("System.Collections.Hashtable", "x", "CannotConvertArgumentNoMessage"),
    ],
)
def test_both_forms_refuse_each_in_its_way(kind, value, cmdlet_id):
    assert (cmdlet_id, "ParameterArgumentTransformationError") == (
        not_converted(kind, value),
        not_converted(kind, value, compiled=False),
    )


@pytest.mark.parametrize(
    ("kind", "value", "cmdlet", "function"),
    [
        (STRING, None, None, ""),
        (SWITCH, None, True, False),
        (SWITCH, 0, False, "ParameterArgumentTransformationError"),
        ("System.Int32", None, "ParameterBindingFailed", 0),
        (STRING, WIRE_LIST, "CannotConvertArgument", "a b"),
        (
            "System.Boolean",
            None,
            "ParameterArgumentValidationErrorNullNotAllowed",
            "ParameterArgumentTransformationError",
        ),
    ],
)
def test_where_the_forms_differ(kind, value, cmdlet, function):
    found = []
    for compiled in (True, False):
        try:
            found.append(converted(kind, value, compiled=compiled))
        except BindingError as error:
            found.append(error.error_id)
    assert [cmdlet, function] == found


def test_a_string_collection_takes_texts_only():
    """It knows no element type, so nothing is converted for it."""
    kind = "System.Collections.Specialized.StringCollection"
    assert ["a"] == converted(kind, "a")
    assert "CannotConvertArgument" == not_converted(kind, 5)


def test_a_type_name_is_required():
    metadata = command(parameter("X", "Microsoft.Management.Infrastructure.CimInstance"))
    bag = PSObject(type_names=("Microsoft.Management.Infrastructure.CimInstance",), deserialized=True)
    assert "MismatchedPSTypeName" == refused(metadata, X=bag)


def refused_value(value, *rules: Validation, kind: str = STRING, mandatory: bool = False) -> str:
    sets = {ALL_SETS: {"mandatory": mandatory}}
    return refused(command(parameter("X", kind, sets=sets, validate=rules)), X=value)


@pytest.mark.parametrize(
    ("value", "rule", "kind"),
    [
        ("", Validation("NotNullOrEmpty"), STRING),
        ([], Validation("NotNullOrEmpty"), "System.String[]"),
        (None, Validation("NotNull"), "System.String[]"),
        (hashtable(), Validation("NotNullOrEmpty"), "System.Collections.Hashtable"),
        ("c", Validation("Set", values=("A", "B")), STRING),
        (11, Validation("Range", minimum=1, maximum=10), "System.Int32"),
    ],
)
def test_attributes(value, rule, kind):
    assert "ParameterArgumentValidationError" == refused_value(value, rule, kind=kind)


def test_a_set_has_no_case():
    rule = Validation("Set", values=("Alpha",))
    assert {"X": "ALPHA"} == bind(command(parameter("X", validate=(rule,))), X="ALPHA").parameters


@pytest.mark.parametrize(
    ("value", "kind", "suffix"),
    [
        ("", STRING, "EmptyStringNotAllowed"),
        (None, STRING, "NullNotAllowed"),
        ([], "System.String[]", "EmptyArrayNotAllowed"),
        (["a", ""], "System.String[]", "EmptyStringNotAllowed"),
    ],
)
def test_mandatory_parameters_refuse_what_is_empty(value, kind, suffix):
    assert f"ParameterArgumentValidationError{suffix}" == refused_value(value, kind=kind, mandatory=True)


def test_an_allowance_lifts_that():
    sets = {ALL_SETS: {"mandatory": True}}
    metadata = command(parameter("X", sets=sets, validate=(Validation("AllowEmptyString"),)))
    assert {"X": ""} == bind(metadata, X="").parameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2,4", 24),
        ("3.5", 4),
        ("1e1", 10),
        ("1kb", 1024),
        ("0xFFFFFFFF", -1),
        (" 7 ", 7),
        ("", 0),
        ("#10", 16),
        ("-0x10", -16),
        ("1_0", None),
        ("(5)", None),
        ("2147483648", None),
        ("1e400", None),
    ],
)
def test_texts_of_integers(text, expected):
    assert expected == to_integer(text, *INT32)


def test_texts_of_doubles():
    assert [2.5, 24.5, 16.0, None] == [to_double(text) for text in ("2.5", "2,4.5", "0x10", "x")]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:00", 3600),
        ("25:00:00", 25 * 86400),
        ("1.02:03:04", 93784),
        ("-00:00:01", -1),
        ("00:60:00", None),
        ("x", None),
    ],
)
def test_texts_of_durations(text, seconds):
    found = parse_duration(text)
    assert (None if seconds is None else TimeSpan(seconds * 10_000_000)) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("03/04/2024", DateTime(day(2024, 3, 4))),
        ("March 1, 2024", DateTime(day(2024, 3, 1))),
        ("1 Mar 2024 10:00 PM", DateTime(day(2024, 3, 1, 22))),
        ("2024-03-01T10:00:00.1234567", DateTime(day(2024, 3, 1, 10, 0, 0, 123456), hundred_nanoseconds=7)),
        ("2024-03-01T10:00:00+02:00", DateTime(day(2024, 3, 1, 8), kind=Kind.LOCAL, offset=timedelta(0))),
        ("13:30", DateTime(day(2026, 11, 22, 13, 30))),
        ("31/12/2024", None),
        ("2024-02-30", None),
        ("20240301", None),
        ("", None),
    ],
)
def test_texts_of_moments(text, expected):
    assert expected == parse_date(text, now=lambda: NOON)


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 40), 1 << 40),
    st.floats(),
    st.text(max_size=20),
    st.decimals(-(10**20), 10**20, places=4),
    st.builds(Int64, st.integers(-(1 << 63), (1 << 63) - 1)),
    st.just(TimeSpan(5)),
    st.just(DateTime(NOON)),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.builds(lambda items: PSObject(PSList(items), deserialized=True), st.lists(inner, max_size=3))
        | st.builds(custom_object, st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3))
    ),
    max_leaves=6,
)


@given(data=st.data())
def test_every_call_binds_or_is_refused_with_an_error_record(data):
    """No value of any parameter of any command makes the binder fail otherwise."""
    metadata = command_metadata(data.draw(st.sampled_from(command_names())))
    assert metadata is not None
    chosen = data.draw(st.lists(st.sampled_from(metadata.parameters), max_size=4, unique_by=lambda p: p.name))
    arguments = [Argument(parameter.name, data.draw(VALUES)) for parameter in chosen]
    piped = data.draw(st.lists(VALUES, max_size=2))
    try:
        binding = Binding(metadata, arguments, expects_input=bool(piped))
        assert binding.parameter_set or piped
        for value in piped:
            binding.bind_object(value)
    except BindingError as error:
        assert error.error_id.isascii()  # noqa: PT017  a refusal is one of two allowed outcomes


@given(text=st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=60))
def test_a_text_arrives_as_it_was_given(text):
    """Quotes, semicolons, ``$(...)`` mean nothing to a binder."""
    assert {"Name": [text]} == bind(command_metadata("Get-ClusterGroup"), Name=text).parameters


def test_a_text_is_a_list_of_characters_to_a_function():
    """``-DriveLetter ab`` means two drives."""
    drives = command_metadata("Get-Volume")
    assert {"DriveLetter": [Char("a"), Char("b")]} == bind(drives, DriveLetter="ab").parameters


@pytest.mark.parametrize(("value", "expected"), [(-2, "-2"), ("77", "77"), (1 << 40, "Unknown"), (-1, "None")])
def test_an_enum_with_a_negative_member_takes_every_number(value, expected):
    """The language takes such an enum for one without fixed values, and cuts a number to its width."""
    kinds = command(parameter("Type", "Microsoft.Win32.RegistryValueKind"))
    assert {"Type": expected} == bind(kinds, Type=value).parameters
