"""Numbers and dates print in 549 cultures as .NET 10 printed them; what is not known is refused."""

from __future__ import annotations

from datetime import datetime

import pytest

from cauctl.errors import InputError
from cauctl.psobject import DateTime, TextStyle, culture_names, find_culture
from tests.psobject.recorded_rows import document

clock = datetime.fromisoformat

SAMPLES = document("cultures.json")
GREGORIAN = [sample for sample in SAMPLES if sample["calendar"] == "GregorianCalendar"]
FIELDS = {
    "short_date": "short_date",
    "long_time": "long_time",
    "date_sep": "date_separator",
    "time_sep": "time_separator",
    "am": "am",
    "pm": "pm",
    "decimal_sep": "decimal_separator",
    "negative": "negative_sign",
    "positive": "positive_sign",
    "nan": "nan",
    "inf": "infinity",
    "neg_inf": "negative_infinity",
    "list_sep": "list_separator",
    "calendar": "calendar",
}


def test_the_packaged_cultures_are_the_recorded_ones():
    expected = {sample["name"]: {ours: sample[theirs] for theirs, ours in FIELDS.items()} for sample in SAMPLES}
    assert expected == {
        name: {ours: getattr(find_culture(name), ours) for ours in FIELDS.values()} for name in culture_names()
    }


@pytest.mark.parametrize("sample", GREGORIAN, ids=lambda sample: sample["name"])
def test_the_samples_of_each_gregorian_culture_are_reproduced(sample):
    style = TextStyle(find_culture(sample["name"]))
    assert (sample["sample_datetime"], sample["sample_midnight"], sample["sample_number"]) == (
        style.text(DateTime(clock("2020-01-02T15:04:05"))),
        style.text(DateTime(clock("1999-12-31T00:30:09"))),
        style.text(-1234.5e-10),
    )


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s not in GREGORIAN], ids=lambda sample: sample["name"])
def test_other_calendars_print_numbers_and_refuse_dates(sample):
    style = TextStyle(find_culture(sample["name"]))
    assert sample["sample_number"] == style.text(-1234.5e-10)
    with pytest.raises(InputError, match=f"dates of culture {sample['name']} .* Gregorian calendar"):
        style.text(DateTime(clock("2020-01-02T00:00:00")))


@pytest.mark.parametrize("name", ["de-DE", "DE-de", "de-de"])
def test_a_culture_is_found_in_any_case_of_its_name(name):
    assert "de-DE" == find_culture(name).name


@pytest.mark.parametrize("name", [None, ""])
def test_no_name_means_the_invariant_culture(name):
    assert "Infinity" == find_culture(name).infinity


@pytest.mark.parametrize(("name", "hint"), [("de", "de-AT"), ("xx-YY", "en-US"), ("english", "en-US")])
def test_an_unknown_culture_is_refused_with_names_that_are_known(name, hint):
    with pytest.raises(InputError, match=hint):
        find_culture(name)


def test_windows_powershell_has_a_plain_space_before_the_designator():
    style = TextStyle(find_culture("en-US", windows_powershell=True), windows_powershell=True)
    assert "1/2/2020 3:04:05 PM" == style.text(DateTime(clock("2020-01-02T15:04:05")))


def test_windows_powershell_is_known_in_two_cultures_only():
    with pytest.raises(InputError, match="invariant culture or en-US"):
        find_culture("de-DE", windows_powershell=True)
