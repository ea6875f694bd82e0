"""The engine's own commands, as a statement of a pipeline runs them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cauctl.lab.comparison import operator
from cauctl.lab.dispatch import CommandError, CommandTable
from cauctl.lab.engine_commands import engine_commands
from cauctl.lab.runspace.requests import Argument, CommandRequest, PipelineRequest
from cauctl.lab.runspace.statements import run_statements
from cauctl.lab.runspace.streams import StatementError
from cauctl.lab.wildcard import matches
from cauctl.psobject import DateTime, Kind, PSObject, TimeSpan, custom_object, enum_value

STATE = "Microsoft.FailoverClusters.PowerShell.ClusterNodeState"
NODES = [
    custom_object({"Name": "NODE1", "State": enum_value(STATE, "Up", 0), "Votes": 1}, type_name="Node"),
    custom_object({"Name": "node2", "State": enum_value(STATE, "Paused", 2), "Votes": 0}, type_name="Node"),
    custom_object({"Name": "NODE10", "State": enum_value(STATE, "Up", 0), "Votes": 1}, type_name="Node"),
]


class Clock:
    """A clock that stands still and writes down how long it was asked to wait."""

    def __init__(self) -> None:
        self.waited: list[timedelta] = []

    def now(self) -> datetime:
        """Give the one moment."""
        return datetime(2026, 11, 22, 12, 30, 0, 250_000, tzinfo=UTC)

    def real_seconds(self, duration: timedelta) -> float:
        """Note the duration."""
        self.waited.append(duration)
        return 0.0


class Facts:
    """A node's facts."""

    name = "NODE1"

    def __init__(self, commands: CommandTable) -> None:
        self.commands = commands
        self.clock = Clock()


class Engine:
    """Collects what is written to the streams."""

    user = "CONTOSO\\admin"

    def __init__(self, commands: CommandTable) -> None:
        self.node = Facts(commands)
        self.session: dict[str, Any] = {}
        self.written: list[Any] = []

    def write(self, _pipeline: object, _kind: object, value: Any) -> None:
        """Keep a record."""
        self.written.append(value)


class Pipeline:
    """Collects the output."""

    def __init__(self, commands: CommandTable, piped: list[Any]) -> None:
        self.engine = Engine(commands)
        self.stopping = threading.Event()
        self.piped = piped
        self.given: list[Any] = []

    def read_input(self) -> Iterator[Any]:
        """Give what is piped in."""
        yield from self.piped

    def check(self) -> None:
        """Nobody stops it."""

    def output(self, value: Any) -> None:
        """Keep an object."""
        self.given.append(value)


def run(*commands: tuple[str, dict[str, Any]] | str, piped: list[Any] | None = None) -> list[Any]:
    """Run one statement on piped objects."""
    return run_pipeline(*commands, piped=piped).given


def run_pipeline(*commands: tuple[str, dict[str, Any]] | str, piped: list[Any] | None = None) -> Pipeline:
    statement = tuple(
        CommandRequest(name, arguments=tuple(Argument(key, value) for key, value in parameters.items()))
        for name, parameters in (entry if isinstance(entry, tuple) else (entry, {}) for entry in commands)
    )
    table = engine_commands()
    pipeline = Pipeline(table, piped or [])
    run_statements(pipeline, PipelineRequest((statement,), expects_input=piped is not None), table)
    return pipeline


def names(objects: list[Any]) -> list[str]:
    return [found["Name"] for found in objects]


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        ("EQ", "up", ["NODE1", "NODE10"]),
        ("EQ", 2, ["node2"]),
        ("NE", "Up", ["node2"]),
        ("CEQ", "Up", ["NODE1", "NODE10"]),
        ("In", ["Down", "Paused"], ["node2"]),
        ("NotIn", ["Up"], ["node2"]),
        ("Match", "^pau", ["node2"]),
        ("Like", "U*", ["NODE1", "NODE10"]),
    ],
)
def test_where_compares_an_enum_by_name_or_number(test, value, expected):
    asked = {"Property": "State", test: True, "Value": value}
    assert expected == names(run(("Where-Object", asked), piped=NODES))


