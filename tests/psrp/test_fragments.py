"""Fragments: messages come out whole and in order, or not at all."""

from __future__ import annotations

import struct
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauctl.psrp import fragments as module
from cauctl.psrp.fragments import FragmentError, Fragments, Message

START, END = 1, 2
RUNSPACE = uuid.UUID(int=7)
"""Always the same: the bytes are a part of the names of tests."""


def message(text: str, kind: int = 0x00041004) -> bytes:
    return struct.pack("<II", 1, kind) + RUNSPACE.bytes_le * 2 + text.encode()


def fragment(object_id: int, number: int, flags: int, data: bytes) -> bytes:
    return struct.pack(">QQBI", object_id, number, flags, len(data)) + data


def whole(object_id: int, text: str = "<S>x</S>") -> bytes:
    return fragment(object_id, 0, START | END, message(text))


def cut(object_id: int, data: bytes, sizes: list[int]) -> list[bytes]:
    """The fragments of a message, cut at ``sizes``."""
    places = sorted({0, *(size % len(data) for size in sizes)})
    parts = [data[begin:end] for begin, end in zip(places, [*places[1:], len(data)], strict=True)]
    last = len(parts) - 1
    return [
        fragment(object_id, number, (START if number == 0 else 0) | (END if number == last else 0), part)
        for number, part in enumerate(parts)
    ]


@given(
    st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.lists(st.integers(0, 500), max_size=4)), max_size=4),
    st.data(),
)
def test_messages_come_back_however_they_are_cut_and_answered(texts, data):
    """Law: cutting into fragments, and fragments into answers, changes nothing ([MS-PSRP] 2.2.4)."""
    pieces = [piece for number, (text, sizes) in enumerate(texts, 7) for piece in cut(number, message(text), sizes)]
    stream = Fragments()
    received = []
    while pieces:
        taken = data.draw(st.integers(1, len(pieces)))
        received += stream.feed(b"".join(pieces[:taken]))
        pieces = pieces[taken:]
    assert [(0x00041004, text) for text, _ in texts] == [(each.kind, each.text) for each in received]


def test_a_byte_order_mark_is_no_text():
    """Windows puts one in front of each message."""
    assert [Message(0x00041004, "<S>x</S>", len(message("\ufeff<S>x</S>")))] == Fragments().feed(
        whole(4, "\ufeff<S>x</S>")
    )


@pytest.mark.parametrize(
    ("fault", "data"),
    [
        ("shorter than its header", whole(4)[:20]),
        ("shorter than it says", whole(4)[:-1]),
        ("came without its start", fragment(4, 0, END, message(""))),
        ("fragment 1 of object 4 is missing", fragment(4, 0, START, b"x") + fragment(4, 2, END, b"x")),
        ("began before object 4 had ended", fragment(4, 0, START, b"x") + whole(5)),
        ("began with fragment 1", fragment(4, 1, START | END, message(""))),
        ("object 4 came after object 5", whole(5) + whole(4)),
        ("object 4 came after object 4", whole(4) + whole(4)),
        ("object 5 came without its start", fragment(4, 0, START, b"x") + fragment(5, 1, 0, b"x")),
        ("a message is shorter than its header", fragment(4, 0, START | END, b"short")),
        ("not UTF-8", fragment(4, 0, START | END, message("") + b"\xff")),
    ],
)
def test_what_is_out_of_order_or_broken_is_refused(fault, data):
    with pytest.raises(FragmentError, match=fault):
        Fragments().feed(data)


def test_a_gap_is_lost_output_only_after_a_repeated_request():
    """Ids of one stream have no gap on Windows; between requests that went through, nothing could have been lost."""
    quiet = Fragments()
    assert 2 == len(quiet.feed(whole(4) + whole(9)))

    resumed = Fragments()
    resumed.feed(whole(4))
    resumed.resume()
    assert 1 == len(resumed.feed(whole(5)))
    resumed.resume()
    with pytest.raises(FragmentError, match="output between object 5 and object 7 was lost"):
        resumed.feed(whole(7))


def test_a_message_is_bounded(monkeypatch):
    """Memory stays bounded whatever the fragments of one object add up to."""
    monkeypatch.setattr(module, "LONGEST_MESSAGE", 100)
    stream = Fragments()
    stream.feed(fragment(4, 0, START, b"x" * 60))
    with pytest.raises(FragmentError, match="an object is longer than 100 bytes"):
        stream.feed(fragment(4, 1, 0, b"x" * 60))
