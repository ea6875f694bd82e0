"""A stream as standard input is one: it cannot be rewound, and gives what it has."""

from __future__ import annotations

import io


class Pipe(io.RawIOBase):
    """A binary stream that cannot be rewound and gives what it has, little by little."""

    def __init__(self, data: bytes, most: int = 7) -> None:
        super().__init__()
        self._data, self._most = io.BytesIO(data), most

    def readable(self) -> bool:
        """It can."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Give a little."""
        return self._data.read(min(self._most, size) if size >= 0 else self._most)
