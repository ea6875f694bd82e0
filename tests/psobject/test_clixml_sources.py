"""Where documents come from: encodings, gzip, files, streams, several documents; and what is kept of them."""

from __future__ import annotations

import codecs
import gzip
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauctl.errors import InputError
from cauctl.psobject import (
    PSObject,
    StreamValue,
    custom_object,
    iter_clixml,
    read_clixml,
    read_streams,
    to_python,
    write_clixml,
)
from cauctl.psobject.clixml_limits import Limits
from cauctl.psobject.clixml_source import open_source
from cauctl.psobject.clixml_stream import Documents
from tests.psobject.clixml_records import records
from tests.psobject.pipe import Pipe

VALUES = ["Größe\U0001f600\r\n", 1, None, {"k": [1.5, True]}]
TEXT = write_clixml(VALUES)
PLAIN = ["Größe\U0001f600\r\n", 1, None, {"k": [1.5, True]}]

# What pwsh -OutputFormat Xml prints to standard error and output, in one capture.
PRINTED = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    '<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T><T>System.Object</T>'
    '</TN><MS><I64 N="SourceId">1</I64><PR N="Record"><AV>Preparing modules for first use.</AV><AI>0</AI><Nil />'
    "<PI>-1</PI><PC>-1</PC><T>Completed</T><SR>-1</SR><SD> </SD></PR></MS></Obj>"
    '<S S="Error">no such node_x000D__x000A_</S><S S="Warning">slow</S></Objs>'
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><I32>1</I32></Objs>\r\n'
)


def encoded(encoding: str) -> bytes:
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE, "utf-8": b"", "utf-8-sig": b""}
    return marks[encoding] + TEXT.replace("\n", "\r\n").encode(encoding)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"])
def test_encodings_of_both_editions_are_read_from_everywhere(encoding, packed, tmp_path):
    """Windows PowerShell writes UTF-16 with a mark, PowerShell 7 UTF-8 without; both may be packed."""
    data = gzip.compress(encoded(encoding)) if packed else encoded(encoding)
    path = tmp_path / "report.clixml"
    path.write_bytes(data)
    with path.open("rb") as file:
        from_file = read_clixml(file)

    for values in (
        read_clixml(data),
        read_clixml(path),
        from_file,
        read_clixml(Pipe(data)),
        list(iter_clixml(data)),
        list(iter_clixml(Pipe(data))),
        list(iter_clixml(path)),
    ):
        assert [to_python(value) for value in values] == PLAIN


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_shows_without_a_mark(encoding):
    assert [to_python(value) for value in read_clixml(TEXT.encode(encoding))] == PLAIN


@pytest.mark.parametrize("declared", ["utf-8", "UTF-8", "us-ascii"])
def test_a_declared_encoding_that_agrees_is_accepted(declared):
    data = f'<?xml version="1.0" encoding="{declared}"?>\r\n{TEXT}'.encode()

    assert [to_python(value) for value in read_clixml(data)] == PLAIN


def test_a_byte_order_mark_in_a_text_is_refused_as_by_powershell():
    with pytest.raises(InputError):
        read_clixml("\ufeff" + TEXT)


def test_printed_streams_are_told_apart():
    progress, error, warning, output = read_streams(PRINTED)

    assert (progress.stream, error.stream, warning.stream, output.stream) == ("Progress", "Error", "Warning", "Output")
    assert (error.value, warning.value, output.value) == ("no such node\r\n", "slow", 1)
    assert progress.value["Record"].activity == "Preparing modules for first use."


def test_printed_documents_are_read_only_where_asked_for():
    assert [type(value) for value in read_clixml(PRINTED, printed=True)] == [PSObject, str, str, int]
    assert list(iter_clixml(PRINTED.encode("utf-16"), printed=True))[1:] == ["no such node\r\n", "slow", 1]
    with pytest.raises(InputError):
        read_clixml(PRINTED)


def test_an_unknown_stream_keeps_its_name():
    text = TEXT.replace("<I32>", '<I32 S="Custom">')

    assert read_streams(text)[1] == StreamValue("Custom", 1)


def test_references_across_top_level_values_give_the_same_object():
    """Whole documents keep all objects; streams that can be rewound keep those that are referred to."""
    shared = custom_object({"a": 1})
    text = write_clixml([shared, custom_object({"b": 2}), shared, [shared]])

    for values in (read_clixml(text), list(iter_clixml(text)), list(iter_clixml(text.encode()))):
        assert values[0] is values[2] is values[3][0]
        assert values[1] is not values[0]


def test_a_stream_that_cannot_be_rewound_has_no_references_across_values():
    shared = custom_object({"a": 1})
    values = iter_clixml(Pipe(write_clixml([shared, shared]).encode()))

    assert next(values)["a"] == 1
    with pytest.raises(InputError, match="cannot be rewound"):
        next(values)


def test_references_within_one_value_work_in_any_stream():
    shared = custom_object({"a": 1})
    (value,) = iter_clixml(Pipe(write_clixml([[shared, shared]]).encode()))

    assert value[0] is value[1]


@pytest.mark.parametrize("window", [1, 2, 3, 5, 64])
@pytest.mark.parametrize("name", ["deserialize", "serialize"])
def test_every_recorded_document_reads_the_same_in_pieces(name, window, monkeypatch):
    """Cut anywhere: the same values before the same error at the same place."""
    monkeypatch.setattr("cauctl.psobject.clixml_stream._WINDOW", window)
    for record in records(name):
        text = record.get("clixml") or ""
        if len(text) < 1500:
            assert told(iter_pieces(text)) == told(iter_whole(text)), record["name"]


def iter_pieces(text: str) -> Iterator[object]:
    yield from iter_clixml(text)


def iter_whole(text: str) -> Iterator[object]:
    with open_source(text, most=1 << 30) as source:
        for _, value in Documents(source, Limits(), whole=True, printed=False):
            yield value


def told(values: Iterator[object]) -> list[str]:
    """What an iterator gives, and with which error it ends."""
    found = []
    try:
        found.extend(repr(to_python(value)) for value in values)
    except InputError as error:
        found.append(str(error))
    return found


def test_values_that_nobody_keeps_take_no_room():
    """5,000 objects, 2.4 MB of text, from a pipe; the benchmarks read 100,000."""
    text = write_clixml([custom_object({f"P{each}": f"{number}" * 20 for each in range(6)}) for number in range(5000)])
    pipe = Pipe(text.encode(), most=1 << 16)
    del text
    tracemalloc.start()

    count = sum(1 for _ in iter_clixml(pipe))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 5000
    assert most < 4_000_000


@given(st.text(st.sampled_from("<>&ObjRefId=\"'/! -[]CDATA\n0a"), max_size=60), st.integers(1, 9))
def test_looking_for_references_never_fails(text, window):
    """The first look through a source finds no more than hints; the reader decides."""
    with open_source(text, most=1 << 20) as source:
        pieces = iter(lambda: source.read(window), "")
        assert "".join(pieces) == text
    assert told(iter_pieces(text)) == told(iter_whole(text))
