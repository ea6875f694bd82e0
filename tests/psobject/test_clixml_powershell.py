"""Real PowerShell reads what we write as what we meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from cauctl.errors import InputError
from cauctl.psobject import read_clixml, write_clixml, write_fragment
from cauctl.psobject.clixml_root import NAMESPACE
from tests.psobject.clixml_graphs import graphs
from tests.psobject.clixml_records import records
from tests.psobject.describe import UTC_ZONE, describe, differences
from tests.pwsh import PowerShell, PowerShellError

pytestmark = pytest.mark.pwsh

ORACLE = Path(__file__).with_name("clixml_oracle.ps1")

OTHERWISE = {
    "entity-fffe": "PowerShell reads U+FFFE and can no more write it than we can",
    "string-escape-8": "PowerShell doubles the character before an eight-digit escape beyond U+10FFFF; we do not",
}
"""Documents that PowerShell accepts and that do not reach it through us as they were."""

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
    if record["name"] in OTHERWISE:
        assert differs(oracle, record["clixml"])
        return
    ours, original = oracle.ask("again", through_us(record["clixml"])), oracle.ask("again", record["clixml"])

    assert ours == original or same_but_for_order(ours, original)


ODD = {
    "white-reference": '<I32>1</I32>&#10;<Obj RefId="0">&#x20;<MS>&#9;<I32 N="a">1</I32>&#13;</MS></Obj>',
    "note-to-string": '<Obj RefId="0"><MS><S N="ToString">x</S><I32 N="a">1</I32></MS><ToString>t</ToString></Obj>',
    "note-get-type": '<Obj RefId="0"><MS><S N="GETTYPE">x</S></MS><Props><I32 N="p">1</I32></Props></Obj>',
    "guid-sign": "<G>+1234567-0x9a-+def-+123-+0x789abcdef</G>",
    "duration-point": "<TS>PT1H.S</TS>",
    "doctype": "<XD>&lt;!-- x --&gt;&lt;!DOCTYPE a [&lt;!ELEMENT a ANY&gt;] &gt;&lt;a/&gt;</XD>",
}
"""What PowerShell reads and never writes."""


@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
def test_powershell_reads_odd_documents_as_we_do(oracle, body):
    document = f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}">{body}</Objs>'
    assert oracle.ask("again", through_us(document)) == oracle.ask("again", document)


def through_us(document: str) -> str:
    return write_clixml(read_clixml(document))


def differs(oracle: PowerShell, document: str) -> bool:
    """Tell whether a document does not reach PowerShell through us, or not as it was."""
    try:
        return oracle.ask("again", through_us(document)) != oracle.ask("again", document)
    except (InputError, PowerShellError):
        return True


def same_but_for_order(ours: str, original: str) -> bool:
    """Tell whether only the order of Hashtables differs: where keys are objects or come twice, it never repeats."""
    (one,), (other,) = read_clixml(ours), read_clixml(original)
    return not differences(describe(one, UTC_ZONE), describe(other, UTC_ZONE))


def test_fragments_are_read_by_powershell_within_a_document(oracle):
    """A fragment is an element of a document without its indentation."""
    fragment = write_fragment({"a": [1, {"b": None}]})

    assert oracle.ask("again", f'<Objs xmlns="{NAMESPACE}">{fragment}</Objs>') == oracle.ask(
        "meant", ",[ordered]@{ a = 1, [ordered]@{ b = $null } }"
    )
