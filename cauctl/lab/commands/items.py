"""Commands about items: files and folders of ``C:``, keys and values of the registry."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.commands.failures import file_failure, path_not_found
from cauctl.lab.commands.paths import expand, is_pattern, paths_of
from cauctl.lab.commands.scene import CommandSet, Scene, one, strings, texts_match
from cauctl.lab.commands.shapes import make
from cauctl.lab.dispatch import CommandError
from cauctl.lab.world.files import FileError, normal_path, parent_path
from cauctl.lab.world.registry import registry_path
from cauctl.psobject import PSObject, array, custom_object, enum_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.lab.dispatch import BoundCall
    from cauctl.lab.world.files import Entry
    from cauctl.lab.world.registry import Registry

__all__ = ["COMMANDS"]

COMMANDS = CommandSet()

_FILE_SYSTEM: Final = "Microsoft.PowerShell.Core\\FileSystem::"
_REGISTRY: Final = "Microsoft.PowerShell.Core\\Registry::"
_ATTRIBUTES: Final = "System.IO.FileAttributes"
_ARCHIVE: Final = 32
_DIRECTORY: Final = 16


def item(entry: Entry) -> PSObject:
    """Make the ``FileInfo`` or ``DirectoryInfo`` of a file or folder."""
    return _folder(entry) if entry.is_folder else _file(entry)


def _file(entry: Entry) -> PSObject:
    content = entry.content or b""
    above = parent_path(entry.path)
    dot = entry.name.rfind(".")
    made = make(
        "FileInfo",
        Name=entry.name,
        Length=len(content),
        DirectoryName=above,
        Directory=_named_folder(above),
        FullName=entry.path,
        Extension=entry.name[dot:] if dot > 0 else "",
        **_times(entry, utc=True),
        Attributes=enum_value(_ATTRIBUTES, "Archive", _ARCHIVE),
    )
    made.text = entry.path
    return _noted(made, entry, is_folder=False)


def _folder(entry: Entry) -> PSObject:
    made = make(
        "DirectoryInfo",
        Name=entry.name,
        FullName=entry.path,
        Parent=_named_folder(parent_path(entry.path)),
        Root=_named_folder("C:\\"),
        **_times(entry, utc=False),
        Attributes=enum_value(_ATTRIBUTES, "Directory", _DIRECTORY),
    )
    made.text = entry.path
    return _noted(made, entry, is_folder=True)


def _times(entry: Entry, *, utc: bool) -> dict[str, Any]:
    times = {"CreationTime": entry.created, "LastWriteTime": entry.modified}
    if utc:
        times |= {"CreationTimeUtc": entry.created, "LastWriteTimeUtc": entry.modified}
        times |= {"LastAccessTime": entry.modified, "LastAccessTimeUtc": entry.modified}
    return times


def _named_folder(path: str) -> PSObject:
    names = ("System.IO.DirectoryInfo", "System.IO.FileSystemInfo", "System.MarshalByRefObject", "System.Object")
    return PSObject(type_names=names, adapted={"FullName": path}, text=path)


def _noted(made: PSObject, entry: Entry, *, is_folder: bool) -> PSObject:
    above = parent_path(entry.path)
    made.extended["PSPath"] = f"{_FILE_SYSTEM}{entry.path}"
    made.extended["PSParentPath"] = f"{_FILE_SYSTEM}{above}"
    made.extended["PSChildName"] = entry.name
    made.extended["PSIsContainer"] = is_folder
    return made


def _key_item(registry: Registry, key: str) -> PSObject:
    made = make(
        "RegistryKey",
        Name=key,
        SubKeyCount=len(list(registry.subkeys(key))),
        ValueCount=len(registry.values(key)),
        View=None,
    )
    made.text = key
    made.extended["Property"] = array(registry.values(key))
    made.extended["PSPath"] = f"{_REGISTRY}{key}"
    made.extended["PSParentPath"] = f"{_REGISTRY}{key.rpartition(chr(92))[0]}"
    made.extended["PSChildName"] = key.rpartition("\\")[2]
    made.extended["PSIsContainer"] = True
    return made


@COMMANDS.command("Test-Path")
def test_path(scene: Scene, call: BoundCall) -> Iterable[bool]:
    """Tell of each path whether something stands there."""
    kind = str(one(call.get("PathType")) or "Any").casefold()
    for path, literal in paths_of(call):
        key = registry_path(path)
        if key is not None:
            yield key in scene.node.registry and kind != "leaf"
            continue
        if not literal and is_pattern(path):
            yield bool(_children_like(scene, path))
            continue
        entry = scene.node.files.find(path)
        yield entry is not None and (kind == "any" or entry.is_folder == (kind == "container"))


def _children_like(scene: Scene, path: str) -> list[Entry]:
    normal = normal_path(path) or ""
    folder = scene.node.files.find(parent_path(normal))
    if folder is None or not folder.is_folder:
        return []
    pattern = normal.rpartition("\\")[2]
    return [entry for entry in scene.node.files.children(folder.path) if texts_match([pattern], entry.name)]


@COMMANDS.command("Get-Item")
def get_item(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write files, folders and registry keys."""
    return [*_keys(scene, call), *(item(entry) for _, entry in _entries(scene, call))]


