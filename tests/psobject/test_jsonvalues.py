"""What was read from CLIXML becomes JSON that any reader takes and that loses nothing unsaid."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from cauctl.errors import InputError
from cauctl.psobject import json_value, read_clixml

ENUM = '<TN RefId="1"><T>System.DayOfWeek</T><T>System.Enum</T></TN><ToString>Monday</ToString><I32>1</I32>'
PROGRESS = (
    "<PR><AV>Scan</AV><AI>1</AI><Nil /><PI>-1</PI><PC>50</PC><T>Processing</T><SR>-1</SR><SD>half</SD></PR>",
    {
        "ActivityId": 1,
        "ParentActivityId": -1,
        "Activity": "Scan",
        "StatusDescription": "half",
        "CurrentOperation": None,
        "PercentComplete": 50,
        "SecondsRemaining": -1,
        "RecordType": "Processing",
    },
)


def read(body: str) -> Any:
    (value,) = read_clixml(f'<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04">{body}</Objs>')
    return value


def entries(*pairs: str) -> str:
    return f'<Obj RefId="0"><DCT>{"".join(f"<En>{pair}</En>" for pair in pairs)}</DCT></Obj>'


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        (None, "<Nil />"),
        (True, "<B>true</B>"),
        (18446744073709551615, "<U64>18446744073709551615</U64>"),
        (0.5, "<Sg>0.5</Sg>"),
        ("NaN", "<Db>NaN</Db>"),
        ("-Infinity", "<Sg>-INF</Sg>"),
        ("1.10", "<D>1.10</D>"),
        ("00:00:01.0000001", "<TS>PT1.0000001S</TS>"),
        ("2026-03-17T21:00:00Z", "<DT>2026-03-17T22:00:00+01:00</DT>"),
        ("2026-03-17T22:00:00", "<DT>2026-03-17T22:00:00</DT>"),
        ("AAEC", "<BA>AAEC</BA>"),
        ("1.2", "<Version>1.2</Version>"),
        ("urn:a", "<URI>urn:a</URI>"),
        ("<a/>", "<XD>&lt;a/&gt;</XD>"),
        ("System.Security.SecureString", "<SS>7300</SS>"),
        ("Monday", f'<Obj RefId="0">{ENUM}</Obj>'),
        (5, '<Obj RefId="0"><I32>5</I32><MS><S N="note">x</S></MS></Obj>'),
        ([1, None], '<Obj RefId="0"><LST><I32>1</I32><Nil /></LST></Obj>'),
        ({"a": "n", "b": 1}, '<Obj RefId="0"><Props><I32 N="b">1</I32></Props><MS><S N="a">n</S></MS></Obj>'),
        ({"1": "x"}, entries('<I32 N="Key">1</I32><S N="Value">x</S>')),
        (
            [[1, "x"], ["1", "y"]],
            entries('<I32 N="Key">1</I32><S N="Value">x</S>', '<S N="Key">1</S><S N="Value">y</S>'),
        ),
        (
            [[{"a": "k"}, "x"]],
            entries('<Obj N="Key" RefId="1"><MS><S N="a">k</S></MS></Obj><S N="Value">x</S>'),
        ),
        PROGRESS[::-1],
    ],
)
def test_each_kind_of_value_has_its_json(expected, body):
    given = json_value(read(body))
    assert expected == given
    assert given == json.loads(json.dumps(given, allow_nan=False))


def test_the_same_object_twice_stands_twice():
    body = '<LST><Obj RefId="1"><MS><S N="a">x</S></MS></Obj><Ref RefId="1" /></LST>'
    assert [{"a": "x"}, {"a": "x"}] == json_value(read(f'<Obj RefId="0">{body}</Obj>'))


def test_what_holds_itself_is_refused():
    with pytest.raises(InputError, match="the value holds itself"):
        json_value(read('<Obj RefId="0"><LST><Ref RefId="0" /></LST></Obj>'))


def test_references_that_would_fill_a_disk_are_refused_soon():
    """Forty levels, each of which holds the next twice: a million million parts."""
    body = "<S>x</S>"
    for level in range(40, 0, -1):
        body = (
            f'<Obj RefId="{level}"><LST>{body}<Ref RefId="{level + 1}" /></LST></Obj>'
            if level < 40
            else (f'<Obj RefId="{level}"><LST>{body}</LST></Obj>')
        )
    value, began = read(body), time.monotonic()
    with pytest.raises(InputError, match="the value has 40 parts"):
        json_value(value)
    assert 5 > time.monotonic() - began
