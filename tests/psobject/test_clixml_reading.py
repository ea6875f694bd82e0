"""Documents that PowerShell never writes and yet reads are read as it reads them."""

from __future__ import annotations

import pytest

from cauctl.errors import InputError
from cauctl.psobject import custom_object, iter_clixml, ps_properties, read_clixml, write_clixml
from cauctl.psobject.clixml_root import NAMESPACE
from tests.psobject.pipe import Pipe

START = f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}">'
WHITE = (
    "&#10;<I32>1</I32>&#x0D;&#32; &#009;"
    '<Obj RefId="0">&#10;<TN RefId="0">&#10;<T>T</T>&#xA;</TN>&#10;<MS>&#10;<I32 N="a">2</I32>&#10;</MS>&#10;</Obj>'
    '<Obj RefId="1"><DCT>&#10;<En>&#10;<S N="Key">k</S>&#10;<I32 N="Value">3</I32>&#10;</En>&#10;</DCT></Obj>&#10;'
)


def document(body: str) -> str:
    return f"{START}{body}</Objs>"


def plain(values: object) -> list[object]:
    return [getattr(value, "to_python", lambda value=value: value)() for value in values]


def test_white_space_between_elements_may_be_written_as_references():
    """As a whole, and in pieces that part a reference."""
    expected = [1, {"a": 2}, {"k": 3}]
    assert expected == plain(read_clixml(document(WHITE)))
    for most in (1, 2, 3):
        assert expected == plain(iter_clixml(Pipe(document(WHITE).encode(), most=most)))


@pytest.mark.parametrize(
    "text",
    [
        document("<I32>1</I32>&#160;"),
        document("<I32>1</I32>&#11;"),
        document("<I32>1</I32>&lt;"),
        document("<I32>1</I32>&"),
        document("<I32>1</I32>&#10"),
        f"&#10;{document('')}",
        f"{document('')}&#10;",
    ],
)
def test_other_references_between_elements_are_refused(text):
    with pytest.raises(InputError, match="Text stands where only elements may stand"):
        read_clixml(text)


NOTES = '<MS><S N="ToString">x</S><S N="gettype">y</S><I32 N="a">1</I32></MS>'


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        (["gettype", "a"], f"{NOTES}<ToString>t</ToString>"),
        (["ToString", "a", "p"], f'{NOTES}<Props><I32 N="p">1</I32></Props>'),
        (["a"], f"{NOTES}<Props /><ToString />"),
        (["a"], f"{NOTES}<I32>5</I32><Props /><ToString>t</ToString>"),
        (["ToString", "gettype", "a"], f"<ToString>t</ToString><Props />{NOTES}"),
        (["ToString", "gettype", "a"], f"{NOTES}<ToString>t</ToString><Props />{NOTES}"),
    ],
)
def test_a_note_is_dropped_by_what_powershell_keeps_under_its_name_and_comes_later(expected, body):
    """Of many objects of one shape too."""
    one = f'<Obj RefId="9">{body}</Obj>'
    values = read_clixml(document(one + "".join(one.replace("9", str(number)) for number in range(100, 140))))
    assert [sorted(expected)] * 41 == [sorted(each.name for each in ps_properties(value)) for value in values]


def test_an_object_within_an_object_is_joined_to_it():
    """Its notes come first, its properties and text stand for those that are missing."""
    inner = '<Obj RefId="1"><ToString>in</ToString><Props><I32 N="p">1</I32></Props><MS><I32 N="n">2</I32></MS></Obj>'
    (value,) = read_clixml(document(f'<Obj RefId="0">{inner}<MS><I32 N="o">3</I32></MS></Obj>'))
    assert {"n": 2, "o": 3, "p": 1} == value.to_python()
    assert "in" == value.text


@pytest.mark.parametrize("name", ["\ufeffa", "a\ufeff", "\ufeff"])
def test_a_byte_order_mark_is_no_character_of_a_name(name):
    with pytest.raises(InputError, match="attributes of the tag are malformed"):
        read_clixml(document(f'<I32 {name}="1">1</I32>'))


def test_many_escapes_are_written_in_time_that_grows_as_the_text():
    """Each of them is an underscore before an x, which PowerShell escapes itself."""
    text = "_x" * 300_000
    (value,) = read_clixml(write_clixml([custom_object({"a": text})]))
    assert text == value["a"]
