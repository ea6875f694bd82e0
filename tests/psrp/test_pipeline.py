"""Pipelines: values that say what to run, and a text of them that is safe to show."""

from __future__ import annotations

from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential, Secret
from cauctl.psrp.pipeline import Command, ErrorRecord, Pipeline, PipelineResult, as_pipeline, command, native, script


class Mode(Enum):
    """An enum whose values are Microsoft's names."""

    DRAIN = "Drain"


@pytest.mark.parametrize(
    ("text", "work"),
    [
        ("Get-ClusterNode -Name N1", command("Get-ClusterNode", Name="N1")),
        ("Suspend-ClusterNode -Drain -Wait:$false", command("Suspend-ClusterNode", Drain=True, Wait=False)),
        ("Get-X 'a b' 'it''s' '' 7 1.5", command("Get-X", "a b", "it's", "", 7, 1.5)),
        ("Get-X -Names N1,'N 2' -Nothing $null", command("Get-X", Names=["N1", "N 2"], Nothing=None)),
        ("Get-X -Empty @()", command("Get-X", Empty=())),
        ("Get-X -Table @{A=1; 'B C'=$true}", command("Get-X", Table={"A": 1, "B C": True})),
        ("Get-X -Mode Drain", command("Get-X", Mode=Mode.DRAIN)),
        ("Get-X -Data '<3 bytes>'".replace("'", ""), command("Get-X", Data=b"abc")),
        ("shutdown.exe /r /t 2", native("shutdown.exe", "/r", "/t", "2")),
        ("<script, 2 lines>", script("$password = 'hunter2'\n$password")),
        ("Get-X -Text 'a\\nb\\x1b[31m\\ud800'", command("Get-X", Text="a\nb\x1b[31m\ud800")),
        ("A | B | C", command("A") | command("B") | command("C")),
    ],
)
def test_the_text_reads_like_powershell_on_one_line(text, work):
    assert text == str(work)


@pytest.mark.parametrize(
    "work",
    [
        command("Get-X", Credential=PSCredential("admin", "hunter2")),
        command("Get-X", PSCredential("admin", "hunter2")),
        command("Get-X", Key=Secret("hunter2")),
        command("Register-ScheduledTask", User="admin", Password="hunter2"),
        command("Get-X", Options={"ProxyPassword": "hunter2", "List": [Secret("hunter2")]}),
        script("Connect-It 'hunter2'"),
    ],
)
def test_the_text_shows_no_secret(work):
    assert "hunter2" not in str(work)
    assert "hunter2" not in str(work | command("Out-Null"))


@given(st.text(max_size=2000))
def test_the_text_of_any_value_is_short_and_printable(text):
    shown = str(command("Get-X", Text=text))
    assert shown.isprintable()
    assert len(shown) < 1300


def test_long_lists_are_cut():
    assert "Get-X -Names 0,1,2,3,4,5,6,7,…(100 items)" == str(command("Get-X", Names=list(range(100))))


@pytest.mark.parametrize("name", ["", "Get-X; Remove-Item", "Get-X | y", "$(evil)", "a b", "& x", "'x'", "x\n"])
def test_what_is_no_command_name_is_refused(name):
    """A name is the one text that selects what runs, so nothing but a name is taken for one."""
    with pytest.raises(InputError, match="is not the name of a command"):
        command(name)


@pytest.mark.parametrize("name", ["", "a b", "-x", "a;b", "a:b"])
def test_what_is_no_parameter_name_is_refused(name):
    with pytest.raises(InputError, match="is not the name of a parameter"):
        Command("Get-X", parameters={name: 1})


def test_an_empty_pipeline_is_refused():
    with pytest.raises(InputError, match="a pipeline needs a command"):
        Pipeline(())


def test_pipelines_are_values():
    """Equal when they ask the same; building one changes none of its parts; parameters cannot be changed."""
    first, second = command("A", X=1), command("B")
    joined = first | second
    assert Pipeline((command("A", X=1), command("B"))) == joined
    assert Pipeline((first,)) == as_pipeline(first)
    assert joined == as_pipeline(joined)
    assert Pipeline((first, second, first)) == joined | first
    with pytest.raises(TypeError):
        first.parameters["X"] = 2


def test_parameters_are_not_shared_with_the_caller():
    given_parameters = {"X": 1}
    built = Command("A", parameters=given_parameters)
    given_parameters["X"] = 2
    assert built.parameters == {"X": 1}


def test_a_result_had_errors_when_the_error_stream_holds_one():
    assert not PipelineResult([1]).had_errors
    assert PipelineResult([1], errors=(ErrorRecord("no"),)).had_errors


def test_an_error_record_shows_its_id():
    assert str(ErrorRecord("It broke.", fully_qualified_error_id="Broke")) == "It broke. (Broke)"
    assert str(ErrorRecord("It broke.")) == "It broke."
