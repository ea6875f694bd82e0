"""Messages and fragments of PSRP (MS-PSRP 2.2.1, 2.2.4): bytes in, messages out, and back."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from attrs import field, frozen

from cauctl.lab.wsman import faults

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FRAGMENT_SIZE", "Assembler", "Framer", "Message", "MessageType", "split_fragments"]

FRAGMENT_SIZE: Final = 32_768
"""Bytes of a fragment with its header, as Windows sends them."""
_MESSAGE_LIMIT: Final = 50 << 20
"""Bytes of a message that a node takes (Windows: PSMaximumReceivedObjectSizeMB is 200; a lab needs less)."""
_HEADER: Final = struct.Struct(">QQBI")
_MESSAGE: Final = struct.Struct("<iI16s16s")
_TO_CLIENT: Final = 1
_START: Final = 1
_END: Final = 2
_BOM: Final = b"\xef\xbb\xbf"


class MessageType(IntEnum):
    """Message types that this side of the protocol tells apart."""

    SESSION_CAPABILITY = 0x00010002
    INIT_RUNSPACEPOOL = 0x00010004
    CREATE_PIPELINE = 0x00021006
    GET_COMMAND_METADATA = 0x0002100A
    RESET_RUNSPACE_STATE = 0x0002100C
    PIPELINE_INPUT = 0x00041002
    END_OF_PIPELINE_INPUT = 0x00041003
    PIPELINE_OUTPUT = 0x00041004
    ERROR_RECORD = 0x00041005
    PIPELINE_STATE = 0x00041006
    DEBUG_RECORD = 0x00041007
    VERBOSE_RECORD = 0x00041008
    WARNING_RECORD = 0x00041009
    PROGRESS_RECORD = 0x00041010
    INFORMATION_RECORD = 0x00041011


@frozen
class Message:
    """A whole message of a client."""

    kind: int
    """Message type; any number, since most are psrpcore's business."""
    pipeline: UUID | None = field(kw_only=True)
    data: bytes = field(kw_only=True, repr=False)
    """CLIXML, UTF-8 without byte order mark."""
    raw: bytes = field(kw_only=True, repr=False)
    """The message with its header."""


def split_fragments(data: bytes) -> Iterator[bytes]:
    """Cut joined fragments apart; what does not add up is a fault."""
    start = 0
    while start < len(data):
        if len(data) - start < _HEADER.size:
            raise faults.invalid_fragment("a fragment header is cut short")
        size = _HEADER.unpack_from(data, start)[3]
        end = start + _HEADER.size + size
        if end > len(data):
            raise faults.invalid_fragment("a fragment is cut short")
        yield data[start:end]
        start = end


class Assembler:
    """Joins the fragments of a client into messages."""

    def __init__(self) -> None:
        self._parts: dict[int, list[bytes]] = {}
        self._size = 0

    def feed(self, data: bytes) -> list[Message]:
        """Take joined fragments; give the messages that are complete now."""
        return [message for fragment in split_fragments(data) if (message := self._add(fragment)) is not None]

    def _add(self, fragment: bytes) -> Message | None:
        object_id, number, flags, size = _HEADER.unpack_from(fragment)
        parts = self._parts.setdefault(object_id, [])
        if number != len(parts):
            raise faults.invalid_fragment(f"fragment {number} of object {object_id} came out of order")
        self._size += size
        if self._size > _MESSAGE_LIMIT:
            raise faults.invalid_fragment(f"more than {_MESSAGE_LIMIT >> 20} MB wait for their end")
        parts.append(fragment[_HEADER.size :])
        if not flags & _END:
            return None
        raw = b"".join(self._parts.pop(object_id))
        self._size -= len(raw)
        return _read_message(raw)


def _read_message(raw: bytes) -> Message:
    if len(raw) < _MESSAGE.size:
        raise faults.invalid_fragment("a message is shorter than its header")
    _destination, kind, _pool, pipeline = _MESSAGE.unpack_from(raw)
    found = UUID(bytes_le=pipeline)
    return Message(kind, pipeline=found if found.int else None, data=raw[_MESSAGE.size :].removeprefix(_BOM), raw=raw)


class Framer:
    """Frames the messages of one pool: numbers objects and cuts them into fragments. Not safe from several threads."""

    def __init__(self) -> None:
        self._object_id = 0
        self._renamed: dict[int, int] = {}

    def frame(self, kind: MessageType, pool: UUID, pipeline: UUID | None, data: bytes) -> Iterator[bytes]:
        """Cut a new message for the client into fragments."""
        target = pipeline.bytes_le if pipeline is not None else bytes(16)
        return self.cut(_MESSAGE.pack(_TO_CLIENT, kind, pool.bytes_le, target) + data)

    def cut(self, message: bytes) -> Iterator[bytes]:
        """Cut a message that has its header into fragments."""
        self._object_id += 1
        object_id, room = self._object_id, FRAGMENT_SIZE - _HEADER.size
        for number, start in enumerate(range(0, len(message), room)):
            part = message[start : start + room]
            flags = (_START if number == 0 else 0) | (_END if start + room >= len(message) else 0)
            yield _HEADER.pack(object_id, number, flags, len(part)) + part

    def renumber(self, data: bytes) -> Iterator[bytes]:
        """Give joined fragments that somebody else has framed the numbers of this pool."""
        for fragment in split_fragments(data):
            object_id, number, flags, size = _HEADER.unpack_from(fragment)
            if flags & _START:
                self._object_id += 1
                self._renamed[object_id] = self._object_id
            yield _HEADER.pack(self._renamed[object_id], number, flags, size) + fragment[_HEADER.size :]
            if flags & _END:
                del self._renamed[object_id]
