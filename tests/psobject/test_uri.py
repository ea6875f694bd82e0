"""A Uri prints in .NET's canonical, unescaped form."""

from __future__ import annotations

import pytest

from cauctl.psobject.uri import canonical_uri
from tests.psobject.recorded_rows import rows

OTHERWISE = {
    "file://010.1/a\\b?#%41 %20": "a backslash stays one in a file Uri with a host of numbers",
    "custom:/C|/x?a b#%41 %20": "a drive with a bar within a scheme that nobody knows",
    " x/../y?%#%41 %20": "which escapes of a relative Uri with a lone percent sign are undone",
}
"""Uris that print otherwise here, and what is not imitated."""
RECORDED = [row for row in rows("dotnet-text.jsonl") if row["kind"] == "uri"]


def test_recorded_uris_print_as_recorded():
    """85 ordinary Uris and 700 odd ones."""
    wrong = {row["uri"]: row["text"] for row in RECORDED if canonical_uri(row["uri"]) != row["text"]}
    assert set(OTHERWISE) == set(wrong)


@pytest.mark.parametrize("text", ["http://[", ":", "http://", "http://a b.com/", "\\\\", "c:\\", "%", "file://", "[]"])
def test_what_is_no_uri_prints_something_and_never_fails(text):
    assert isinstance(canonical_uri(text), str)
