"""Options are the parameters: names, help, ranges and defaults come from the cmdlets' one description."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Any

import pytest
from cyclopts import App, CycloptsError, Parameter
from hypothesis import given
from hypothesis import strategies as st

from cauctl.cli.parameters import project
from cauctl.errors import InputError
from cauctl.models.options import ScanOptions, UpdatingRunOptions
from cauctl.models.parameters import parameters


def parse(options: Any, *arguments: str) -> dict[str, Any]:
    """What a command with these options is given for a command line."""
    got: list[dict[str, Any]] = []

    def handler(given: dict[str, Any]) -> int:
        got.append(given)
        return 0

    app = App(name="t", default_parameter=Parameter(negative=(), show_default=False))
    app.default(project(options, handler, extra={}))
    app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    return got[0]


def test_every_served_parameter_has_its_option_and_no_other_has_one():
    """A served parameter is taken by its kebab-case name; one that is not served is unknown."""
    values = {bool: [], int: ["1"], timedelta: ["90m"]}
    for parameter in parameters(UpdatingRunOptions):
        if parameter.attribute in {"credential", "cluster_name"}:
            continue
        option = "--" + parameter.attribute.replace("_", "-")
        value = ["A=B"] if parameter.attribute == "cau_plugin_arguments" else values.get(parameter.python_type)
        if value is None and issubclass(parameter.python_type, Enum):
            value = [parameter.range_text.split(",")[0]]
        line = ["C1", option, *(["x"] if value is None else value)]
        if parameter.served:
            assert parameter.attribute in parse(UpdatingRunOptions, *line)
        else:
            with pytest.raises(CycloptsError):
                parse(UpdatingRunOptions, *line)


def test_a_switch_that_is_not_given_is_false_and_others_are_absent():
    assert {"cluster_name": "C1"} == {name: each for name, each in parse(ScanOptions, "C1").items() if each}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01:30:00", timedelta(hours=1, minutes=30)),
        ("1.12:00:00", timedelta(days=1, hours=12)),
        ("00:00:01.5", timedelta(seconds=1.5)),
        ("90m", timedelta(minutes=90)),
        ("90min", timedelta(minutes=90)),
        ("2h30m", timedelta(hours=2, minutes=30)),
        ("1d", timedelta(days=1)),
    ],
)
def test_durations(text: str, expected: timedelta):
    assert expected == parse(UpdatingRunOptions, "C1", "--stop-after", text)["stop_after"]


@pytest.mark.parametrize(
    "text", ["90", "", "1:2:3:4", "soon", "-5m", "5m ago", "99:99", "24:00:00", "01:60", "00:00:60"]
)
def test_what_is_no_duration_is_refused(text: str):
    """A bare number above all: it is minutes to one reader and days to .NET."""
    with pytest.raises(CycloptsError):
        parse(UpdatingRunOptions, "C1", f"--stop-after={text}")


def test_plugin_arguments_are_one_table():
    given = parse(
        ScanOptions, "C1", "--cau-plugin-arguments", "QueryString=A=1 and B=2", "--cau-plugin-arguments", "X="
    )
    assert {"QueryString": "A=1 and B=2", "X": ""} == given["cau_plugin_arguments"]


@pytest.mark.parametrize("text", ["QueryString", "=x", " =x"])
def test_a_plugin_argument_without_a_name_is_refused(text: str):
    with pytest.raises(InputError, match="expected Name=value"):
        parse(ScanOptions, "C1", f"--cau-plugin-arguments={text}")


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1))
def test_any_text_arrives_as_the_same_text(text: str):
    """Nothing on a command line is split, unquoted or expanded by us."""
    given = parse(ScanOptions, "C1", f"--cau-plugin-arguments=QueryString={text}")
    assert text == given["cau_plugin_arguments"]["QueryString"]
