"""What the PowerShell processes of a lab load: a private folder with modules made from the parameter metadata."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cauctl.errors import InputError
from cauctl.lab.binder.metadata import command_metadata, enum_names, enum_type
from cauctl.lab.commands.shapes import enum_types, shape_names, type_names
from cauctl.lab.pwsh.description import RESOURCE_TYPE, class_of, compiled_description, function_text, program_text
from cauctl.psobject import write_clixml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cauctl.lab.binder.metadata import CommandMetadata, EnumType
    from cauctl.lab.dispatch import CommandTable

__all__ = ["PwshKit", "find_pwsh"]

_SCRIPTS: Final = ("agent_host.ps1", "assembly.ps1", "bridge.psm1", "node.ps1", "utility.psm1")
_ENGINE: Final = "Microsoft.PowerShell.Core"
"""Module whose commands are in every PowerShell."""
_CUSTOM_OBJECT: Final = "System.Management.Automation.PSCustomObject"
_PATIENCE: Final = 120.0
_DEPTH: Final = 12
_COMPILED: Final[dict[tuple[Path, bytes, bytes], bytes | None]] = {}
"""Assemblies by program, description and script; None where .NET cannot save one."""


def find_pwsh(path: str | os.PathLike[str] | None = None) -> Path:
    """Find PowerShell 7: ``path``, else ``$CAUCTL_PWSH``, else ``pwsh`` on the search path.

    Raises:
        InputError: there is none, or the path that was given names no program.
    """
    named = os.fspath(path) if path is not None else os.environ.get("CAUCTL_PWSH")
    found = shutil.which(named or "pwsh")
    if found is None:
        raise InputError(
            named or "no pwsh on PATH",
            where="--pwsh" if path is not None else "CAUCTL_PWSH" if named else "pwsh",
            expected="the path of PowerShell 7 (--pwsh PATH, or CAUCTL_PWSH), or pwsh on PATH",
        )
    return Path(found).absolute()


class PwshKit:
    """The folder, and how PowerShell is started with it.

    Args:
        pwsh: the program.
        commands: what the nodes can do.
    """

    def __init__(self, pwsh: Path, commands: CommandTable) -> None:
        self._pwsh = pwsh
        self._names = commands.names()
        self._folder = Path(tempfile.mkdtemp(prefix="cauctl-lab-"))
        try:
            self._fill(commands)
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<PwshKit {self._pwsh}, {len(self._names)} commands in {self._folder}>"

    @property
    def folder(self) -> Path:
        """The private folder."""
        return self._folder

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def server(self, *, visible: Sequence[str] | None = None, modules: Sequence[str] = ()) -> list[str]:
        """Give the command line of a session.

        Args:
            visible: names of the commands that it shows; None: all of the lab's.
            modules: further modules to import, by path.
        """
        shown = self._names if visible is None else visible
        startup = f". {_quoted(str(self._folder / 'node.ps1'))} -Visible {_list(shown)} -Modules {_list(modules)}"
        return [str(self._pwsh), "-NoLogo", "-NoProfile", "-s", "-c", startup]

    def agent(self, arguments: Sequence[str]) -> list[str]:
        """Give the command line of a scheduled task that runs the node agent."""
        script = str(self._folder / "agent_host.ps1")
        return [str(self._pwsh), "-NoLogo", "-NoProfile", "-NonInteractive", "-File", script, *arguments]

    def environment(self, world: str) -> dict[str, str]:
        """Give the environment of a session; ``world`` is where and with which token it asks."""
        home = str(self._folder / "home")
        return {
            **os.environ,
            "CAUCTL_LAB_WORLD": world,
            "DOTNET_CLI_TELEMETRY_OPTOUT": "1",
            "HOME": home,
            "POWERSHELL_TELEMETRY_OPTOUT": "1",
            "POWERSHELL_UPDATECHECK": "Off",
            "PSModulePath": str(self._folder / "modules"),
            "TZ": "UTC",
            "XDG_CACHE_HOME": home,
            "XDG_CONFIG_HOME": home,
            "XDG_DATA_HOME": home,
        }

    def _fill(self, commands: CommandTable) -> None:
        for name in ("home", "modules"):
            (self._folder / name).mkdir()
        for name in _SCRIPTS:
            (self._folder / name).write_bytes(files(__package__).joinpath(name).read_bytes())
        described = list(_described(commands))
        texts = [function_text(each) for each in described if not each.compiled]
        texts += [program_text(command.name) for command in commands if command.native]
        (self._folder / "functions.psm1").write_text("\n".join(texts), encoding="utf-8")
        # A custom object stays one: it has no class of its own.
        shapes = [name for name in shape_names() if _CUSTOM_OBJECT not in type_names(name)]
        rows = [f"{type_names(name)[0]} {class_of(name)}" for name in shapes]
        rows.append(f"{RESOURCE_TYPE} {RESOURCE_TYPE}")
        (self._folder / "shapes.txt").write_text("\n".join(rows), encoding="utf-8")
        enums = {each.name: each for each in (*enum_types(), *_parameter_enums())}
        description = compiled_description([each for each in described if each.compiled], enums.values(), shapes)
        path = self._folder / "commands.clixml"
        path.write_text(write_clixml([description], depth=_DEPTH), encoding="utf-8")
        self._compile(path)

    def _compile(self, description: Path) -> None:
        """Save the cmdlets as a file where .NET can, so that each session only loads it; once a process of ours."""
        script, assembly = description.with_name("assembly.ps1"), self._folder / "Cauctl.Lab.dll"
        key = (self._pwsh, description.read_bytes(), script.read_bytes())
        if key not in _COMPILED:
            self._run_compiler(script, description)
            _COMPILED[key] = assembly.read_bytes() if assembly.exists() else None
        elif (made := _COMPILED[key]) is not None:
            assembly.write_bytes(made)

    def _run_compiler(self, script: Path, description: Path) -> None:
        try:
            done = self._run(script, description)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(str(error), where=str(self._pwsh), expected="a PowerShell 7 that starts") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise InputError(
                said[:500] or f"status {done.returncode}", where=str(self._pwsh), expected="a PowerShell 7 that starts"
            )

    def _run(self, script: Path, description: Path) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603  the program that the lab was given
            [str(self._pwsh), "-NoLogo", "-NoProfile", "-File", str(script), str(description),
             str(self._folder / "Cauctl.Lab.dll")],
            env=self.environment(""),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )  # fmt: skip


def _described(commands: CommandTable) -> Iterator[CommandMetadata]:
    """Give the metadata of each command that the lab has to make."""
    for command in commands:
        metadata = command.metadata or command_metadata(command.name)
        if metadata is not None and metadata.module != _ENGINE and not command.native:
            yield metadata


def _parameter_enums() -> Iterator[EnumType]:
    return (found for name in enum_names() if (found := enum_type(name)) is not None)


def _list(texts: Sequence[str]) -> str:
    return f"@({', '.join(map(_quoted, texts))})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
