"""Real PowerShell reads what we write as what we meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from cauctl.psobject import read_clixml, write_clixml, write_fragment
from tests.psobject.clixml_graphs import Meant, graphs
from tests.psobject.clixml_records import records
from tests.pwsh import PowerShell

pytestmark = pytest.mark.pwsh

ORACLE = Path(__file__).with_name("clixml_oracle.ps1")

SECRETS = frozenset(("credential-empty",))

ACCEPTED = [record for record in records("deserialize") if not record.get("error")]
WRITTEN = [record for record in records("serialize") if record.get("clixml") and not record.get("back_error")]


@pytest.fixture(scope="module")
def oracle(pwsh_path: str) -> Iterator[PowerShell]:
    with PowerShell(pwsh_path, ORACLE) as powershell:
        yield powershell


@given(graphs())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_powershell_reads_our_document_as_the_meant_value(oracle, meant):
    """What PowerShell writes of our document, read by it, is what it writes of the meant value."""
    assert oracle.ask("again", write_clixml([meant.value])) == oracle.ask("meant", meant.script)


@pytest.mark.parametrize("record", [*WRITTEN, *ACCEPTED], ids=lambda record: record["name"])
def test_powershell_reads_a_document_that_went_through_us_as_the_original(oracle, record):
    again = write_clixml(read_clixml(record["clixml"]))

    assert oracle.ask("again", again) == oracle.ask("again", record["clixml"])
