"""Models hold what their annotations say, and tell all faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import field, frozen

from cauctl.errors import InputError
from cauctl.models import ResultCode, SummaryStatus, UpdateInfo, UpdateInstallResult
from cauctl.models.validation import Between, Count, Name, check, fault, marks_of, value_type

MOMENT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
UPDATE = UpdateInfo("NODE1", update_id="id", update_title="title")


@frozen(kw_only=True)
class Thing:
    """Something with one field of each shape."""

    name: Name = "x"
    count: Count = 0
    moment: datetime | None = None
    names: tuple[Name, ...] = ()
    table: Mapping[str, int] = field(factory=dict)
    switch: bool = False
    secret: str = field(default="", repr=False)

    def __attrs_post_init__(self) -> None:
        check(self)


def test_all_faults_of_an_object_are_told_in_one_error():
    with pytest.raises(InputError) as caught:
        UpdateInstallResult(
            "",
            update_id=3,  # type: ignore[arg-type]
            update_title="t",
            update_result_code=SummaryStatus.FAILED,  # type: ignore[arg-type]
            error_code=2**31,
            update_timestamp=datetime(2026, 1, 1),  # noqa: DTZ001  a naive moment is what is refused
        )
    assert (
        "UpdateInstallResult: node_name is '', expected a str that is not blank; "
        "update_id is 3, expected a str that is not blank; "
        "update_result_code is Failed, expected Succeeded, Failed, Canceled; "
        "error_code is 2147483648, expected an int from -2147483648 to 2147483647; "
        "update_timestamp is datetime.datetime(2026, 1, 1, 0, 0), expected a datetime with a time zone."
    ) == str(caught.value)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"count": True}, "count is True, expected an int from 0 to 2147483647"),
        ({"count": -1}, "count is -1, expected an int from 0 to 2147483647"),
        ({"switch": 1}, "switch is 1, expected a bool"),
        ({"name": " \t"}, "name is ' \\t', expected a str that is not blank"),
        ({"names": ["a"]}, "names is ['a'], expected a tuple, each item a str that is not blank"),
        ({"names": ("a", None)}, "names is ('a', None), expected a tuple, each item a str that is not blank"),
        ({"table": {"a": "b"}}, "table is {'a': 'b'}, expected a mapping of a str to an int"),
        ({"moment": "now"}, "moment is 'now', expected a datetime with a time zone or nothing"),
        ({"secret": b"hidden"}, "secret is of type bytes, expected a str"),
    ],
)
def test_a_fault_says_what_was_given_and_what_is_accepted(given: dict[str, object], sentence: str):
    with pytest.raises(InputError) as caught:
        Thing(**given)  # type: ignore[arg-type]
    assert f"Thing: {sentence}." == str(caught.value)


def test_a_moment_must_fit_into_utc():
    """What could not be written as UTC is refused when it is made, not when it is stored."""
    with pytest.raises(InputError):
        Thing(moment=datetime.min.replace(tzinfo=timezone(timedelta(hours=1))))


def test_results_are_made_from_the_update_that_was_found():
    expected = UpdateInstallResult(
        "NODE1",
        update_id="id",
        update_title="title",
        update_result_code=ResultCode.SUCCEEDED,
        reboot_required=True,
        update_timestamp=MOMENT,
    )
    assert expected == UpdateInstallResult.of(UPDATE, ResultCode.SUCCEEDED, reboot_required=True, at=MOMENT)


def test_annotations_give_the_type_and_the_restrictions_of_one_value():
    assert (str, int) == (value_type(tuple[Name, ...]), value_type(Count | None))
    assert (Between(0, 2**31 - 1),) == marks_of(Count | None)
    assert "from -1 to 64" == Between(-1, 64).text
    assert "of at least 0" == Between(0, None).text


def test_a_long_value_is_cut_in_a_fault():
    assert 120 > len(fault("name", "x" * 5000, "less"))
