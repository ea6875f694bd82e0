"""Values on their way to a node: what a user gives arrives as it was given, or is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential, Secret
from cauctl.psobject import PSObject, SecureString, custom_object, read_fragment, to_python, write_fragment
from cauctl.psrp.values import to_wire

ANY_CHARACTER = st.characters(categories=None, exclude_categories=())
NASTY = st.sampled_from(
    ["'", '"', "`", ";", "$(evil)", "\n", "\r\n", "\0", "\x1b", "_x000A_", "\ud83d", "\U0001f600", "]]>"]
)
ANY_TEXT = st.lists(st.one_of(ANY_CHARACTER, NASTY)).map("".join)


class Mode(Enum):
    """An enum whose values are Microsoft's names."""

    DRAIN = "Drain"


def no_seal(_: str) -> str:
    raise AssertionError("nothing here is a secret")


def sent(value: object, seal=no_seal) -> str:
    """The text as it would leave; messages are UTF-8."""
    return write_fragment(to_wire(value, seal=seal)).encode().decode()


@given(ANY_TEXT)
def test_any_text_arrives_as_the_same_text_or_is_refused(text):
    """Law: no quoting, no normalising, no replacement; the two characters that CLIXML cannot carry are refused."""
    if "\ufffe" in text or "\uffff" in text:
        with pytest.raises(InputError, match="CLIXML cannot carry"):
            sent(text)
    else:
        # Two halves that meet are one character in UTF-16, which is what .NET's strings are.
        expected = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        assert expected == read_fragment(sent(text)).encode("utf-16-le", "surrogatepass").decode(
            "utf-16-le", "surrogatepass"
        )


@given(st.lists(ANY_TEXT.filter(lambda text: not set(text) & {"\ufffe", "\uffff"}), max_size=5))
def test_lists_of_texts_keep_order_and_number(texts):
    assert [text.encode("utf-16-le", "surrogatepass") for text in texts] == [
        text.encode("utf-16-le", "surrogatepass") for text in to_python(read_fragment(sent(texts)))
    ]


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("<Nil />", None),
        ("<B>true</B>", True),
        ("<I32>7</I32>", 7),
        ("<I32>-2147483648</I32>", -(2**31)),
        ("<I64>2147483648</I64>", 2**31),
        ("<I64>9223372036854775807</I64>", 2**63 - 1),
        ("<U64>18446744073709551615</U64>", 2**64 - 1),
        ("<Db>1.5</Db>", 1.5),
        ("<D>1.50</D>", Decimal("1.50")),
        ("<S>Drain</S>", Mode.DRAIN),
        ("<BA>YWJj</BA>", b"abc"),
        ("<G>12345678-1234-5678-1234-567812345678</G>", UUID("12345678123456781234567812345678")),
        ("<TS>PT1H30M</TS>", timedelta(minutes=90)),
    ],
)
def test_each_python_type_has_one_form(element, value):
    assert element == sent(value)


@pytest.mark.parametrize(
    "value",
    [
        ["a", 1, [True, None]],
        {"Name": "N1", "Numbers": [1, 2**40], "Inner": {"A": 1.5}},
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    ],
)
def test_nested_values_come_back_as_they_were(value):
    assert value == to_python(read_fragment(sent(value)))


def test_a_dict_is_a_hashtable():
    """A parameter of type Hashtable takes it."""
    assert "System.Collections.Hashtable" == read_fragment(sent({"A": 1})).type_names[0]


def test_an_object_of_powershell_goes_as_it_is():
    value = custom_object({"Name": "N1"}, type_name="Test.Type")
    assert {"Name": "N1"} == to_python(read_fragment(sent(value)))
    assert "Test.Type" in sent(value)


@pytest.mark.parametrize(
    "value",
    [2**64, -(2**63) - 1, object(), SecureString("opaque"), {"A": SecureString("opaque")}, lambda: None],
)
def test_what_cannot_be_sent_is_refused(value):
    with pytest.raises(InputError):
        sent(value)


def test_a_list_that_holds_itself_is_refused():
    endless: list = []
    endless.append(endless)
    with pytest.raises(InputError, match="nested too deeply"):
        sent(endless)


def test_a_credential_leaves_sealed():
    """The node gets a PSCredential; the password is only ever given to the seal."""
    text = sent(PSCredential("CONTOSO\\admin", "pässwörd"), seal=lambda secret: f"sealed {len(secret)}")
    value = read_fragment(text)
    assert isinstance(value, PSObject)
    assert ("System.Management.Automation.PSCredential", "System.Object") == value.type_names
    assert "CONTOSO\\admin" == value["UserName"]
    assert SecureString("sealed 8") == value["Password"]
    assert "pässwörd" not in text


def test_a_secret_leaves_sealed():
    assert "<SS>sealed</SS>" == sent(Secret("hunter2"), seal=lambda _: "sealed")


def test_a_secret_that_cannot_be_sealed_is_refused_unseen():
    """Neither the error nor its cause holds it."""
    with pytest.raises(InputError) as caught:
        sent(Secret("hunter2\ud800"), seal=lambda _: "sealed")
    error: BaseException | None = caught.value
    while error is not None:
        assert "hunter2" not in f"{error!r}{vars(error)}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
