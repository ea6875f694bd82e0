"""Enums print as .NET prints them and are found as PowerShell finds them."""

from __future__ import annotations

import pytest

from cauctl.models import FailbackType, NodeStatus, OutputType, RebootType, ResultCode, RunState, SummaryStatus
from cauctl.models.dotnet import dotnet_type_of
from cauctl.models.enums import INFERRED, CauEnum

ALL = (FailbackType, NodeStatus, OutputType, RebootType, ResultCode, RunState, SummaryStatus)


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("NoFailback", FailbackType.NO_FAILBACK),
        ("nofailback", FailbackType.NO_FAILBACK),
        (" Policy ", FailbackType.POLICY),
        ("i", FailbackType.IMMEDIATE),
        ("PL", None),
        ("", None),
        ("Immediate, Policy", None),
    ],
)
def test_names_are_found_without_case_and_by_an_unambiguous_beginning(text: str, member: FailbackType | None):
    if member is None:
        with pytest.raises(ValueError, match="is not a valid FailbackType"):
            FailbackType(text)
    else:
        assert member is FailbackType(text)


def test_an_ambiguous_beginning_is_refused():
    with pytest.raises(ValueError, match="is not a valid NodeStatus"):
        NodeStatus("S")


@pytest.mark.parametrize("enum", ALL)
def test_each_member_has_a_number_in_dotnet_and_prints_its_name(enum: type[CauEnum]):
    described = dotnet_type_of(next(iter(enum)))
    assert described is not None
    assert [str(member) for member in enum] == list(described.numbers)
    assert len(set(described.numbers.values())) == len(enum)


@pytest.mark.parametrize("enum", ALL)
def test_what_is_inferred_about_an_enum_is_said(enum: type[CauEnum]):
    described = dotnet_type_of(next(iter(enum)))
    assert described is not None
    assert described.inferred == (enum.__name__ in INFERRED)
