"""The registry of a node, as far as updating a cluster looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "AUTO_LOGON_CHECKED",
    "CBS_INTERFACE",
    "CBS_REBOOT_PENDING",
    "CURRENT_VERSION",
    "WU_REBOOT_REQUIRED",
    "Registry",
    "registry_path",
]

_MICROSOFT: Final = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft"
_CBS: Final = rf"{_MICROSOFT}\Windows\CurrentVersion\Component Based Servicing"
CURRENT_VERSION: Final = rf"{_MICROSOFT}\Windows NT\CurrentVersion"
AUTO_LOGON_CHECKED: Final = rf"{CURRENT_VERSION}\Winlogon\AutoLogonChecked"
CBS_REBOOT_PENDING: Final = rf"{_CBS}\RebootPending"
CBS_INTERFACE: Final = rf"{_CBS}\Interface"
WU_REBOOT_REQUIRED: Final = rf"{_MICROSOFT}\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"

_HIVES: Final = {"hklm:": "HKEY_LOCAL_MACHINE", "hklm": "HKEY_LOCAL_MACHINE", "hkcu:": "HKEY_CURRENT_USER"}
_PROVIDERS: Final = ("registry::", "microsoft.powershell.core\\registry::")


def registry_path(path: str) -> str | None:
    r"""Give the full name of a key written as ``HKLM:\…`` or ``Registry::HKEY_…``; None when it is no registry path."""
    folded = path.casefold()
    for provider in _PROVIDERS:
        if folded.startswith(provider):
            return path[len(provider) :].replace("/", "\\").rstrip("\\")
    hive, _, rest = path.replace("/", "\\").partition("\\")
    full = _HIVES.get(hive.casefold())
    if full is None or not hive.endswith(":"):
        return None
    return f"{full}\\{rest}".rstrip("\\")


class Registry:
    """Keys by full name, each with its values; names compare without case."""

    __slots__ = ("_keys",)

    def __init__(self) -> None:
        self._keys: dict[str, tuple[str, dict[str, Any]]] = {}

    def __repr__(self) -> str:
        return f"<Registry {len(self._keys)} keys>"

    def __contains__(self, key: str) -> bool:
        folded = key.casefold()
        return folded in self._keys or any(each.startswith(f"{folded}\\") for each in self._keys)

    def create(self, key: str, values: Mapping[str, Any] | None = None) -> None:
        """Make the key if it is missing, and set values in it."""
        entry = self._keys.get(key.casefold())
        if entry is None:
            entry = self._keys[key.casefold()] = (key, {})
        if values:
            entry[1].update(values)

    def remove(self, key: str) -> None:
        """Remove the key and all below it; a missing one is fine."""
        folded = key.casefold()
        self._keys.pop(folded, None)
        for each in [each for each in self._keys if each.startswith(f"{folded}\\")]:
            del self._keys[each]

    def values(self, key: str) -> Mapping[str, Any]:
        """Give the values of a key; KeyError when there is no such key."""
        if key not in self:
            raise KeyError(key)
        entry = self._keys.get(key.casefold())
        return entry[1] if entry else {}

    def value(self, key: str, name: str, default: Any = None) -> Any:
        """Give one value, in any case of its name."""
        entry = self._keys.get(key.casefold())
        if entry is None:
            return default
        return next((value for own, value in entry[1].items() if own.casefold() == name.casefold()), default)

    def subkeys(self, key: str) -> Iterator[str]:
        """Give the full names of the keys directly below."""
        start = f"{key.casefold()}\\"
        seen: set[str] = set()
        for folded, (name, _) in self._keys.items():
            if folded.startswith(start):
                child = name[: len(start)] + name[len(start) :].partition("\\")[0]
                if child.casefold() not in seen:
                    seen.add(child.casefold())
                    yield child