def test_where_without_operator_asks_for_truth():
    assert ["NODE1", "NODE10"] == names(run(("Where-Object", {"Property": "Votes"}), piped=NODES))


def test_where_finds_nothing_in_a_property_that_is_not_there():
    assert [] == run(("Where-Object", {"Property": "Other", "EQ": True, "Value": 1}), piped=NODES)


def test_script_blocks_are_refused():
    with pytest.raises(StatementError) as error:
        run(("Where-Object", {"FilterScript": "{ $true }"}), piped=NODES)
    assert "CannotConvertArgumentNoMessage" == error.value.error.error_id


def test_select_makes_notes_under_a_selected_type_name():
    (found,) = run(("Select-Object", {"Property": ["name", "State", "Missing"], "First": 1}), piped=NODES)
    assert ("Selected.Node", {"Name": "NODE1", "State": NODES[0]["State"], "Missing": None}) == (
        found.type_names[0],
        dict(found.extended),
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"First": 2}, ["NODE1", "node2"]),
        ({"Skip": 1}, ["node2", "NODE10"]),
        ({"Skip": 1, "First": 1}, ["node2"]),
        ({"Last": 1}, ["NODE10"]),
        ({"First": 1, "Last": 1}, ["NODE1", "NODE10"]),
        ({"SkipLast": 2}, ["NODE1"]),
        ({"First": 0}, []),
    ],
)
def test_select_takes_from_the_front_and_the_back(asked, expected):
    assert expected == names(run(("Select-Object", asked), piped=NODES))


def test_select_first_reads_no_further():
    """What comes before it stops, as PowerShell's pipeline does."""

    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield (number := number + 1)

    table = engine_commands()
    pipeline = Pipeline(table, [])
    pipeline.read_input = endless
    statement = (CommandRequest("Select-Object", arguments=(Argument("First", 3),)),)
    run_statements(pipeline, PipelineRequest((statement,), expects_input=True), table)
    assert [1, 2, 3] == pipeline.given


def test_select_wildcards_expand_and_unique():
    (found,) = run(("Select-Object", {"Property": "*a*", "First": 1}), piped=NODES)
    assert ["Name", "State"] == list(found.extended)
    assert ["NODE1", "node2", "NODE10"] == run(("Select-Object", {"ExpandProperty": "Name"}), piped=NODES)
    assert [1, "a", "A"] == run(("Select-Object", {"Unique": True}), piped=[1, "a", 1, "a", "A"])


def test_sort_by_value_and_by_property():
    assert [None, 1, 2, "a", "B"] == run("Sort-Object", piped=["B", 2, None, "a", 1])
    assert ["node2", "NODE10", "NODE1"] == names(
        run(("Sort-Object", {"Property": "Name", "Descending": True}), piped=NODES)
    )
    assert [1, 2] == run(("Sort-Object", {"Unique": True}), piped=[2, 1, 2])


def test_measure_counts_and_sums():
    (found,) = run(
        ("Measure-Object", {"Property": "Votes", "Sum": True, "Average": True, "Maximum": True}), piped=NODES
    )
    assert {"Count": 3, "Sum": 2.0, "Average": 2 / 3, "Maximum": 1, "Minimum": None, "Property": "Votes"} == dict(
        sorted(found.adapted.items(), key=lambda entry: list(found.adapted).index(entry[0]))
    )


def test_for_each_gives_a_member():
    assert ["NODE1", "node2", "NODE10"] == run(("ForEach-Object", {"MemberName": "Name"}), piped=NODES)
    assert [3] == run(("ForEach-Object", {"MemberName": "Length"}), piped=["abc"])


def test_out_null_and_write_output():
    assert [] == run("Out-Null", piped=NODES)
    assert [1, 2] == run(("Write-Output", {"InputObject": [1, 2]}))
    assert ["a"] == run("Write-Output", piped=["a"])


def test_commands_are_chained():
    found = run(
        ("Where-Object", {"Property": "Votes", "GT": True, "Value": 0}),
        ("Sort-Object", {"Property": "Name", "Descending": True}),
        ("Select-Object", {"ExpandProperty": "Name"}),
        piped=NODES,
    )
    assert ["NODE10", "NODE1"] == found