def _keys(scene: Scene, call: BoundCall) -> Iterator[PSObject]:
    for path, _ in paths_of(call):
        key = registry_path(path)
        if key is None:
            continue
        if key in scene.node.registry:
            yield _key_item(scene.node.registry, key)
        else:
            scene.context.error(path_not_found(path))


def _entries(scene: Scene, call: BoundCall) -> Iterator[tuple[str, Entry]]:
    """Give files and folders of a call, registry paths left out."""
    if all(registry_path(path) is None for path, _ in paths_of(call)):
        yield from expand(scene, call)


@COMMANDS.command("Get-ChildItem")
def get_child_item(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write what stands in folders, or below registry keys."""
    written: list[PSObject] = []
    for path, _ in paths_of(call):
        key = registry_path(path)
        if key is not None and key in scene.node.registry:
            written += [_key_item(scene.node.registry, each) for each in scene.node.registry.subkeys(key)]
        elif key is not None:
            scene.context.error(path_not_found(path))
    pattern = one(call.get("Filter"))
    for _, entry in _entries(scene, call):
        found = _below(scene, entry, recurse=call.switch("Recurse")) if entry.is_folder else [entry]
        written += [
            item(each)
            for each in found
            if (pattern is None or texts_match([pattern], each.name))
            and not (call.switch("Directory") and not each.is_folder)
            and not (call.switch("File") and each.is_folder)
        ]
    return written


def _below(scene: Scene, folder: Entry, *, recurse: bool) -> list[Entry]:
    children = scene.node.files.children(folder.path)
    if not recurse:
        return children
    return [
        each for child in children for each in (child, *(_below(scene, child, recurse=True) if child.is_folder else []))
    ]


@COMMANDS.command("New-Item")
def new_item(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Make a file or a folder."""
    kind, name = (one(call.get("ItemType")) or "file").casefold(), one(call.get("Name"))
    force, written = call.switch("Force"), []
    for path in strings(call.get("Path")) or ["."]:
        whole = f"{path}\\{name}" if name else path
        found = scene.node.files.find(whole)
        if found is not None and not (force and found.is_folder == kind.startswith("d")):
            scene.context.error(_exists(whole, found))
            continue
        with _reported(scene):
            written.append(item(_made(scene, call, whole, kind)))
    return written


def _made(scene: Scene, call: BoundCall, path: str, kind: str) -> Entry:
    if kind in {"directory", "container"}:
        return scene.node.files.make_folder(path)
    if call.switch("Force"):
        scene.node.files.make_folder(parent_path(normal_path(path) or path))
    value = call.get("Value")
    return scene.node.files.write(path, b"" if value is None else str(value).encode())


def _exists(path: str, found: Entry) -> CommandError:
    kind = "DirectoryExist" if found.is_folder else "NewItemIOError"
    return CommandError(
        f"An item with the specified name {path} already exists.",
        error_id=kind,
        category="ResourceExists" if found.is_folder else "WriteError",
        exception_type="System.IO.IOException",
        target=path,
        terminating=False,
    )


@contextmanager
def _reported(scene: Scene) -> Iterator[None]:
    """Write what fails with a file as an error, and go on with the next one."""
    try:
        yield
    except FileError as error:
        scene.context.error(file_failure(error))


@COMMANDS.command("Remove-Item")
def remove_item(scene: Scene, call: BoundCall) -> None:
    """Remove files, folders and registry keys."""
    for path, _ in paths_of(call):
        key = registry_path(path)
        if key is None:
            continue
        if key in scene.node.registry:
            scene.node.registry.remove(key)
        else:
            scene.context.error(path_not_found(path))
    for path, _ in list(_entries(scene, call)):
        with _reported(scene):
            scene.node.files.remove(path, recurse=call.switch("Recurse"))


@COMMANDS.command("Copy-Item")
def copy_item(scene: Scene, call: BoundCall) -> None:
    """Copy files; folders with ``-Recurse``."""
    for _, entry in list(expand(scene, call)):
        target = _target(scene, entry, str(call.get("Destination")))
        with _reported(scene):
            _copy(scene, entry, target, recurse=call.switch("Recurse"))


def _target(scene: Scene, entry: Entry, destination: str) -> str:
    found = scene.node.files.find(destination)
    return f"{destination}\\{entry.name}" if found is not None and found.is_folder else destination


def _copy(scene: Scene, entry: Entry, target: str, *, recurse: bool) -> None:
    if entry.content is not None:
        scene.node.files.write(target, bytes(entry.content))
        return
    scene.node.files.make_folder(target)
    for child in scene.node.files.children(entry.path) if recurse else ():
        _copy(scene, child, f"{target}\\{child.name}", recurse=True)


@COMMANDS.command("Move-Item")
def move_item(scene: Scene, call: BoundCall) -> None:
    """Move files and folders; ``-Force`` replaces a file."""
    for path, entry in list(expand(scene, call)):
        target = _target(scene, entry, str(call.get("Destination")))
        force = call.switch("Force")
        with _reported(scene):
            scene.node.files.move(path, target, replace=force)


@COMMANDS.command("Rename-Item")
def rename_item(scene: Scene, call: BoundCall) -> None:
    """Give a file or folder another name."""
    name = str(call.get("NewName")).rpartition("\\")[2]
    for path, entry in list(expand(scene, call)):
        with _reported(scene):
            scene.node.files.move(path, f"{parent_path(entry.path)}\\{name}")


@COMMANDS.command("Resolve-Path")
def resolve_path(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the full paths of files and folders."""
    names = ("System.Management.Automation.PathInfo", "System.Object")
    return [
        PSObject(type_names=names, adapted={"Path": entry.path}, text=entry.path) for _, entry in expand(scene, call)
    ]


@COMMANDS.command("Get-ItemProperty")
def get_item_property(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the values of registry keys as notes of one object; of files, the file."""
    names = strings(call.get("Name"))
    for path, _ in paths_of(call):
        key = registry_path(path)
        if key is None:
            entry = scene.node.files.find(path)
            if entry is None:
                scene.context.error(path_not_found(path))
            else:
                yield item(entry)
        elif key not in scene.node.registry:
            scene.context.error(path_not_found(path))
        else:
            values = dict(_values(scene, key, names, path))
            if values or not names:
                yield custom_object(values | _where(key))


def _values(scene: Scene, key: str, names: list[str], path: str) -> Iterator[tuple[str, Any]]:
    values = scene.node.registry.values(key)
    for name in names:
        found = [own for own in values if texts_match([name], own)]
        if not found and not is_pattern(name):
            scene.context.error(_no_property(name, path))
        yield from ((own, values[own]) for own in found)
    if not names:
        yield from values.items()


def _where(key: str) -> dict[str, Any]:
    above, _, child = key.rpartition("\\")
    return {"PSPath": f"{_REGISTRY}{key}", "PSParentPath": f"{_REGISTRY}{above}", "PSChildName": child}


def _no_property(name: str, path: str) -> CommandError:
    return CommandError(
        f"Property {name} does not exist at path {path}.",
        error_id="System.Management.Automation.PSArgumentException",
        category="InvalidArgument",
        exception_type="System.Management.Automation.PSArgumentException",
        target=name,
        terminating=False,
    )


@COMMANDS.command("Get-ItemPropertyValue")
def get_item_property_value(scene: Scene, call: BoundCall) -> Iterable[Any]:
    """Write single values of registry keys."""
    for path, _ in paths_of(call):
        key = registry_path(path)
        if key is None or key not in scene.node.registry:
            scene.context.error(path_not_found(path))
        else:
            yield from (value for _, value in _values(scene, key, strings(call.get("Name")), path))


@COMMANDS.command("Get-Acl")
def get_acl(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write owner and rights: below the system folder only administrators may write."""
    for _, entry in expand(scene, call):
        kind = "DirectorySecurity" if entry.is_folder else "FileSecurity"
        names = (f"System.Security.AccessControl.{kind}", "System.Security.AccessControl.FileSystemSecurity")
        rights = "NT AUTHORITY\\SYSTEM Allow  FullControl\nBUILTIN\\Administrators Allow  FullControl"
        yield PSObject(
            type_names=(*names, "System.Object"),
            adapted={"AccessToString": f"{rights}\nBUILTIN\\Users Allow  ReadAndExecute, Synchronize"},
            extended={
                "Path": f"{_FILE_SYSTEM}{entry.path}",
                "Owner": "BUILTIN\\Administrators",
                "Group": "NT AUTHORITY\\SYSTEM",
                "Sddl": "O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)",
            },
        )
