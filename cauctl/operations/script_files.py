"""The user's script files: read when a run begins, before anything is touched, and the same text for every node.

A coordinator that goes on with a run of a dead one reads the file again, and refuses one that was changed since.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cauctl.errors import InputError, StateError
from cauctl.models.scripts import ScriptFile

if TYPE_CHECKING:
    from cauctl.models.options import UpdatingRunOptions

__all__ = ["ScriptFiles"]

_LARGEST: Final = 1 << 20
_BYTE_ORDER_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class ScriptFiles:
    """Texts of scripts by their hashes."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<ScriptFiles with {len(self._texts)} texts>"

    def take(self, options: UpdatingRunOptions) -> tuple[dict[str, ScriptFile], list[str]]:
        """Read the scripts that options name: ``pre`` and ``post``, and a sentence for each that cannot be."""
        found: dict[str, ScriptFile] = {}
        faults: list[str] = []
        for name, path in (("pre", options.pre_update_script), ("post", options.post_update_script)):
            if path is None:
                continue
            try:
                text = _read(path)
            except InputError as error:
                faults.append(f"{name}_update_script: {error.message}")
            else:
                sha256 = hashlib.sha256(text.encode()).hexdigest()
                self._texts[sha256] = text
                found[name] = ScriptFile(path, sha256=sha256, configuration=options.configuration_name)
        return found, faults

    def text_of(self, script: ScriptFile) -> str:
        """Give the text of a script; StateError where it was not taken, and the file is not what it was."""
        known = self._texts.get(script.sha256)
        if known is not None:
            return known
        try:
            text = _read(script.path)
        except InputError as error:
            raise StateError(error.message, path=script.path) from error
        if hashlib.sha256(text.encode()).hexdigest() != script.sha256:
            raise StateError("the script was changed since the run began.", path=script.path)
        self._texts[script.sha256] = text
        return text


def _read(path: str) -> str:
    """Read a script; InputError says what is wrong with it."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} cannot be read ({reason})") from error
    if len(data) > _LARGEST:
        raise InputError(f"{path} is larger than {_LARGEST >> 20} MiB")
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8 or UTF-16") from error
    if not text.strip() or "\0" in text:
        raise InputError(f"{path} holds no script")
    return text