def test_sleep_waits_by_the_nodes_clock():
    pipeline = run_pipeline(("Start-Sleep", {"Seconds": 90}))
    assert [timedelta(seconds=90)] == pipeline.engine.node.clock.waited


def test_date_is_the_nodes():
    (found,) = run("Get-Date")
    clock = datetime(2026, 11, 22, 12, 30, 0, 250_000)  # noqa: DTZ001  a clock time has no zone
    assert DateTime(clock, kind=Kind.LOCAL, offset=timedelta(0)) == found
    assert ["2026-11-22T12:30:00.2500000+00:00"] == run(("Get-Date", {"Format": "o"}))


def test_a_parameter_that_is_not_served_is_refused():
    for call in (("Get-Date", {"Year": 2024}), ("Sort-Object", {"Culture": "de-DE"}), ("Get-Date", {"Format": "x"})):
        with pytest.raises(StatementError) as error:
            run(call, piped=None if call[0] == "Get-Date" else [1])
        assert "NotImplemented" == error.value.error.category


def test_get_command_shows_the_sessions_commands():
    found = run(("Get-Command", {"Name": "*-Object"}))
    assert ["ForEach-Object", "Measure-Object", "Select-Object", "Sort-Object", "Where-Object"] == names(found)
    assert ["Microsoft.PowerShell.Core"] == [
        entry["ModuleName"] for entry in run(("Get-Command", {"Name": "Out-Null"}))
    ]
    missing = run_pipeline(("Get-Command", {"Name": "Get-Nonsense"}))
    assert (
        "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand"
        == (missing.engine.written[0]["FullyQualifiedErrorId"])
    )


@pytest.mark.parametrize(
    ("left", "name", "right", "expected"),
    [
        ("abc", "EQ", "ABC", True),
        ("abc", "CEQ", "ABC", False),
        (5, "EQ", "5", True),
        (5, "LT", "10", True),
        ("5", "LT", "10", False),
        (None, "EQ", None, True),
        (None, "EQ", 0, False),
        (True, "EQ", "x", True),
        ([1, 2, 3], "GT", 2, True),
        ([1, 2], "Contains", "2", True),
        ("a", "NotContains", "b", True),
        ("abc", "CNotLike", "A*", True),
        ("abc", "NotMatch", "B", False),
        (TimeSpan(5), "GE", "00:00:00", True),
        (5, "Is", "int32", True),
        (5, "Is", "System.Int32", True),
        (NODES[0], "IsNot", "Node", False),
        (NODES[0], "EQ", NODES[0], True),
        (NODES[0], "EQ", NODES[1], False),
    ],
)
def test_operators(left, name, right, expected):
    assert expected is operator(name)(left, right)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("n?de[1-3]", "NODE2", True),
        ("n?de[1-3]", "NODE4", False),
        ("a`*b", "a*b", True),
        ("a`*b", "axb", False),
        ("[a", "[a", True),
        ("a.c", "abc", False),
        ("*", "", True),
        ("a[\\]b", "a\\b", True),
    ],
)
def test_wildcards(pattern, text, expected):
    assert expected is matches(pattern, text)


def test_an_error_that_does_not_terminate_ends_only_its_call():
    """Select-Object -ExpandProperty of what is not there."""
    pipeline = run_pipeline(("Select-Object", {"ExpandProperty": "Other"}), piped=[PSObject(extended={"A": 1})])
    assert ([], "ExpandPropertyNotFound,Microsoft.PowerShell.Commands.SelectObjectCommand") == (
        pipeline.given,
        pipeline.engine.written[0]["FullyQualifiedErrorId"],
    )


def test_a_table_refuses_a_name_twice_and_shows_a_part():
    table = engine_commands()
    assert ["Get-Date"] == table.only(["get-date"]).names()
    assert (True, True, False) == ("SLEEP" in table, "Utility\\Get-Date" in table, "Get-Nonsense" in table)
    error = CommandError("x", error_id="y")
    assert ("x", "y", True) == (error.message, error.error_id, error.terminating)
