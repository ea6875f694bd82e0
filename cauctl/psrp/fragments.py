"""Put PSRP messages together from the fragments that a node sends, and cut ours into fragments ([MS-PSRP] 2.2.4).

Rules kept here:

* Fragments of a message arrive in order and unmixed; anything else is refused, as PowerShell's own client does.
* Object ids grow. On one pipeline's stream Windows numbers them without a gap, so after an answer that had to be asked
  for twice (:meth:`Fragments.resume`) a gap means lost output and is refused; else it is let pass.
* A message is at most :data:`LONGEST_MESSAGE` bytes, whatever its fragments say.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["LONGEST_MESSAGE", "FragmentError", "Fragments", "Message", "cut", "pack"]

LONGEST_MESSAGE = 8 * 1024 * 1024
"""Bytes of one message, which is one object; PowerShell's client takes 200 MB unless told otherwise.

One made of nothing but tiny elements takes two seconds to read, which is what a call may take beyond its deadline.
"""

_FRAGMENT = struct.Struct(">QQBI")
_MESSAGE = struct.Struct("<II16s16s")
_START, _END = 1, 2
_TO_NODE = 2
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class FragmentError(Exception):
    """The bytes are not PSRP. Never leaves this package: who reads knows what the bytes were for."""


@frozen
class Message:
    """One message as it came: what it is about and its CLIXML."""

    kind: int
    """Message type, [MS-PSRP] 2.2.1."""
    text: str
    """Body; empty where a type has none."""
    size: int
    """Bytes of the whole message."""

    @classmethod
    def unpack(cls, data: bytes) -> Message:
        """Read header and text."""
        if len(data) < _MESSAGE.size:
            raise FragmentError("a message is shorter than its header")
        _, kind, _, _ = _MESSAGE.unpack_from(data)
        body = data[_MESSAGE.size :].removeprefix(_BYTE_ORDER_MARK)
        try:
            return cls(kind, body.decode("utf-8"), len(data))
        except UnicodeDecodeError as error:
            raise FragmentError("a message is not UTF-8") from error


class Fragments:
    """The fragments of one stream, fed in the order of arrival."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._object_id: int | None = None
        self._next_fragment = 0
        self._last_object_id: int | None = None
        self._no_gap = False

    def resume(self) -> None:
        """Take note that the next bytes were asked for a second time: they must continue where the last ones ended."""
        self._no_gap = True

    def feed(self, data: bytes) -> list[Message]:
        """Take the bytes of one answer and return the messages that they complete."""
        messages = []
        position = 0
        while position < len(data):
            if len(data) - position < _FRAGMENT.size:
                raise FragmentError("a fragment is shorter than its header")
            object_id, fragment_id, flags, length = _FRAGMENT.unpack_from(data, position)
            position += _FRAGMENT.size
            if length > len(data) - position:
                raise FragmentError("a fragment is shorter than it says")
            self._take(object_id, fragment_id, flags, data[position : position + length])
            position += length
            if flags & _END:
                messages.append(self._finish())
        return messages

    def _take(self, object_id: int, fragment_id: int, flags: int, part: bytes) -> None:
        if flags & _START:
            self._check_start(object_id, fragment_id)
            self._object_id, self._next_fragment = object_id, 0
        elif object_id != self._object_id:
            raise FragmentError(f"a fragment of object {object_id} came without its start")
        if fragment_id != self._next_fragment:
            raise FragmentError(f"fragment {self._next_fragment} of object {object_id} is missing")
        self._next_fragment += 1
        self._size += len(part)
        if self._size > LONGEST_MESSAGE:
            raise FragmentError(f"an object is longer than {LONGEST_MESSAGE:,} bytes")
        self._parts.append(part)

    def _check_start(self, object_id: int, fragment_id: int) -> None:
        if self._object_id is not None:
            raise FragmentError(f"object {object_id} began before object {self._object_id} had ended")
        if fragment_id != 0:
            raise FragmentError(f"object {object_id} began with fragment {fragment_id}")
        last = self._last_object_id
        if last is not None and object_id <= last:
            raise FragmentError(f"object {object_id} came after object {last}")
        if self._no_gap and last is not None and object_id != last + 1:
            raise FragmentError(f"output between object {last} and object {object_id} was lost")
        self._no_gap = False

    def _finish(self) -> Message:
        data = b"".join(self._parts)
        self._last_object_id, self._object_id = self._object_id, None
        self._parts, self._size = [], 0
        return Message.unpack(data)


def pack(text: str, *, kind: int, pool: UUID, pipeline: UUID) -> bytes:
    """Write a message for a node.

    Args:
        text: its CLIXML.
        kind: message type, [MS-PSRP] 2.2.1.
        pool: the runspace pool it is for.
        pipeline: the pipeline it is about.
    """
    return _MESSAGE.pack(_TO_NODE, kind, pool.bytes_le, pipeline.bytes_le) + text.encode()


def cut(message: bytes, *, object_id: int, room: int) -> list[bytes]:
    """Cut a message into fragments.

    Args:
        message: header and text.
        object_id: its number among the messages for its pool.
        room: bytes that a fragment may have behind its header.
    """
    parts = [message[start : start + room] for start in range(0, len(message), room)]
    flags = [0] * len(parts)
    flags[0] |= _START
    flags[-1] |= _END
    numbered = enumerate(zip(flags, parts, strict=True))
    return [_FRAGMENT.pack(object_id, number, flag, len(part)) + part for number, (flag, part) in numbered]
